"""Edges of the edits of one appointment (claims sheet, 11, rule 6)."""

import pytest

from tests.unit.claims.cases import FILED, advised, codes, drift, judge, move, other, read, row, rules, word

LATER = [read("10T23:00")]


def test_is_an_edit_when_it_names_our_appointment() -> None:
    assert codes(judge(drifts=[drift(appointment="A-1")])) == {"drift-open"}
    assert codes(judge(drifts=[drift(appointment="A-2")])) == set()


@pytest.mark.parametrize(
    "resolution", ["acknowledged", "adopted", "superseded", "record-corrected", "ignored", "withdrawn"]
)
def test_a_closed_edit_holds_nothing(resolution: str) -> None:
    assert codes(judge(drifts=[drift(resolution=resolution)])) == set()


@pytest.mark.parametrize("resolution", ["open", "would-revert", "", "resolved"])
def test_any_other_word_counts_as_open(resolution: str) -> None:
    assert codes(judge(drifts=[drift(resolution=resolution)])) == {"drift-open"}


@pytest.mark.parametrize("resolution", ["acknowledged", "record-corrected", "ignored"])
def test_what_was_accepted_may_go_on_showing(resolution: str) -> None:
    shown = [read("10T19:00", "differs", drift="D-1")]
    assert codes(judge(drifts=[drift(resolution=resolution)], observations=shown)) == set()


@pytest.mark.parametrize("resolution", ["adopted", "superseded", "withdrawn"])
def test_what_should_show_the_record_again_may_not(resolution: str) -> None:
    shown = [read("10T19:00", "differs", drift="D-1")]
    assert codes(judge(drifts=[drift(resolution=resolution)], observations=shown)) == {"event-differs"}


@pytest.mark.parametrize(
    "changed",
    [
        {"kind": "deleted"},
        {"kind": "made-all-day"},
        {"phase": "started"},
        {"observed_end": None},
        {"observed_start": None},
    ],
)
def test_only_an_upcoming_move_with_both_times_is_harmless(changed: dict[str, object]) -> None:
    assert codes(judge(drifts=[move("14:00", "14:45")], observations=LATER)) == set()
    assert codes(judge(drifts=[move("14:00", "14:45", **changed)], observations=LATER)) == {"drift-unacknowledged"}


def test_a_resized_event_may_be_harmless_too() -> None:
    answer = judge(drifts=[move("09:00", "09:40", kind="resized")], observations=LATER)
    assert (codes(answer), advised(answer)) == (set(), {"time-unconfirmed"})


@pytest.mark.parametrize(("end", "held"), [("14:38", set()), ("14:37", {"drift-unacknowledged"})])
def test_a_harmless_move_leaves_the_codes_minutes(end: str, held: set[str]) -> None:
    assert codes(judge(drifts=[move("14:00", end)], observations=LATER)) == held


def test_a_move_over_midnight_or_in_another_zone_is_not_harmless() -> None:
    crossing = move("23:30", "x", observed_end="2026-11-11T00:15")
    assert codes(judge(drifts=[crossing], observations=[read("11T08:00")])) == {"drift-unacknowledged"}
    tokyo = {"client_zone": "Asia/Tokyo", "start": "2026-11-10T08:00", "end": "2026-11-10T08:45"}
    late = judge(record=tokyo, drifts=[move("09:30", "10:15")], observations=LATER)
    assert "drift-unacknowledged" in codes(late)


@pytest.mark.parametrize(
    ("start", "end", "held"), [("14:45", "15:30", set()), ("14:44", "15:30", {"drift-unacknowledged"})]
)
def test_a_harmless_move_overlaps_no_session_of_that_client(start: str, end: str, held: set[str]) -> None:
    given = {"drifts": [move("14:00", "14:45")], "observations": LATER}
    assert codes(judge(**given, others=[other(start, end)])) == held
    assert codes(judge(**given, others=[other(start, end, client="K-2")])) == set()


def test_a_session_without_times_could_be_where_the_move_went() -> None:
    answer = judge(drifts=[move("14:00", "14:45")], observations=LATER, others=[other(None, None)])
    assert codes(answer) == {"drift-unacknowledged"}


def test_an_edit_that_still_shows_after_it_was_put_back_differs() -> None:
    shown = [read("10T23:00", "differs", drift="D-1")]
    assert codes(judge(drifts=[move("14:00", "14:45")], observations=shown)) == {"event-differs"}
    asked_not = judge(drifts=[move("14:00", "14:45")], observations=shown, policy={"acknowledge_reverts": False})
    assert codes(asked_not) == {"event-differs"}


def test_reverts_that_nobody_asks_about_leave_open_edits_open() -> None:
    assert codes(judge(drifts=[drift()], policy={"acknowledge_reverts": False})) == {"drift-open"}


def series(**more: object) -> dict[str, object]:
    return drift(**{"scope": "series", "mixed": True, "detected_at": "2026-11-10T20:00:00Z", **more})


PROVEN = [read("10T16:05"), read("10T20:00", "differs", drift="D-1")]


