"""The gate on real books: which rows make which reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from calsync.claims.casebook import open_cases
from calsync.claims.clearing import keep_clearances
from calsync.claims.filing import FiledLine, file_claims
from calsync.claims.gate import Question, judge
from calsync.domain.appointment import Appointment, AppointmentStatus
from calsync.domain.drift import DriftKind, Phase, Resolution
from calsync.store import (
    calendars,
    clearances,
    drifts,
    link_changes,
    observations,
    providers,
    record_changes,
    stops,
)
from calsync.store.calendars import CalendarState
from calsync.store.providers import ProviderRow
from calsync.store.stops import StopRow
from tests.unit.claims.gate_world import DAY, LINKED, NEXT_DAY, NOW, READ, SPAN, GateWorld, codes

HOUR = timedelta(hours=1)


def test_a_session_that_was_read_after_its_end_clears(world: GateWorld) -> None:
    answer = world.check()
    assert (answer.verdict, answer.state, answer.date_of_service) == ("cleared", "cleared", DAY)
    assert answer.evidence


def test_an_unknown_appointment_is_held_beside_known_ones(world: GateWorld) -> None:
    answers = world.gate.check([Question("nobody"), Question("A-1")])
    assert [one.appointment for one in answers] == ["nobody", "A-1"]
    assert codes(answers[0]) == {"unknown-appointment"}
    assert answers[1].verdict == "cleared"


def test_another_date_asked_for_is_held(world: GateWorld) -> None:
    answer = world.check(asked=date(2026, 11, 11))
    assert codes(answer) == {"date-mismatch"}
    assert answer.date_of_service is None


def test_the_same_session_asked_for_with_two_dates_gets_two_answers(world: GateWorld) -> None:
    right, wrong = Question("A-1", DAY), Question("A-1", date(2026, 11, 11))
    assert [one.verdict for one in world.gate.check([wrong, right, wrong])] == ["held", "cleared", "held"]
    with world.db.reading() as conn:
        assert len(clearances.of_appointments(conn, ["A-1"])["A-1"]) == 1


def test_the_same_session_asked_for_twice_is_cleared_once(world: GateWorld) -> None:
    answers = world.gate.check([Question("A-1"), Question("A-1", DAY)])
    assert [one.date_of_service for one in answers] == [DAY, DAY]
    with world.db.reading() as conn:
        assert len(clearances.of_appointments(conn, ["A-1"])["A-1"]) == 1


def test_an_open_drift_holds(world: GateWorld) -> None:
    world.drift()
    world.read(NEXT_DAY, at=READ + HOUR, drift="D-1")
    answer = world.check()
    assert codes(answer) == {"drift-open", "event-differs"}
    assert answer.waiting_on == "provider"


def test_a_cosmetic_drift_holds_nothing(world: GateWorld) -> None:
    world.drift(observed=SPAN, kind=DriftKind.RETITLED)
    assert world.check().verdict == "cleared"


def test_what_was_put_back_when_it_was_answered_wants_another_look(world: GateWorld) -> None:
    late = READ + timedelta(hours=1)
    world.drift(observed=None, detected_at=late)
    world.read(None, at=late, drift="D-1")
    with world.db.transaction() as conn:
        drifts.resolve(conn, "D-1", Resolution.ACKNOWLEDGED, NOW, by="support:ada", accepted=False)
    assert codes(world.check()) == {"event-differs"}
    world.read(at=late + timedelta(hours=1))
    assert world.check().verdict == "cleared"


def test_an_unacknowledged_revert_holds(world: GateWorld) -> None:
    world.drift(phase=Phase.UPCOMING, detected_at=LINKED + HOUR, resolution=Resolution.REVERTED)
    assert codes(world.check()) == {"drift-unacknowledged"}


def test_a_revert_of_the_same_date_only_advises(world: GateWorld) -> None:
    same_day = SPAN.starting(datetime(2026, 11, 10, 14))
    world.drift(observed=same_day, phase=Phase.UPCOMING, detected_at=LINKED + HOUR, resolution=Resolution.REVERTED)
    answer = world.check()
    # The session may have been at 14:00, so a read after that is wanted.
    assert codes(answer) == {"observation-stale"}
    world.read(at=same_day.end_at + HOUR)
    answer = world.check()
    assert answer.verdict == "cleared"
    assert [one.code for one in answer.advisories] == ["time-unconfirmed"]


def test_what_a_person_accepted_counts_as_agreement(world: GateWorld) -> None:
    world.drift()
    world.read(NEXT_DAY, at=READ + HOUR, drift="D-1")
    with world.db.transaction() as conn:
        drifts.resolve(conn, "D-1", Resolution.ACKNOWLEDGED, NOW, by="support:ada", accepted=True)
    assert world.check().verdict == "cleared"


def test_an_answer_about_another_state_of_the_record_is_no_agreement(world: GateWorld) -> None:
    world.drift()
    world.read(NEXT_DAY, at=READ + HOUR, drift="D-1")
    with world.db.transaction() as conn:
        drifts.resolve(conn, "D-1", Resolution.ACKNOWLEDGED, NOW, by="support:ada", accepted=True)
    world.book(span=SPAN.starting(datetime(2026, 11, 9, 9)))
    assert "event-differs" in codes(world.check())


def test_a_difference_that_no_drift_explains_holds(world: GateWorld) -> None:
    world.read(None, at=READ + HOUR)
    assert codes(world.check()) == {"event-differs"}


def test_a_reading_is_judged_against_the_record_as_it_is_now(world: GateWorld) -> None:
    world.book(span=NEXT_DAY)
    world.clock.advance(timedelta(days=1))
    assert "event-differs" in codes(world.check())
    world.read(NEXT_DAY, at=NEXT_DAY.end_at + HOUR)
    answer = world.check()
    assert (answer.verdict, answer.date_of_service) == ("cleared", date(2026, 11, 11))


def test_the_same_instant_in_another_zone_agrees(world: GateWorld) -> None:
    world.read(SPAN.between(SPAN.start_at, SPAN.end_at, "Europe/Berlin"), at=READ + HOUR)
    assert world.check().verdict == "cleared"


def test_without_a_reading_it_was_never_observed(world: GateWorld) -> None:
    world.book("A-2", client="C-2")
    world.link(number="A-2")
    answer = world.check("A-2")
    assert codes(answer) == {"never-observed"}
    assert answer.waiting_on == "system"


def test_a_link_that_was_never_written_was_never_observed(world: GateWorld) -> None:
    world.book("A-2", client="C-2")
    world.link(number="A-2", at=None)
    assert codes(world.check("A-2")) == {"never-observed"}


def test_a_session_without_its_link_yet_was_never_observed(world: GateWorld) -> None:
    world.book("A-2", client="C-2")
    assert codes(world.check("A-2")) == {"never-observed"}


def test_a_reading_before_the_end_is_stale_and_says_when_the_next_is_due(world: GateWorld) -> None:
    due = NOW + HOUR
    world.book("A-2", client="C-2")
    link = world.link(number="A-2")
    world.read(number="A-2", at=SPAN.start_at, after_end=False)
    with world.db.transaction() as conn:
        link_changes.set_read_after(conn, link, due)
    answer = world.check("A-2")
    assert codes(answer) == {"observation-stale"}
    assert answer.next_step_at == due


def test_an_event_that_was_written_after_the_session_proves_nothing(world: GateWorld) -> None:
    world.book("A-2", client="C-2")
    world.link(number="A-2", at=SPAN.end_at + HOUR)
    world.read(number="A-2", at=READ + 2 * HOUR, linked_at=SPAN.end_at + HOUR)
    assert codes(world.check("A-2")) == {"observation-stale"}
    world.configure(backfilled="clear")
    assert world.check("A-2").verdict == "cleared"


def test_a_calendar_linked_after_the_session_does_not_unprove_it(world: GateWorld) -> None:
    world.add_calendar("K-2")
    world.link("K-2", at=SPAN.end_at + HOUR)
    assert world.check().verdict == "cleared"


def test_two_calendars_must_agree(world: GateWorld) -> None:
    world.add_calendar("K-2")
    world.link("K-2")
    world.read(NEXT_DAY, calendar="K-2")
    assert codes(world.check()) == {"calendars-disagree"}


def test_a_calendar_that_only_shows_busy_time_does_not_count(world: GateWorld) -> None:
    world.add_calendar("K-2", mode="busy")
    world.link("K-2")
    assert world.check().verdict == "cleared"


def test_a_calendar_removed_before_the_session_does_not_count(world: GateWorld) -> None:
    world.add_calendar("K-2")
    world.link("K-2")
    with world.db.transaction() as conn:
        calendars.remove(conn, "K-2", SPAN.start_at - HOUR)
    assert world.check().verdict == "cleared"


def test_a_calendar_removed_after_the_session_goes_on_counting(world: GateWorld) -> None:
    world.add_calendar("K-2")
    world.link("K-2")
    world.read(NEXT_DAY, calendar="K-2")
    with world.db.transaction() as conn:
        calendars.remove(conn, "K-2", NOW)
    assert "calendars-disagree" in codes(world.check())


@pytest.mark.parametrize("state", [CalendarState.NEEDS_RECONNECT, CalendarState.UNREACHABLE])
def test_an_unreachable_calendar_holds_what_is_not_proven(world: GateWorld, state: CalendarState) -> None:
    world.book("A-2", client="C-2")
    world.link(number="A-2")
    with world.db.transaction() as conn:
        calendars.set_state(conn, "K-1", state, "refused", NOW)
    assert codes(world.check("A-2")) == {"never-observed", "calendar-unreachable"}
    assert world.check("A-1").verdict == "cleared"


def test_a_stop_holds_what_it_touched_and_what_was_not_proven_before(world: GateWorld) -> None:
    world.book("A-2", client="C-2")
    world.link(number="A-2")
    world.read(number="A-2")
    with world.db.transaction() as conn:
        calendars.set_state(conn, "K-1", CalendarState.STOPPED, "many events", NOW)
        stops.start(conn, StopRow("S-1", "K-1", NOW - HOUR, "stampede", {}, ("A-2",)))
    assert world.check("A-1").verdict == "cleared"
    assert codes(world.check("A-2")) == {"calendar-stopped"}


def test_a_pause_holds_what_was_not_proven_before(world: GateWorld) -> None:
    world.book("A-2", client="C-2")
    world.link(number="A-2")
    with world.db.transaction() as conn:
        calendars.set_state(conn, "K-1", CalendarState.PAUSED, None, NOW)
    assert world.check("A-1").verdict == "cleared"
    assert codes(world.check("A-2")) == {"calendar-stopped", "never-observed"}


def test_a_provider_without_any_calendar_is_held_until_declared(world: GateWorld) -> None:
    declared = ProviderRow("P-2", "Bo Example", "bo@example.org", "America/Chicago")
    with world.db.transaction() as conn:
        providers.put(conn, declared)
    world.book("A-2", provider="P-2", client="C-2")
    assert codes(world.check("A-2")) == {"no-linked-calendar"}
    with world.db.transaction() as conn:
        none = replace(declared, calendars="none", calendars_reason="paper diary", calendars_since=date(2026, 11, 1))
        providers.put(conn, none)
    answer = world.check("A-2")
    assert answer.verdict == "cleared"
    assert [one.code for one in answer.advisories] == ["no-calendar-declared"]


def test_an_imports_default_is_no_persons_word_where_there_is_no_calendar(world: GateWorld) -> None:
    with world.db.transaction() as conn:
        providers.put(
            conn,
            ProviderRow(
                "P-2",
                "Bo Example",
                "bo@example.org",
                "America/Chicago",
                calendars="none",
                calendars_reason="paper diary",
                calendars_since=date(2026, 11, 1),
            ),
        )
        one = Appointment("A-2", "P-2", "C-2", SPAN, status=AppointmentStatus.COMPLETED)
        record_changes.put_appointment(conn, one, now=NOW, actor="import", action="import", completed_by="import")
    assert codes(world.check("A-2")) == {"not-completed"}


def test_a_record_that_is_missing_from_its_source_holds(world: GateWorld) -> None:
    with world.db.transaction() as conn:
        record_changes.set_missing(conn, ["A-1"], NOW)
    assert codes(world.check()) == {"not-completed"}
    with world.db.transaction() as conn:
        record_changes.found_again(conn, ["A-1"])
    assert world.check().verdict == "cleared"


@pytest.mark.parametrize("status", ["cancelled", "late-cancelled", "no-show"])
def test_what_did_not_take_place_is_not_billable(world: GateWorld, status: str) -> None:
    world.book(status=AppointmentStatus(status))
    answer = world.check()
    assert (answer.verdict, codes(answer)) == ("not-billable", {status})


def test_the_same_client_and_code_twice_a_day_looks_like_a_duplicate(world: GateWorld) -> None:
    world.book("A-2", span=SPAN.starting(datetime(2026, 11, 10, 15)))
    assert "same-day-same-code" in codes(world.check())


def test_a_couples_second_claim_is_billed_already(world: GateWorld) -> None:
    world.book("A-1", session="S-1")
    world.book("A-2", session="S-1", client="C-2")
    world.link(number="A-2")
    world.read(number="A-2")
    file_claims(world.gate, [FiledLine(appointment="A-1")], by="support:ada")
    assert codes(world.check("A-2")) == {"session-already-billed"}


def test_observe_mode_clears_and_says_what_would_have_held(world: GateWorld) -> None:
    world.drift()
    world.read(NEXT_DAY, at=READ + HOUR, drift="D-1")
    world.observe()
    answer = world.check()
    assert (answer.verdict, answer.date_of_service, codes(answer)) == ("cleared", DAY, set())
    assert {str(one.code) for one in answer.advisories} == {"drift-open", "event-differs"}
    with world.db.reading() as conn:
        assert clearances.of_appointments(conn, ["A-1"]) == {}


def test_observe_mode_still_refuses_another_date(world: GateWorld) -> None:
    world.observe()
    assert codes(world.check(asked=date(2026, 11, 11))) == {"date-mismatch"}


def test_filing_limits_are_the_payers(world: GateWorld) -> None:
    world.drift()
    world.configure(timely_filing_days={"insurance": 30, "default": 90})
    assert world.check().file_by == DAY + timedelta(days=30)


def test_a_yes_is_kept_once_until_something_changes(world: GateWorld) -> None:
    world.check()
    world.clock.advance(HOUR)
    world.check()
    world.drain()
    world.check()
    with world.db.reading() as conn:
        (kept,) = clearances.of_appointments(conn, ["A-1"])["A-1"]
    assert (kept.date, kept.code, kept.issued_at, kept.ended_at) == (DAY, "90834", NOW, None)
    world.read(at=NOW)
    world.check()
    with world.db.reading() as conn:
        first, second = clearances.of_appointments(conn, ["A-1"])["A-1"]
    assert (first.ended_at, second.ended_at) == (world.clock.now(), None)


def test_thinned_books_are_read_in_utc(world: GateWorld) -> None:
    with world.db.reading() as conn:
        (row,) = observations.of_appointments(conn, ["A-1"])["A-1"]
    assert row.read_at.tzinfo is UTC


def test_who_asks_at_the_same_time_is_told_of_one_clearance(world: GateWorld) -> None:
    gate = world.gate
    with world.db.reading() as conn:
        (file,) = open_cases(conn, ["A-1"], gate.rules(), world.clock.now())
    answer = judge(file, world.clock.now())
    kept = []
    for _ in range(2):
        # Both have read the books before either has written.
        with world.db.transaction() as conn:
            kept.append(keep_clearances(conn, [(file, answer)], world.clock.now(), world.ids))
    assert kept == [["A-1"], []]
    with world.db.reading() as conn:
        assert len(clearances.of_appointments(conn, ["A-1"])["A-1"]) == 1
