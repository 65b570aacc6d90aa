"""Edges of what linked calendars prove (claims sheet, 11, rules 7 and 8; rulings R-20, R-32)."""

import pytest

from tests.unit.claims.cases import advised, codes, judge, move, read, row, rules, word


@pytest.mark.parametrize(("at", "held"), [("10T15:47:00", {"observation-stale"}), ("10T15:47:01", set())])
def test_the_read_begins_after_end_and_settle(at: str, held: set[str]) -> None:
    assert codes(judge(observations=[read(at)], policy={"settle": "2m"})) == held


@pytest.mark.parametrize(
    ("given", "end"),
    [
        ({"evidence": [row("10T15:00", "10T15:50", source="desk")]}, "10T15:50:00"),
        ({"statements": [word("took-place", start="2026-11-10T09:00", end="2026-11-10T10:00")]}, "10T16:00:00"),
        ({"drifts": [move("09:10", "09:55")]}, "10T15:55:00"),
    ],
)
def test_the_session_ends_with_the_latest_end_that_is_possible(given: dict[str, object], end: str) -> None:
    assert codes(judge(**given, observations=[read(end)])) == {"observation-stale"}
    assert (
        codes(
            judge(
                **given,
                observations=[
                    read(end.replace(":00:00", ":00:01").replace(":50:00", ":50:01").replace(":55:00", ":55:01"))
                ],
            )
        )
        == set()
    )


def test_an_edit_that_was_not_let_pass_does_not_extend_the_session() -> None:
    answer = judge(drifts=[move("14:00", "14:30")], observations=[read("10T16:00")])
    assert codes(answer) == {"drift-unacknowledged"}


def test_a_read_from_the_future_proves_nothing() -> None:
    assert codes(judge(observations=[read("12T16:05")])) == {"observation-stale"}


def test_later_outages_change_nothing() -> None:
    assert codes(judge(observations=[read("10T16:05"), read("10T17:00", "failed")])) == set()


def test_failures_before_the_last_good_read_are_over() -> None:
    assert codes(judge(observations=[read("10T14:00", "failed"), read("10T15:00")])) == {"observation-stale"}


def test_a_calendar_that_only_ever_failed_is_unreachable_and_never_observed() -> None:
    assert codes(judge(observations=[read("10T16:00", "failed")])) == {"never-observed", "calendar-unreachable"}


def test_the_latest_read_counts() -> None:
    assert codes(judge(observations=[read("10T17:00"), read("10T16:05", "differs")])) == set()
    assert codes(judge(observations=[read("10T17:00", "absent"), read("10T16:05")])) == {"event-differs"}


def test_of_two_reads_of_one_instant_the_differing_one_counts() -> None:
    rows = [read("10T17:00", "differs"), read("10T17:00")]
    assert codes(judge(observations=rows)) == codes(judge(observations=rows[::-1])) == {"event-differs"}


def test_calendars_disagree_when_another_one_agrees() -> None:
    rows = [read("10T17:00"), read("10T17:00", "differs", "cal-2")]
    answer = judge(observations=rows)
    assert (codes(answer), answer.waiting_on) == ({"calendars-disagree"}, "provider")
    assert codes(judge(observations=[read("10T17:00", "absent"), rows[1]])) == {"event-differs"}


def test_every_linked_calendar_is_asked() -> None:
    assert codes(judge(observations=[read("10T17:00"), read(None, "never", "cal-2")])) == {"never-observed"}


def test_a_calendar_that_is_only_due_to_be_read_is_linked() -> None:
    assert codes(judge(next_reads={"cal-2": "2026-11-11T13:00:00Z"})) == {"never-observed"}


@pytest.mark.parametrize(
    ("proof", "stop", "touched", "held"),
    [
        ("10T16:05", "10T17:00", False, set()),
        ("10T16:05", "10T17:00", True, {"calendar-stopped"}),
        ("10T16:05", "10T17:00", None, {"calendar-stopped"}),
        ("10T17:00", "10T17:00", False, {"calendar-stopped"}),
        ("10T15:45", "10T17:00", False, {"calendar-stopped", "observation-stale"}),
        ("10T16:05", None, False, {"calendar-stopped"}),
    ],
)
def test_a_standing_stop_leaves_only_older_untouched_proof(
    proof: str, stop: str, touched: bool | None, held: set[str]
) -> None:
    rows = [read(proof), read(stop, "stopped", touched=touched)]
    assert codes(judge(observations=rows)) == held


def test_what_shows_after_the_stop_belongs_to_the_stop() -> None:
    stop = read("10T17:00", "stopped", touched=False)
    assert codes(judge(observations=[read("10T16:05"), stop, read("10T18:00", "absent")])) == set()
    assert codes(judge(observations=[read("10T16:05", "absent"), stop])) == {"calendar-stopped", "event-differs"}


def test_one_touching_stop_among_several_is_enough() -> None:
    stops = [read("10T17:00", "stopped", touched=False), read("10T18:00", "stopped", touched=True)]
    assert codes(judge(observations=[read("10T16:05"), *stops])) == {"calendar-stopped"}


def test_reads_not_required_still_shows_differences_and_stops() -> None:
    lax = {"require_observation_after_session": False}
    for rows in ([], [read(None, "never")], [read("10T15:00"), read("10T16:00", "failed")]):
        assert codes(judge(observations=rows, policy=lax)) == set()
    assert codes(judge(observations=[read("10T15:00", "stopped")], policy=lax)) == {"calendar-stopped"}


