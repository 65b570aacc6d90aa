"""Edges of the trusted session log (claims sheet, 11, rule 3)."""

import pytest

from tests.unit.claims.cases import advised, codes, judge, other, read, row, rules, word

NEVER = [read(None, "never")]


@pytest.mark.parametrize(
    ("end", "held"), [("10T15:15", set()), ("10T15:14:59", {"attendance-in-doubt", "never-observed"})]
)
def test_a_visit_needs_the_overlap_to_the_second(end: str, held: set[str]) -> None:
    answer = judge(record={"code": None}, observations=NEVER, evidence=[row("10T15:00", end)])
    assert codes(answer) == held


def test_the_overlap_is_the_practices_own() -> None:
    given = {"record": {"code": None}, "observations": NEVER, "evidence": [row("10T15:00", "10T15:10")]}
    assert codes(judge(**given, policy={"trusted_overlap": "10m"})) == set()


def test_visits_are_never_added_up() -> None:
    rows = [row("10T15:00", "10T15:10"), row("10T15:41", "10T15:51")]
    assert "attendance-in-doubt" in codes(judge(record={"code": None}, evidence=rows))


def test_pieces_a_tolerance_apart_are_one_visit_and_the_gap_does_not_count() -> None:
    rows = [row("10T15:00", "10T15:10"), row("10T15:40", "10T15:46")]
    answer = judge(record={"code": None}, evidence=rows)
    assert (codes(answer), answer.to_json()["minutes"]) == (set(), 16)


def test_only_time_together_counts() -> None:
    apart = [row("10T15:00", "10T15:20", "provider"), row("10T15:20", "10T15:45", "client")]
    assert codes(judge(evidence=apart)) == {"attendance-in-doubt"}


def test_overlapping_rows_are_counted_once() -> None:
    rows = [row("10T15:00", "10T15:20"), row("10T15:10", "10T15:20", id="E-2")]
    assert judge(record={"code": None}, evidence=rows).to_json()["minutes"] == 20


def test_any_time_together_on_another_date_contradicts_beside_a_good_visit() -> None:
    rows = [row("10T15:00", "10T15:45"), row("11T15:00", "11T15:01")]
    answer = judge(evidence=rows, observations=[read("12T10:00")], now="2026-11-13T12:00:00Z")
    assert codes(answer) == {"evidence-contradicts"}


def test_one_side_alone_on_another_date_is_nothing_beside_a_good_visit() -> None:
    rows = [row("10T15:00", "10T15:45"), row("11T15:00", "11T15:30", "provider")]
    answer = judge(evidence=rows, observations=[read("12T10:00")], now="2026-11-13T12:00:00Z")
    assert codes(answer) == set()


@pytest.mark.parametrize("status", ["no-show", "cancelled", "late-cancelled"])
def test_an_absence_agrees_with_one_side_waiting_alone(status: str) -> None:
    answer = judge(record={"status": status}, evidence=[row("10T15:00", "10T15:20", "provider")])
    assert codes(answer) == {status}


@pytest.mark.parametrize("status", ["no-show", "cancelled", "late-cancelled"])
def test_an_absence_is_contradicted_by_any_time_together(status: str) -> None:
    answer = judge(record={"status": status}, evidence=[row("10T15:00", "10T15:01")])
    assert codes(answer) == {status, "evidence-contradicts"}


def test_a_log_over_midnight_holds_though_the_slot_does_not_cross() -> None:
    late = {"start": "2026-11-10T23:00", "end": "2026-11-10T23:45"}
    given = {"record": late, "evidence": [row("11T05:05", "11T06:10")], "observations": [read("11T07:00")]}
    assert codes(judge(**given)) == {"crosses-midnight"}
    assert codes(judge(**given, policy={"midnight": "start"})) == set()
    assert "evidence-contradicts" in codes(judge(**given, policy={"midnight": "end"}))


@pytest.mark.parametrize(("start", "advice"), [("10T15:30", set()), ("10T15:31", {"time-differs"})])
def test_a_start_within_the_tolerance_is_the_booked_time(start: str, advice: set[str]) -> None:
    answer = judge(record={"code": None}, evidence=[row(start, "10T16:00")])
    assert (codes(answer), advised(answer)) == (set(), advice)


@pytest.mark.parametrize(("booked", "fits"), [("09:20", True), ("09:21", False), ("10:00", False)])
def test_a_visit_near_ours_fits_another_it_is_at_least_as_near_to(booked: str, fits: bool) -> None:
    answer = judge(evidence=[row("10T15:10", "10T15:50")], others=[other(booked, "11:00")])
    assert ("reading-fits-other" in codes(answer)) is fits


