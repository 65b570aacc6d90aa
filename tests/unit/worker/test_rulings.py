"""Rulings as a whole pass keeps them: what is held, asked, kept and released."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from calsync.answers.edits import resolve_drift
from calsync.answers.words import Answer, Desk, Word
from calsync.domain.appointment import AppointmentStatus
from calsync.domain.drift import Disposition, DriftKind, Resolution
from calsync.reports.build import Scope
from calsync.reports.gather import gather
from calsync.settings.model import Settings
from calsync.store import drifts, holds, observations, outbox, providers, record_changes, stops
from calsync.store.calendars import CalendarState, set_state
from calsync.store.providers import ProviderRow
from calsync.testing.personality import CALDAV_CTAG, CALDAV_SOGO, GOOGLE, GRAPH
from calsync.testing.weather import Fault, FaultKind
from tests.unit.worker.world import POLICY, World


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.fixture
def world() -> World:
    return World()


def mails(world: World) -> list[str]:
    with world.database.reading() as conn:
        return [item.kind for item in outbox.due(conn, world.clock.now() + timedelta(days=1), 100)]


def held(world: World, appointment: str) -> bool:
    with world.database.reading() as conn:
        return any(hold.closed_at is None for hold in holds.of_appointments(conn, [appointment]).get(appointment, []))


class TestHoldsAndMails:
    def test_the_hold_and_the_mail_are_there_before_anything_is_written(self, world: World) -> None:
        world.book("4821", "2026-11-24T10:00")
        world.run()
        world.people.drag(world.only(), timedelta(hours=4))
        world.run()
        assert held(world, "4821")
        assert mails(world) == ["edit-reverted"]

    def test_a_dragged_series_is_one_edit_and_one_mail(self, world: World) -> None:
        world.book_series("S-1", "2026-10-20T10:00", "FREQ=WEEKLY;COUNT=12", 12)
        world.run()
        world.people.drag_series(world.only(), timedelta(hours=1))
        world.run()
        assert len({drift.edit for drift in world.drifts()}) == 1
        assert len(world.drifts()) == 12
        assert len(mails(world)) == 1

    def test_what_is_edited_further_after_it_was_answered_is_held_again(self, world: World) -> None:
        world.book("4821", "2026-11-24T10:00")
        world.run()
        world.people.answer(world.only(), "declined")
        world.run()
        [drift] = world.drifts()
        with world.database.transaction() as conn:
            holds.close_hold(conn, drift.id, world.clock.now())
        world.people.drag(world.only(), timedelta(hours=4))
        world.run()
        assert [one.kind for one in world.drifts()] == [DriftKind.MOVED]
        assert held(world, "4821")

    def test_observe_mode_records_and_does_nothing_else(self, world: World) -> None:
        world.settle(observe_only=True)
        world.book("4821", "2026-11-24T10:00")
        world.run()
        world.people.drag(world.only(), timedelta(hours=4))
        world.run()
        world.later(hours=1)
        world.run()
        assert world.shown()[world.only()].start == wall("2026-11-24T14:00")
        assert [drift.disposition for drift in world.drifts()] == [Disposition.WOULD_REVERT]
        assert not held(world, "4821")
        assert mails(world) == []


class TestFights:
    def test_the_same_drag_again_after_a_revert_is_meant(self, world: World) -> None:
        world.book("4821", "2026-11-24T10:00")
        world.run()
        for _ in range(2):
            world.people.drag(world.only(), timedelta(hours=4))
            world.run()
            world.later(minutes=3)
            world.run()
        assert world.shown()[world.only()].start == wall("2026-11-24T14:00")
        assert [drift.resolution for drift in world.drifts()] == [Resolution.REVERTED, Resolution.OPEN]
        assert world.drifts()[1].disposition is Disposition.FLAG


class TestLostAnswers:
    def put_back_unheard(self, world: World) -> None:
        """Somebody shortened the session; it is put back, and the answer to that is lost."""
        world.settle(revert_limit=1)
        world.book("4821", "2026-11-24T10:00")
        world.run()
        world.people.resize(world.only(), timedelta(minutes=-20))
        world.run()
        world.later(minutes=3)
        world.service.weather.next("write", Fault(FaultKind.ANSWER_LOST))
        assert world.run().state == "unreachable"
        world.later(minutes=5)
        world.run()

    def test_an_edit_put_back_by_a_write_without_an_answer_still_waits_for_a_persons_answer(self, world: World) -> None:
        self.put_back_unheard(world)
        [drift] = world.drifts()
        assert drift.resolution is Resolution.REVERTED
        assert held(world, "4821")
        with world.database.reading() as conn:
            assert drifts.answers(conn, [drift.id])[drift.id].resolved_by is None

    def test_putting_back_by_a_write_without_an_answer_counts_towards_the_limit(self, world: World) -> None:
        self.put_back_unheard(world)
        world.people.drag(world.only(), timedelta(hours=2))
        world.run()
        assert [drift.disposition for drift in world.drifts()] == [Disposition.REVERT, Disposition.FLAG]

    def test_a_write_that_met_its_own_double_put_the_edit_back_all_the_same(self, world: World) -> None:
        world.settle(settle=timedelta(0))
        world.book("4821", "2026-11-24T10:00")
        world.run()
        world.people.drag(world.only(), timedelta(hours=2))
        world.service.weather.next("write", Fault(FaultKind.DOUBLED))
        world.run()
        assert world.shown()[world.only()].start == wall("2026-11-24T10:00")
        assert [drift.resolution for drift in world.drifts()] == [Resolution.REVERTED]

    def test_an_event_made_unheard_is_found_by_its_name_though_its_marker_is_gone(self) -> None:
        world = World(GRAPH)
        world.book("4821", "2026-11-24T10:00")
        world.service.weather.next("write", Fault(FaultKind.ANSWER_LOST))
        world.run()
        world.people.strip_marker(world.only())
        world.later(minutes=5)
        world.run()
        assert len(world.people.ids()) == 1
        quiet = world.run()
        assert (quiet.requests, quiet.written) == (1, 0)

    def test_what_was_made_unheard_is_not_made_again_before_it_was_read(self) -> None:
        # SOGo would put it over whatever somebody made of it.
        world = World(CALDAV_SOGO)
        world.book("4821", "2026-11-24T10:00")
        world.service.weather.next("write", Fault(FaultKind.ANSWER_LOST))
        world.run()
        world.people.recolour(world.only(), "red")
        hers = world.people.see(world.only())
        world.later(minutes=5)
        world.service.weather.next("read", Fault(FaultKind.READ_UNKNOWN))
        assert world.run().written == 0
        world.later(minutes=2)
        world.run()
        assert world.people.see(world.only()) == hers

    @pytest.mark.parametrize("fault", [FaultKind.UNKNOWN_DONE, FaultKind.UNKNOWN_UNDONE])
    def test_a_write_of_unknown_effect_is_looked_at_before_it_goes_out_again(self, fault: FaultKind) -> None:
        world = World(CALDAV_SOGO)
        world.book("4821", "2026-11-24T10:00")
        world.service.weather.next("write", Fault(fault))
        world.run()
        made = [change for state in world.service.calendars.values() for change in state.journal]
        assert len(made) == len(world.people.ids()) == 1

    def test_what_a_person_had_restored_is_answered_though_the_calendar_never_did(self, world: World) -> None:
        world.settle(revert_limit=0)
        world.book("4821", "2026-11-24T10:00")
        world.run()
        world.people.drag(world.only(), timedelta(hours=2))
        world.run()
        [drift] = world.drifts()
        assert drift.disposition is Disposition.FLAG
        desk = Desk(world.database, Settings(path=Path("calsync.toml")), world.clock, world.ids)
        resolve_drift(desk, drift.id, Word(answer=Answer.RESTORE, by="support:test"))
        world.service.weather.next("write", Fault(FaultKind.ANSWER_LOST))
        world.run()
        world.later(minutes=5)
        world.run()
        assert world.shown()[world.only()].start == wall("2026-11-24T10:00")
        assert [drift.resolution for drift in world.drifts()] == [Resolution.ACKNOWLEDGED]


class TestMixedSeries:
    def test_past_sessions_are_evidence_and_coming_ones_go_back(self, world: World) -> None:
        world.book_series("S-1", "2026-10-20T10:00", "FREQ=WEEKLY;COUNT=12", 12)
        world.run()
        world.people.drag_series(world.only(), timedelta(hours=1))
        world.run()
        world.later(minutes=3)
        world.run()
        assert world.people.see(world.only()).event.master.span.start == wall("2026-10-20T10:00")
        words = {(drift.phase.value, drift.resolution.value) for drift in world.drifts()}
        assert words == {("past", "open"), ("upcoming", "reverted")}
        assert all(drift.mixed for drift in world.drifts())


class TestRecordsAndEdits:
    def test_a_record_change_goes_out_at_once_and_the_edit_beside_it_is_put_back_later(self, world: World) -> None:
        made = world.book_series("S-1", "2026-11-17T10:00", "FREQ=WEEKLY;COUNT=6", 6)
        world.run()
        world.people.drag_occurrence(world.only(), made[2].span.start_at, timedelta(hours=3))
        world.run()
        world.put(replace(made[4], status=AppointmentStatus.CANCELLED))
        assert world.run().written == 1
        event = world.people.see(world.only()).event
        assert event.recurrence is not None
        assert made[4].span.start_at in event.recurrence.excluded
        assert [one.original_start for one in event.overrides] == [made[2].span.start_at]
        world.later(minutes=3)
        world.run()
        assert world.people.see(world.only()).event.overrides == ()
        assert [drift.resolution for drift in world.drifts()] == [Resolution.REVERTED]

    def test_a_record_that_follows_the_drag_ends_the_edit_without_a_write(self, world: World) -> None:
        world.book("4821", "2026-11-24T10:00")
        world.run()
        world.people.drag(world.only(), timedelta(hours=4))
        world.run()
        world.book("4821", "2026-11-24T14:00")
        assert world.run().written == 0
        assert [drift.resolution for drift in world.drifts()] == [Resolution.RECORD_CORRECTED]
        assert world.run().requests == 1

    def test_a_session_given_to_another_provider_leaves_the_first_ones_calendar(self, world: World) -> None:
        one = world.book("4821", "2026-11-24T10:00")
        world.run()
        with world.database.transaction() as conn:
            providers.put(conn, ProviderRow("P-2", "Dr. Other", "p2@example.org", "America/New_York"))
            record_changes.put_appointment(
                conn,
                replace(one, provider="P-2"),
                now=world.clock.now(),
                actor="support:x",
                action="move",
                origin="book",
            )
        world.run()
        assert world.people.ids() == []
        assert world.drifts() == []


class TestOwedWrites:
    def test_a_session_cancelled_before_its_event_was_made_never_appears(self, world: World) -> None:
        world.book("4821", "2026-11-24T10:00")
        world.run(only_record=True)
        world.book("4821", "2026-11-24T10:00", status="cancelled")
        assert world.run().written == 0
        assert world.people.ids() == []


class TestUnreadable:
    def test_an_event_that_is_readable_again_under_its_old_version_is_news(self, world: World) -> None:
        world.book("4821", "2026-11-24T10:00")
        world.run()
        world.people.break_event(world.only())
        world.run()
        world.book("4821", "2026-11-24T12:00")
        assert world.run().written == 0
        world.people.put_back(world.only())
        world.run()
        world.run()
        assert world.shown()[world.only()].start == wall("2026-11-24T12:00")

    def test_one_that_came_back_so_is_never_taken_for_what_it_was(self) -> None:
        world = World(CALDAV_CTAG)
        world.book("4821", "2026-11-24T10:00")
        world.run()
        name = world.only()
        world.people.delete(name)
        world.run()
        world.people.put_back(name)
        world.people.break_event(name)
        world.run()
        world.book("4821", "2026-11-24T10:00", status="cancelled")
        for _ in range(3):
            world.run(full=True)
        assert world.people.see(name).unreadable


class TestStops:
    def wipe(self, world: World) -> None:
        for number in range(8):
            world.book(f"A-{number}", f"2026-11-{18 + number}T10:00")
        world.run()
        world.people.wipe()
        world.run()
        assert world.row().state == "stopped"

    def release(self, world: World, as_: str) -> None:
        with world.database.transaction() as conn:
            stops.release(conn, "work", world.clock.now(), as_, "support:test")
            set_state(conn, "work", CalendarState.ACTIVE, None, world.clock.now())

    def test_released_as_restore_everything_is_back_and_nobody_is_asked(self, world: World) -> None:
        self.wipe(world)
        self.release(world, "restore")
        world.run()
        assert len(world.people.ids()) == 8
        assert {drift.resolution for drift in world.drifts()} == {Resolution.ACKNOWLEDGED}
        assert mails(world) == ["calendar-stopped"]
        assert world.run().requests == 1

    def test_released_as_restore_under_new_names_nobody_is_asked_either(self) -> None:
        world = World(GOOGLE)
        self.wipe(world)
        self.release(world, "restore")
        world.run()
        assert len(world.people.ids()) == 8
        assert {drift.resolution for drift in world.drifts()} == {Resolution.ACKNOWLEDGED}
        assert mails(world) == ["calendar-stopped"]

    def test_released_as_restore_copies_are_taken_away_and_nobody_is_asked_about_them(self, world: World) -> None:
        for number in range(4):
            world.book(f"A-{number}", f"2026-11-{18 + number}T10:00")
        world.run()
        for name in world.people.ids():
            for hours in (1, 2, 3):
                world.people.duplicate(name, timedelta(hours=hours))
        assert world.run().state == "stopped"
        self.release(world, "restore")
        world.run()
        assert len(world.people.ids()) == 4
        told = [drift.id for drift in world.drifts()]
        with world.database.reading() as conn:
            answers = drifts.answers(conn, told)
        assert len(answers) == 12
        assert all(one.resolved_by is not None for one in answers.values())
        assert not any(held(world, f"A-{number}") for number in range(4))
        assert mails(world) == ["calendar-stopped"]

    def test_released_as_restore_an_edit_that_was_no_part_of_it_is_asked_about(self, world: World) -> None:
        made = world.book_series("S-1", "2026-11-17T10:00", "FREQ=WEEKLY;COUNT=6", 6)
        world.run()
        series = world.only()
        for number in range(8):
            world.book(f"A-{number}", f"2026-11-{18 + number}T10:00")
        world.run()
        world.people.drag_occurrence(series, made[2].span.start_at, timedelta(hours=3))
        for name in world.people.ids():
            if name != series:
                world.people.delete(name)
        assert world.run().state == "stopped"
        self.release(world, "restore")
        world.run()
        assert held(world, "S-1-2")
        assert mails(world) == ["calendar-stopped", "edit-reverted"]

    def test_released_as_edits_they_are_recorded_and_put_back_by_policy(self, world: World) -> None:
        self.wipe(world)
        self.release(world, "edits")
        world.run()
        assert {drift.kind for drift in world.drifts()} == {DriftKind.DELETED}
        world.later(minutes=3)
        world.run()
        assert len(world.people.ids()) == 8
        assert {drift.resolution for drift in world.drifts()} == {Resolution.REVERTED}

    def test_released_as_edits_it_goes_on_though_the_service_tells_of_them_again(self) -> None:
        world = World(CALDAV_CTAG)
        self.wipe(world)
        self.release(world, "edits")
        world.book("A-9", "2026-12-20T10:00")
        world.run()
        world.later(minutes=3)
        assert world.run().state == "active"
        assert len(world.people.ids()) == 9

    def test_a_single_deletion_after_a_release_does_not_stop_it_again(self, world: World) -> None:
        self.wipe(world)
        self.release(world, "restore")
        world.run()
        world.people.delete(world.people.ids()[0])
        assert world.run().state == "active"


class TestBooks:
    def test_lost_books_find_their_events_by_their_markers(self, world: World) -> None:
        for number in range(5):
            world.book(f"A-{number}", f"2026-11-{18 + number}T10:00")
        world.run()
        ids = world.people.ids()
        again = World()
        again.service, again.people = world.service, world.people
        again.opener.service = world.service
        for number in range(5):
            again.book(f"A-{number}", f"2026-11-{18 + number}T10:00")
        assert again.run().written == 0
        assert world.people.ids() == ids
        assert again.drifts() == []

    def test_lost_books_take_for_ours_what_stands_under_our_name_and_tell_of_the_copy_beside_it(
        self, world: World
    ) -> None:
        world.book("A-1", "2026-11-18T10:00")
        world.run()
        own = world.only()
        world.people.duplicate(own, timedelta(hours=-2))
        world.people.drag(own, timedelta(hours=1))
        again = World()
        again.service, again.people = world.service, world.people
        again.opener.service = world.service
        again.book("A-1", "2026-11-18T10:00")
        again.run()
        assert sorted(str(drift.kind) for drift in again.drifts()) == ["duplicated", "moved"]
        again.clock.advance(POLICY.settle)
        again.run()
        assert world.people.ids() == [own]

    def test_a_typed_title_is_kept_in_the_calendar_and_nowhere_else(self, world: World) -> None:
        made = world.book_series("S-1", "2026-11-17T10:00", "FREQ=WEEKLY;COUNT=6", 6)
        world.run()
        world.people.retitle(world.only(), "Jane Roe")
        world.people.drag_occurrence(world.only(), made[2].span.start_at, timedelta(hours=3))
        world.run()
        world.later(minutes=3)
        world.run()
        assert world.people.see(world.only()).event.master.title == "Jane Roe"
        with world.database.reading() as conn:
            books: Any = conn.connection.driver_connection
            dump = "\n".join(books.iterdump())
        assert "Jane" not in dump

    def test_a_large_import_is_done_in_one_go(self, world: World) -> None:
        for number in range(1100):
            start = wall("2026-11-17T08:00") + timedelta(days=number // 10, hours=number % 10)
            world.book(f"A-{number}", start.isoformat())
        assert world.run().written == 1100
        assert world.run().requests == 1


class TestTimes:
    def test_the_report_says_how_long_an_edit_went_unseen_at_most(self, world: World) -> None:
        world.book("4821", "2026-11-24T10:00")
        world.run()
        world.later(minutes=5)
        world.run()
        world.people.drag(world.only(), timedelta(hours=4))
        world.later(minutes=4)
        world.run()
        now = world.clock.now()
        report = gather(world.database, Scope(since=now - timedelta(days=1), until=now + timedelta(days=1)))
        assert report.time_to_detect.longest == timedelta(minutes=4)


def test_an_edit_that_is_let_be_is_not_forgotten_over_a_record_that_agrees_with_another(world: World) -> None:
    world.settle(dispositions=dict.fromkeys(POLICY.dispositions, Disposition.FLAG))
    _, second, third, fourth = world.book_series("S", "2026-11-17T10:00", "FREQ=WEEKLY;COUNT=4", 4)
    world.run()
    world.people.delete_occurrence(world.only(), second.span.start_at)
    world.people.drag_occurrence(world.only(), fourth.span.start_at, timedelta(hours=2))
    world.run()
    for called_off in (second, third):  # what the calendar shows already, and something new; nothing there has changed
        world.put(replace(called_off, status=AppointmentStatus.CANCELLED))
        world.run()
    assert {one.appointment: one.resolution for one in world.drifts()} == {
        "S-1": Resolution.RECORD_CORRECTED,
        "S-3": Resolution.OPEN,
    }
    assert held(world, "S-3")
    (own,) = world.people.see(world.only()).event.overrides
    assert own.appearance.span.start == wall("2026-12-08T12:00")


def test_a_reading_counts_from_when_it_was_asked_for(world: World) -> None:
    """The answer may take its time: what it shows is as old as the question (R-20)."""
    world.book("4821", "2026-11-16T10:00")
    world.run()
    world.later(hours=8)
    asked = world.clock.now()
    slowly = Fault(FaultKind.AFTERWARDS, act=lambda: world.later(minutes=7))
    world.service.weather.always("changes", slowly).always("read", slowly)
    world.people.drag(world.only(), timedelta(hours=1))
    world.run()
    with world.database.reading() as conn:
        (read,) = observations.of_appointments(conn, ["4821"])["4821"]
    assert world.clock.now() >= asked + timedelta(minutes=7)
    assert read.read_at < asked + timedelta(minutes=7)
