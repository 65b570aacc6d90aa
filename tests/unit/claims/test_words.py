"""Edges of a person's word (claims sheet, 11, rule 5)."""

from typing import Any

import pytest

from tests.unit.claims.cases import advised, codes, drift, judge, other, read, rules, utc, word

SHOWN = [read("10T16:05"), read("10T19:00", "differs", drift="D-1")]
LATER = [read("10T23:00")]


def took_place(start: str, end: str | None, **more: Any) -> dict[str, object]:
    return word("took-place", start=f"2026-11-10T{start}", end=None if end is None else f"2026-11-10T{end}", **more)


@pytest.mark.parametrize(("at", "answered"), [("10T18:00", True), ("10T17:59:59", False)])
def test_answers_from_the_moment_of_detection(at: str, answered: bool) -> None:
    answer = judge(drifts=[drift()], statements=[word("as-booked", at, ("D-1",))], observations=SHOWN)
    assert ("drift-open" not in codes(answer)) is answered


@pytest.mark.parametrize(("changed_at", "answered"), [("10T20:00", True), ("10T20:01", False)])
def test_answers_an_edit_only_as_it_is_now(changed_at: str, answered: bool) -> None:
    changed = drift(changed_at=utc(changed_at))
    answer = judge(drifts=[changed], statements=[word("as-booked", "10T20:00", ("D-1",))], observations=SHOWN)
    assert ("drift-open" not in codes(answer)) is answered


@pytest.mark.parametrize(("at", "answered"), [("14T12:00", True), ("14T12:00:01", False)])
def test_a_word_of_the_future_answers_nothing(at: str, answered: bool) -> None:
    said = word("as-booked", at, ("D-1",))
    answer = judge(now=utc("14T12:00"), drifts=[drift()], statements=[said], observations=SHOWN)
    assert ("drift-open" not in codes(answer)) is answered


def test_answers_only_what_was_on_the_page() -> None:
    answer = judge(drifts=[drift(), drift(id="D-2")], statements=[word("as-booked", saw=("D-1",))])
    assert codes(answer) == {"drift-open"}
    assert "D-2" in answer.reasons[0].text


def test_answers_nothing_whose_detection_is_not_known() -> None:
    answer = judge(drifts=[drift(detected_at=None)], statements=[word("as-booked", saw=("D-1",))])
    assert codes(answer) == {"drift-open"}


def test_does_not_stand_in_for_a_missing_read() -> None:
    answer = judge(drifts=[drift()], statements=[word("as-booked", saw=("D-1",))], observations=[read("10T15:00")])
    assert codes(answer) == {"observation-stale"}


def test_a_later_word_that_saw_it_takes_its_place() -> None:
    first = word("did-not-take-place", "10T17:00")
    assert codes(judge(statements=[first, word("as-booked", "10T18:00", ("W-1",), id="W-2")])) == set()
    assert codes(judge(statements=[first, word("as-booked", "10T18:00", id="W-2")])) == {"statement-contradicts"}


def test_of_two_words_of_one_moment_neither_takes_the_others_place() -> None:
    first = word("did-not-take-place", "10T18:00", ("W-2",))
    second = word("as-booked", "10T18:00", ("W-1",), id="W-2")
    assert codes(judge(statements=[first, second])) == {"statement-contradicts"}


def test_a_superseded_word_answers_nothing() -> None:
    words = [word("as-booked", "10T19:00", ("D-1",)), word("as-booked", "10T20:00", ("W-1",), id="W-2")]
    assert codes(judge(drifts=[drift()], statements=words)) == {"drift-open"}


@pytest.mark.parametrize(
    ("day", "held"),
    [("2026-11-10", set()), ("2026-11-11", {"statement-contradicts"}), (None, {"statement-contradicts"})],
)
def test_another_day_must_be_the_records(day: str | None, held: set[str]) -> None:
    assert codes(judge(statements=[word("another-day", date=day)])) == held