@pytest.mark.parametrize(
    ("start", "end", "fits"), [("11:10", "11:50", True), ("11:11", "11:50", False), ("10:00", "10:41", True)]
)
def test_a_visit_far_from_ours_fits_one_near_it_or_overlapping(start: str, end: str, fits: bool) -> None:
    answer = judge(evidence=[row("10T16:40", "10T17:05")], record={"code": None}, others=[other(start, end)])
    assert ("reading-fits-other" in codes(answer)) is fits


def test_an_appointment_without_times_may_be_anywhere_on_its_date() -> None:
    log = [row("10T15:00", "10T15:45")]
    assert codes(judge(evidence=log, others=[other(None, None)])) == {"reading-fits-other"}
    assert codes(judge(evidence=log, others=[other(None, None, date="2026-11-11")])) == set()


def test_a_log_that_fits_another_appointment_proves_nothing() -> None:
    answer = judge(observations=NEVER, evidence=[row("10T15:00", "10T15:45")], others=[other("09:00", "09:45")])
    assert codes(answer) == {"reading-fits-other", "never-observed"}


def test_the_log_names_what_it_struck_out() -> None:
    answer = judge(observations=NEVER, evidence=[row("10T15:00", "10T15:45")])
    struck = [one.says for one in answer.evidence if one.rule == "log-proves"]
    assert (struck, rules(answer)) == (["never-observed"], {"log-proves", "minutes-log"})


@pytest.mark.parametrize(
    "observations",
    [[], [read("10T15:00")], [read("10T15:00", "stopped")], [read("10T15:00"), read("10T16:00", "failed")]],
)
def test_a_proving_log_strikes_out_whatever_calendars_cannot_say(observations: list[dict[str, object]]) -> None:
    answer = judge(observations=observations, evidence=[row("10T15:00", "10T15:45")])
    assert (codes(answer), advised(answer)) == (set(), {"proven-by-log"})


def test_a_proving_log_does_not_strike_out_a_contradicting_word() -> None:
    answer = judge(evidence=[row("10T15:00", "10T15:45")], statements=[word("did-not-take-place")])
    assert codes(answer) == {"statement-contradicts"}


def test_the_longest_proving_visit_counts() -> None:
    rows = [row("10T15:00", "10T15:20"), row("10T17:00", "10T17:45")]
    answer = judge(evidence=rows)
    assert (codes(answer), answer.to_json()["minutes"]) == (set(), 45)


@pytest.mark.parametrize("source", ["telehealth-log", "front-desk"])
def test_a_row_that_ends_before_it_starts_holds(source: str) -> None:
    assert codes(judge(evidence=[row("10T15:45", "10T15:00", source=source)])) == {"evidence-contradicts"}


def test_two_zones_in_use_must_both_put_the_log_on_the_date() -> None:
    record = {"client_zone": "America/New_York", "start": "2026-11-10T22:00", "end": "2026-11-10T22:45"}
    answer = judge(record=record, evidence=[row("11T04:30", "11T05:15")], observations=[read("11T08:00")])
    assert codes(answer) == {"crosses-midnight", "date-depends-on-zone"}


def test_a_row_inside_another_takes_nothing_from_it() -> None:
    rows = [row("10T15:00", "10T15:45"), row("10T15:10", "10T15:20", "provider"), row("10T15:05", "10T15:10", "client")]
    answer = judge(evidence=rows)
    assert (codes(answer), answer.to_json()["minutes"]) == (set(), 45)


def test_touching_is_no_time_together() -> None:
    apart = [row("10T15:00", "10T15:20", "provider"), row("10T15:20", "10T15:45", "client")]
    assert codes(judge(evidence=apart, policy={"trusted_overlap": "0s"})) == {"attendance-in-doubt"}


def test_a_log_that_shows_two_dates_strikes_out_nothing() -> None:
    rows = [row("10T15:00", "10T15:45"), row("11T15:00", "11T15:45")]
    answer = judge(evidence=rows, observations=NEVER, now="2026-11-13T12:00:00Z")
    assert codes(answer) == {"evidence-contradicts", "never-observed"}


def test_a_log_over_midnight_strikes_out_nothing() -> None:
    late = {"start": "2026-11-10T23:00", "end": "2026-11-10T23:45"}
    answer = judge(record=late, evidence=[row("11T05:05", "11T06:10")], observations=NEVER)
    assert codes(answer) == {"crosses-midnight", "never-observed"}


def test_a_visit_exactly_the_tolerance_off_is_near_ours() -> None:
    answer = judge(record={"code": None}, evidence=[row("10T15:30", "10T16:00")], others=[other("08:30", "10:00")])
    assert codes(answer) == set()


@pytest.mark.parametrize("unknown", [{"client": None}, {"start": None, "end": None, "date": None}])
def test_an_appointment_that_could_be_this_clients_counts(unknown: dict[str, None]) -> None:
    answer = judge(evidence=[row("10T15:00", "10T15:45")], others=[{**other("09:00", "09:45"), **unknown}])
    assert codes(answer) == {"reading-fits-other"}