def test_a_past_occurrence_proven_before_a_mixed_series_edit_is_collateral() -> None:
    answer = judge(drifts=[series()], observations=PROVEN)
    assert (codes(answer), advised(answer)) == (set(), {"series-edit-collateral"})


@pytest.mark.parametrize(
    "changed",
    [{"scope": "occurrence"}, {"mixed": False}, {"phase": "started"}, {"phase": "upcoming"}, {"detected_at": None}],
)
def test_collateral_needs_every_condition(changed: dict[str, object]) -> None:
    assert codes(judge(drifts=[series(**changed)], observations=PROVEN)) == {"drift-open", "event-differs"}


@pytest.mark.parametrize(("detected", "held"), [("2026-11-10T16:05:01Z", False), ("2026-11-10T16:05:00Z", True)])
def test_the_proof_must_be_older_than_the_detection(detected: str, held: bool) -> None:
    answer = judge(drifts=[series(detected_at=detected)], observations=PROVEN)
    assert ("drift-open" in codes(answer)) is held


def test_every_linked_calendar_must_have_proven_it() -> None:
    second = read("10T15:30", calendar="cal-2"), read("10T21:00", calendar="cal-2")
    answer = judge(drifts=[series()], observations=[*PROVEN, *second])
    assert "drift-open" in codes(answer)


def test_a_reverted_series_edit_is_collateral_as_well() -> None:
    assert advised(judge(drifts=[series(resolution="reverted")], observations=PROVEN)) == {"series-edit-collateral"}


def test_a_proving_log_answers_edits_that_were_put_back() -> None:
    answer = judge(drifts=[drift(phase="upcoming", resolution="reverted")], evidence=[row("10T15:00", "10T15:45")])
    assert (codes(answer), advised(answer)) == (set(), {"drift-answered-by-log"})
    assert "log-proves" in rules(answer)


@pytest.mark.parametrize(
    ("end", "codes_held"), [("09:37", {"drift-open", "minutes-below-code"}), ("09:38", {"drift-open"})]
)
def test_an_open_shortening_below_the_floor_is_said_beside_the_edit(end: str, codes_held: set[str]) -> None:
    shortened = drift(kind="resized", observed_start="2026-11-10T09:00", observed_end=f"2026-11-10T{end}")
    assert codes(judge(drifts=[shortened])) == codes_held


def test_a_proving_log_answers_the_shortening_too() -> None:
    shortened = drift(kind="resized", observed_start="2026-11-10T09:00", observed_end="2026-11-10T09:30")
    assert codes(judge(drifts=[shortened], evidence=[row("10T15:00", "10T15:45")])) == set()


@pytest.mark.parametrize(
    ("changed", "state"),
    [
        ({"kind": "moved"}, "recalled"),
        ({"kind": "relocated"}, "recalled"),
        ({"kind": "made-all-day", "observed_start": None, "observed_end": None}, "recalled"),
        ({"kind": "made-all-day", "observed_start": "2026-11-10", "observed_end": "2026-11-11"}, "review"),
        ({"kind": "moved", "scope": "series"}, "review"),
        ({"kind": "deleted", "observed_start": None}, "review"),
        ({"kind": "duplicated"}, "review"),
        ({"observed_start": "2026-11-10T14:00", "observed_end": "2026-11-10T14:45"}, "review"),
    ],
)
def test_a_filed_session_shown_on_another_date_is_recalled_at_once(changed: dict[str, object], state: str) -> None:
    assert judge(filed=FILED, drifts=[drift(**changed)]).state == state


def test_without_any_calendar_nothing_was_proven_before() -> None:
    assert codes(judge(drifts=[series()], observations=[], policy={"unlinked": "clear"})) == {"drift-open"}


def test_every_reading_of_a_move_must_be_long_enough() -> None:
    record = {"start": "2026-11-01T04:00", "end": "2026-11-01T05:00", "zone": "America/New_York", "code": "90837"}
    into_the_fold = move("x", "x", observed_start="2026-11-01T01:15", observed_end="2026-11-01T02:00")
    answer = judge(record=record, drifts=[into_the_fold], observations=[read("02T08:00")])
    assert codes(answer) == {"drift-unacknowledged"}


@pytest.mark.parametrize(
    "answered",
    [
        {"evidence": [row("10T15:00", "10T15:45")]},
        {"evidence": [row("10T15:00", "10T15:45", source="desk")]},
        {"statements": [word("as-booked", saw=("D-1",))]},
        {"policy": {"acknowledge_reverts": False}},
    ],
)
def test_a_move_that_is_answered_does_not_extend_the_session(answered: dict[str, object]) -> None:
    answer = judge(drifts=[move("14:00", "14:45", detected_at="2026-11-09T15:00:00Z")], **answered)
    assert codes(answer) == set()
    assert "post-session-read" in rules(answer)


def test_an_edit_that_shortens_nothing_takes_no_minutes() -> None:
    attested = word("took-place", start="2026-11-10T09:00", end="2026-11-10T09:45")
    same_length = drift(observed_start="2026-11-11T09:00", observed_end="2026-11-11T09:30")
    answer = judge(record={"end": "2026-11-10T09:30"}, drifts=[same_length], statements=[attested])
    assert codes(answer) == {"drift-open"}