@pytest.mark.parametrize("says", ["as-booked", "took-place", "another-day"])
def test_contradicts_an_absence(says: str) -> None:
    said = word(says, date="2026-11-10", start="2026-11-10T09:00", end="2026-11-10T09:45")
    assert codes(judge(record={"status": "no-show"}, statements=[said])) == {"no-show", "statement-contradicts"}


def test_a_word_before_the_session_says_nothing_about_attendance() -> None:
    said = word("as-booked", "09T20:00")
    assert codes(judge(record={"status": "late-cancelled"}, statements=[said])) == {"late-cancelled"}


def test_did_not_take_place_agrees_with_an_absence() -> None:
    assert codes(judge(record={"status": "no-show"}, statements=[word("did-not-take-place")])) == {"no-show"}


@pytest.mark.parametrize(("start", "end", "advice"), [("09:30", "10:15", set()), ("09:31", "10:16", {"time-differs"})])
def test_another_time_of_the_date_is_said_beyond_the_tolerance(start: str, end: str, advice: set[str]) -> None:
    answer = judge(statements=[took_place(start, end)], observations=LATER)
    assert (codes(answer), advised(answer)) == (set(), advice)


def test_another_time_that_fits_another_appointment_holds() -> None:
    answer = judge(statements=[took_place("14:00", "14:45")], observations=LATER, others=[other("14:10", "14:50")])
    assert codes(answer) == {"reading-fits-other"}


def test_the_booked_time_itself_fits_nobody_else() -> None:
    assert codes(judge(statements=[took_place("09:00", "09:45")], others=[other(None, None)])) == set()


def test_an_attested_span_over_midnight_holds() -> None:
    late = {"start": "2026-11-10T23:00", "end": "2026-11-10T23:45"}
    said = word("took-place", "11T08:00", start="2026-11-10T23:30", end="2026-11-11T00:15")
    assert codes(judge(record=late, statements=[said], observations=[read("11T09:00")])) == {"crosses-midnight"}


def test_an_attested_time_that_cannot_be_placed_contradicts() -> None:
    assert codes(judge(statements=[word("took-place")])) == {"statement-contradicts"}
    assert codes(judge(statements=[took_place("09:45", "09:00")])) == {"statement-contradicts"}


def test_without_an_end_the_slot_gives_the_minutes_and_the_end() -> None:
    said = took_place("09:20", None)
    answer = judge(statements=[said], observations=[read("10T16:05:01")])
    assert codes(answer) == set()
    assert codes(judge(statements=[said], observations=[read("10T16:05:00")])) == {"observation-stale"}
    assert "minutes-slot" in rules(answer)


def test_the_word_is_in_the_evidence_under_its_drift() -> None:
    answer = judge(drifts=[drift()], statements=[word("as-booked", saw=("D-1",))], observations=SHOWN)
    assert [one.id for one in answer.evidence if one.rule == "word-after-conflict"] == ["D-1"]


def test_only_a_session_that_took_place_gives_times() -> None:
    late: dict[str, Any] = {"start": "2026-11-10T23:30", "end": "2026-11-11T00:15"}
    short: dict[str, Any] = {"start": "2026-11-10T09:00", "end": "2026-11-10T09:10"}
    for times in (late, short):
        answer = judge(statements=[word("as-booked", **times)])
        assert (codes(answer), "minutes-slot" in rules(answer)) == (set(), True)


def test_a_word_at_the_very_start_is_about_the_session() -> None:
    said = [word("as-booked", at) for at in ("10T14:59:59", "10T15:00")]
    found = [codes(judge(record={"status": "no-show"}, statements=[one])) for one in said]
    assert found == [{"no-show"}, {"no-show", "statement-contradicts"}]


def test_the_other_reading_of_a_repeated_hour_is_said() -> None:
    record = {"start": "2026-11-01T01:15-04:00", "end": "2026-11-01T02:00-05:00", "zone": "America/New_York"}
    said = word("took-place", "02T08:00", start="2026-11-01T01:15", end="2026-11-01T02:00")
    assert advised(judge(record=record, statements=[said], observations=[read("02T08:00")])) >= {"time-differs"}