def test_a_row_of_no_length_is_no_contradiction() -> None:
    assert codes(judge(evidence=[row("10T15:00", "10T15:00")])) == {"attendance-in-doubt"}


def test_rows_in_any_order_are_counted_once() -> None:
    rows = [row("10T15:10", "10T15:30", id="E-2"), row("10T15:00", "10T15:20"), row("10T15:00", "10T15:45", "client")]
    for log in (rows, rows[::-1]):
        assert judge(record={"code": None}, evidence=log).to_json()["minutes"] == 30


def test_the_log_is_named_where_its_dates_are_in_doubt() -> None:
    late = {"start": "2026-11-10T23:00", "end": "2026-11-10T23:45"}
    rows = [row(f"11T05:{minute:02}", "11T06:10", id=f"E-{minute}") for minute in range(5, 11)]
    given = {"record": late, "observations": [read("11T07:00")]}
    one, other_way = judge(**given, evidence=rows), judge(**given, evidence=rows[::-1])
    assert "the session log" in one.reasons[0].text
    (item,) = (one for one in one.evidence if one.rule == "crosses-midnight")
    assert (item.id, item.says) == ("E-5", "rows E-10 E-5 E-6 E-7 E-8 E-9")
    assert one == other_way


@pytest.mark.parametrize(
    ("status", "source"), [("completed", "telehealth-log"), ("no-show", "telehealth-log"), ("no-show", "desk")]
)
def test_the_first_row_of_each_visit_is_the_one_that_contradicts(status: str, source: str) -> None:
    rows = [
        row(start, end, id=f"E-{number}", source=source)
        for number, (start, end) in enumerate(
            [("11T15:00", "11T15:30"), ("11T15:10", "11T15:40"), ("12T15:00", "12T15:30"), ("12T15:10", "12T15:40")]
        )
    ]
    good = [row("10T15:00", "10T15:45")] if status == "completed" else []
    answer = judge(
        record={"status": status},
        evidence=[*rows[::-1], *good],
        observations=[read("13T10:00")],
        now="2026-11-14T12:00:00Z",
    )
    assert {one.id for one in answer.evidence if one.rule == "evidence-contradicts"} == {"E-0", "E-2"}


def test_the_longest_of_visits_that_were_too_short_is_told() -> None:
    rows = [row("10T15:00", "10T15:05"), row("10T17:00", "10T17:10"), row("10T19:00", "10T19:07")]
    (reason,) = judge(evidence=rows, observations=[read("10T23:00")]).reasons
    assert (reason.code, "10 min" in reason.text) == ("attendance-in-doubt", True)


def test_too_short_a_visit_is_doubted_beside_one_side_of_another_day() -> None:
    rows = [row("09T15:00", "09T15:30", "provider"), row("10T15:00", "10T15:05")]
    answer = judge(evidence=rows)
    assert codes(answer) == {"attendance-in-doubt", "evidence-contradicts"}
    assert {one.id for one in answer.evidence if one.rule == "attendance-in-doubt"} == {"E-10T15:00-both"}


REPEATED = {"start": "2026-11-01T01:15", "end": "2026-11-01T02:00", "zone": "America/New_York"}
# The hour of 1:00 comes twice: what stands at 1:30 is at 5:30 or at 6:30 UTC.
TWICE = {"start": "2026-11-01T01:30", "end": "2026-11-01T01:50"}


@pytest.mark.parametrize(("start", "end"), [("01T05:35", "01T05:50"), ("01T06:35", "01T06:50")])
def test_a_visit_fits_either_reading_of_another_session(start: str, end: str) -> None:
    record = {**REPEATED, "start": "2026-10-31T20:00", "end": "2026-11-01T02:00", "code": None}
    given = {
        "record": record,
        "observations": [read("02T08:00")],
        "policy": {"midnight": "end", "evidence_tolerance": "6m"},
    }
    answer = judge(**given, evidence=[row(start, end)], others=[{**other(None, None, date=None), **TWICE}])
    assert codes(answer) == {"reading-fits-other"}


def test_too_short_a_visit_is_measured_without_what_was_logged_on_another_day() -> None:
    rows = [row("10T15:00", "10T15:05"), row("11T15:00", "11T15:12")]
    answer = judge(evidence=rows, observations=[read("12T10:00")], now="2026-11-13T12:00:00Z")
    texts = {str(one.code): one.text for one in answer.reasons}
    assert set(texts) == {"attendance-in-doubt", "evidence-contradicts"}
    assert "5 min" in texts["attendance-in-doubt"]


def test_a_long_visit_on_another_day_does_not_stand_in_for_ours() -> None:
    rows = [row("10T15:00", "10T15:05"), row("11T15:00", "11T15:45")]
    answer = judge(evidence=rows, observations=[read("12T10:00")], now="2026-11-13T12:00:00Z")
    assert codes(answer) == {"attendance-in-doubt", "evidence-contradicts"}