@pytest.mark.parametrize(
    "declared",
    [
        {"calendars": "none", "reason": "", "since": "2026-01-05"},
        {"calendars": "none", "reason": "paper"},
        {"calendars": "none", "reason": "paper", "since": "2026-11-11"},
        {"calendars": "some", "reason": "paper", "since": "2026-01-05"},
    ],
)
def test_a_declaration_needs_reason_and_a_date_before_the_session(declared: dict[str, str]) -> None:
    assert codes(judge(observations=[], provider=declared)) == {"no-linked-calendar"}


DECLARED = {"calendars": "none", "reason": "paper", "since": "2026-11-10"}


def test_a_declaration_holds_from_its_own_day_and_ends_with_a_link() -> None:
    assert codes(judge(observations=[], provider=DECLARED)) == set()
    assert codes(judge(observations=[read(None, "never")], provider=DECLARED)) == {"never-observed"}
    assert advised(judge(provider=DECLARED)) == set()


def test_without_calendars_a_person_must_have_completed_the_session() -> None:
    unsaid = {"completed_by_person": False}
    assert codes(judge(observations=[], provider=DECLARED, record=unsaid)) == {"not-completed"}
    assert (
        codes(judge(observations=[], provider=DECLARED, record=unsaid, evidence=[row("10T15:00", "10T15:45")])) == set()
    )
    assert codes(judge(record=unsaid)) == set()


@pytest.mark.parametrize(
    ("confirmed", "held"),
    [("2026-11-10T14:59:59Z", set()), ("2026-11-10T15:00:00Z", {"observation-stale"}), (None, {"observation-stale"})],
)
def test_an_event_written_after_the_session_began_proves_nothing(confirmed: str | None, held: set[str]) -> None:
    rows = [read("10T16:05", confirmed_at=confirmed)]
    answer = judge(observations=rows)
    assert codes(answer) == held
    assert answer.waiting_on == ("support" if held else None)
    assert codes(judge(observations=rows, policy={"backfilled": "clear"})) == set()


@pytest.mark.parametrize(
    ("written", "held"), [("2026-11-10T16:05:00Z", set()), ("2026-11-10T16:05:01Z", {"observation-stale"})]
)
def test_the_read_must_not_be_older_than_the_last_write(written: str, held: set[str]) -> None:
    answer = judge(observations=[read("10T16:05", written_at=written)])
    assert codes(answer) == held
    assert answer.waiting_on == ("system" if held else None)


def test_a_backfilled_event_that_differs_still_differs() -> None:
    answer = judge(observations=[read("10T16:05", "differs", confirmed_at=None)])
    assert codes(answer) == {"observation-stale", "event-differs"}


def test_the_rules_that_opened_the_gate_are_named() -> None:
    assert "reads-not-required" in rules(judge(observations=[], policy={"require_observation_after_session": False}))
    assert "post-session-read" not in rules(judge(observations=[read("10T15:00")]))


def test_proof_must_be_older_than_the_first_of_several_stops() -> None:
    stops = [read("10T16:00", "stopped", touched=False), read("10T17:00", "stopped", touched=False)]
    assert codes(judge(observations=[read("10T16:30"), *stops])) == {"calendar-stopped"}


def test_a_declaration_must_hold_on_every_date_that_is_possible() -> None:
    late = {"start": "2026-11-10T23:30", "end": "2026-11-11T00:15"}
    answer = judge(record=late, observations=[], provider={**DECLARED, "since": "2026-11-11"})
    assert codes(answer) == {"crosses-midnight", "no-linked-calendar"}


def test_the_log_goes_before_the_practices_leniency() -> None:
    lax = {"require_observation_after_session": False}
    answer = judge(observations=[read(None, "never")], evidence=[row("10T15:00", "10T15:45")], policy=lax)
    assert "log-proves" in rules(answer)
    assert "reads-not-required" not in rules(answer)


def test_a_complete_proof_stays_complete_when_the_event_is_written_anew() -> None:
    anew = read("10T17:00", confirmed_at="2026-11-10T16:30:00Z")
    assert codes(judge(observations=[read("10T16:05"), anew])) == set()
    assert codes(judge(observations=[read("10T16:05", "differs"), anew])) == {"observation-stale"}


def test_every_read_of_the_latest_instant_must_be_explained() -> None:
    accepted = {"id": "D-1", "kind": "moved", "phase": "past", "resolution": "acknowledged"}
    rows = [read("10T17:00", "differs", drift="D-1"), read("10T17:00", "absent")]
    assert codes(judge(drifts=[accepted], observations=rows)) == {"event-differs"}


def test_the_session_begins_with_its_earliest_reading() -> None:
    record = {"start": "2026-11-01T01:15", "end": "2026-11-01T02:00", "zone": "America/New_York"}
    rows = [{**read("01T08:00"), "confirmed_at": "2026-11-01T05:30:00Z"}]
    assert codes(judge(record=record, observations=rows)) == {"observation-stale"}


def test_a_calendar_that_was_disconnected_says_what_to_do_in_place_of_when_it_is_read() -> None:
    for rows in ([read("10T08:00", removed=True)], [{"calendar": "cal-1", "result": "never", "removed": True}]):
        (reason,) = judge(observations=rows).reasons
        assert reason.waiting_on == "support"
        assert "connect it again, or import the session's log" in reason.text
