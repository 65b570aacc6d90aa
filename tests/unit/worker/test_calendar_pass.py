"""One pass over one calendar, against calendars in memory: the world after it, and what it cost."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from calsync.connector.errors import AuthRevoked, Forbidden, Malformed, NotFound, Throttled, Unavailable
from calsync.domain.drift import DriftKind, Phase, Resolution
from calsync.domain.event import Appearance, Event
from calsync.domain.span import Span
from calsync.testing.personality import CALDAV_SYNC
from calsync.testing.weather import Fault, FaultKind
from tests.unit.worker.world import World


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.fixture
def world() -> World:
    return World()


class TestMirroring:
    def test_a_booked_session_appears_once_and_the_next_passes_are_silent(self, world: World) -> None:
        world.book("4821", "2026-11-24T10:00")
        assert world.run().written == 1
        assert world.shown()[world.only()].start == wall("2026-11-24T10:00")
        for _ in range(3):
            quiet = world.run()
            assert (quiet.requests, quiet.read, quiet.written, quiet.drifts) == (1, 0, 0, 0)

    def test_a_pass_goes_on_where_the_last_one_ended(self, world: World) -> None:
        world.book("4821", "2026-11-24T10:00")
        assert world.run().full
        world.run()
        world.people.drag(world.only(), timedelta(hours=1))
        assert [world.run().full, world.run().full] == [False, False]
        assert world.row().cursor is not None

    def test_a_moved_record_moves_the_event(self, world: World) -> None:
        world.book("4821", "2026-11-24T10:00")
        world.run()
        world.book("4821", "2026-11-25T11:00")
        assert world.run().drifts == 0
        assert world.shown()[world.only()].start == wall("2026-11-25T11:00")

    def test_a_cancelled_record_takes_its_event_away(self, world: World) -> None:
        world.book("4821", "2026-11-24T10:00")
        world.run()
        world.book("4821", "2026-11-24T10:00", status="cancelled")
        world.run()
        assert world.people.ids() == []
        assert world.drifts() == []

    def test_a_series_is_one_event_and_a_block_is_one(self, world: World) -> None:
        world.book_series("S-1", "2026-11-17T10:00", "FREQ=WEEKLY;COUNT=8", 8)
        world.block("B-1", "2026-12-24T09:00")
        assert world.run().written == 2
        assert sum(world.people.see(name).event.is_series for name in world.people.ids()) == 1

    def test_a_cancelled_session_that_is_booked_again_comes_back(self, world: World) -> None:
        world.book("4821", "2026-11-24T10:00")
        world.run()
        world.book("4821", "2026-11-24T10:00", status="cancelled")
        world.run()
        world.book("4821", "2026-11-24T10:00")
        world.run()
        assert world.shown()[world.only()].start == wall("2026-11-24T10:00")

    def test_a_persons_own_events_are_never_touched_nor_kept(self, world: World) -> None:
        mine = Event("dentist", Appearance(Span(wall("2026-11-24T08:00"), wall("2026-11-24T09:00"), "UTC"), "Dentist"))
        world.people.add_own_event(mine)
        before = [world.people.see(name) for name in world.people.ids()]
        world.book("4821", "2026-11-24T10:00")
        world.run()
        world.run(full=True)
        assert [world.people.see(stored.remote_id) for stored in before] == before


class TestEdits:
    def test_a_drag_is_recorded_at_once_and_put_back_after_settle(self, world: World) -> None:
        world.book("4821", "2026-11-24T10:00")
        world.run()
        world.people.drag(world.only(), timedelta(hours=4))
        assert world.run().drifts == 1
        assert world.shown()[world.only()].start == wall("2026-11-24T14:00")
        (drift,) = world.drifts()
        assert (drift.kind, drift.phase, drift.resolution) == (DriftKind.MOVED, Phase.UPCOMING, Resolution.OPEN)
        world.later(seconds=91)
        assert world.run().written == 1
        assert world.shown()[world.only()].start == wall("2026-11-24T10:00")
        (drift,) = world.drifts()
        assert drift.resolution is Resolution.REVERTED
        assert world.run().written == 0
        assert len(world.drifts()) == 1

    def test_a_slip_undone_within_settle_is_withdrawn(self, world: World) -> None:
        world.book("4821", "2026-11-24T10:00")
        world.run()
        world.people.drag(world.only(), timedelta(hours=4))
        world.run()
        world.people.drag(world.only(), timedelta(hours=-4))
        world.later(seconds=60)
        world.run()
        world.later(minutes=5)
        assert world.run().written == 0
        assert [drift.resolution for drift in world.drifts()] == [Resolution.WITHDRAWN]

    def test_a_past_session_is_flagged_and_never_written_over(self, world: World) -> None:
        world.book("4790", "2026-11-12T15:00", status="completed")
        world.run()
        world.people.drag(world.only(), timedelta(days=1))
        world.run()
        world.later(hours=1)
        world.run()
        assert world.shown()[world.only()].start == wall("2026-11-13T15:00")
        (drift,) = world.drifts()
        assert (drift.phase, drift.resolution) == (Phase.PAST, Resolution.OPEN)

    def test_a_deleted_session_comes_back(self, world: World) -> None:
        world.book("4821", "2026-11-24T10:00")
        world.run()
        world.people.delete(world.only())
        assert world.run().drifts == 1
        world.later(seconds=91)
        world.run()
        assert world.shown()[world.only()].start == wall("2026-11-24T10:00")
        assert [(d.kind, d.resolution) for d in world.drifts()] == [(DriftKind.DELETED, Resolution.REVERTED)]

    def test_one_occurrence_moved_another_deleted_are_two_drifts(self, world: World) -> None:
        made = world.book_series("S-1", "2026-11-17T10:00", "FREQ=WEEKLY;COUNT=10", 10)
        world.run()
        world.people.drag_occurrence(world.only(), made[3].span.start_at, timedelta(days=1))
        world.people.delete_occurrence(world.only(), made[5].span.start_at)
        assert world.run().drifts == 2
        assert {(d.appointment, d.kind) for d in world.drifts()} == {
            ("S-1-3", DriftKind.MOVED),
            ("S-1-5", DriftKind.DELETED),
        }
        world.later(seconds=91)
        world.run()
        assert world.people.see(world.only()).event.overrides == ()
        assert {d.resolution for d in world.drifts()} == {Resolution.REVERTED}

    def test_a_split_is_one_edit_and_is_joined_again(self, world: World) -> None:
        made = world.book_series("S-1", "2026-11-17T10:00", "FREQ=WEEKLY;COUNT=10", 10)
        world.run()
        world.people.split_series(world.only(), made[4].span.start_at, timedelta(hours=1))
        world.run()
        assert {d.kind for d in world.drifts()} == {DriftKind.SPLIT}
        assert len({d.edit for d in world.drifts()}) == 1
        assert len(world.drifts()) == 6
        world.later(seconds=91)
        world.run()
        world.run()
        assert len(world.people.ids()) == 1
        assert {d.resolution for d in world.drifts()} == {Resolution.REVERTED}

    def test_users_fields_survive_a_revert(self, world: World) -> None:
        world.book("4821", "2026-11-24T10:00")
        world.run()
        world.people.recolour(world.only(), "purple")
        world.people.add_note(world.only(), "bring the blue form")
        world.people.drag(world.only(), timedelta(hours=4))
        before = world.people.see(world.only()).own
        world.run()
        world.later(seconds=91)
        world.run()
        assert world.people.see(world.only()).own == before
        assert world.shown()[world.only()].start == wall("2026-11-24T10:00")


class TestBrakes:
    def fill(self, world: World, count: int) -> None:
        for number in range(count):
            world.book(f"A-{number}", f"2026-11-{18 + number % 12:02}T{9 + number // 12:02}:00")
        world.run()
        world.run()

    @pytest.mark.parametrize("keep", [0, 1, 59 - 48])
    def test_a_wiped_calendar_stops_and_nothing_is_written(self, world: World, keep: int) -> None:
        self.fill(world, 60)
        world.people.wipe(keep=keep)
        written = len(world.service.written())
        result = world.run()
        assert result.state == "stopped"
        assert (result.drifts, len(world.service.written())) == (0, written)
        assert world.drifts() == []
        assert world.row().state == "stopped"

    def test_an_emptied_listing_stops_it_too(self, world: World) -> None:
        self.fill(world, 10)
        world.people.wipe()
        assert world.run(full=True).state == "stopped"

    @pytest.mark.parametrize(
        ("problem", "state"),
        [
            (NotFound("gone"), "stopped"),
            (Forbidden("no"), "needs-reconnect"),
            (AuthRevoked("no"), "needs-reconnect"),
            (Unavailable("down"), "unreachable"),
            (Malformed("html"), "unreachable"),
            (Throttled("slow", retry_after=37), "active"),
        ],
    )
    def test_each_error_has_its_state_and_none_is_a_deletion(
        self, world: World, problem: Exception, state: str
    ) -> None:
        self.fill(world, 6)
        world.service.weather.always("*", Fault(FaultKind.FAILS, error=problem))
        result = world.run()
        assert result.state == state
        assert world.drifts() == []
        assert len(world.people.ids()) == 6


class TestLostAnswers:
    def test_a_create_whose_answer_was_lost_is_adopted(self, world: World) -> None:
        world.book("4821", "2026-11-24T10:00")
        world.service.weather.next("write", Fault(FaultKind.ANSWER_LOST))
        assert world.run().state == "unreachable"
        world.service.weather.clear()
        world.later(minutes=5)
        world.run()
        assert len(world.people.ids()) == 1
        assert world.drifts() == []
        quiet = world.run()
        assert (quiet.requests, quiet.written) == (1, 0)

    def test_an_update_whose_answer_was_lost_is_no_drift(self, world: World) -> None:
        world.book("4821", "2026-11-24T10:00")
        world.run()
        world.book("4821", "2026-11-24T12:00")
        world.service.weather.next("write", Fault(FaultKind.ANSWER_LOST))
        world.run()
        world.service.weather.clear()
        world.book("4821", "2026-11-24T13:00")
        world.later(minutes=5)
        world.run()
        assert world.drifts() == []
        assert world.shown()[world.only()].start == wall("2026-11-24T13:00")

    def test_our_unanswered_removal_of_a_copy_hides_no_removal_of_the_event(self, world: World) -> None:
        world.book("4821", "2026-11-24T10:00")
        world.run()
        own = world.only()
        world.people.duplicate(own, timedelta(days=1))
        world.run()
        world.later(seconds=91)
        world.service.weather.next("write", Fault(FaultKind.ANSWER_LOST))
        world.run()
        world.service.weather.clear()
        world.people.delete(own)
        world.later(minutes=10)
        world.run()
        assert sorted(drift.kind for drift in world.drifts()) == [DriftKind.DELETED, DriftKind.DUPLICATED]

    def test_an_edit_between_read_and_write_is_found_before_it_is_written_over(self, world: World) -> None:
        world.book("4821", "2026-11-24T10:00")
        world.run()
        name = world.only()
        world.book("4821", "2026-11-24T12:00")
        meanwhile = Fault(FaultKind.MEANWHILE, act=lambda: world.people.drag(name, timedelta(hours=5)))
        world.service.weather.next("write", meanwhile)
        world.run()
        assert [d.observed.span.start for d in world.drifts() if d.observed] == [wall("2026-11-24T15:00")]
        assert world.shown()[name].start == wall("2026-11-24T12:00")

    def test_a_feed_that_breaks_off_is_read_again_from_where_it_began(self) -> None:
        world = World(replace(CALDAV_SYNC, page_size=1))
        world.book("4821", "2026-11-24T10:00")
        world.book("4822", "2026-11-25T10:00")
        world.run()
        dragged = world.people.ids()
        for number in range(8):
            world.book(f"other-{number}", f"2027-01-{10 + number}T10:00")
        world.run()
        world.run()
        for name in dragged:
            world.people.drag(name, timedelta(minutes=30))
        world.service.weather.next("changes", Fault(FaultKind.LAST_PAGE_MISSING))
        world.run()
        assert len(world.drifts()) == 1
        world.run()
        assert {drift.appointment for drift in world.drifts()} == {"4821", "4822"}

    def test_an_expired_cursor_loses_no_edit_of_the_gap(self, world: World) -> None:
        for number in range(12):
            world.book(f"A-{number}", f"2026-11-{18 + number}T10:00")
        world.run()
        ids = world.people.ids()
        for name in ids[:3]:
            world.people.delete(name)
        for name in ids[3:5]:
            world.people.drag(name, timedelta(hours=2))
        world.settle(stampede_min=50)
        world.service.calendars["work"].expire_cursors()
        assert world.run().drifts == 5
