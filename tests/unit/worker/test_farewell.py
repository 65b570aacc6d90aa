"""Calendars at rest: their channels end, and what leaves takes our events along and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from calsync.answers import calendars as words
from calsync.answers.words import Desk
from calsync.connector.errors import AuthRevoked, Unavailable
from calsync.errors import Refused
from calsync.settings.model import Settings
from calsync.store import calendars, connections, holds, owed_writes, watches
from calsync.store.calendars import LEAVING, CalendarState
from calsync.store.connections import ConnectionRow
from calsync.store.watches import OPEN, WatchRow
from calsync.testing.weather import fails, lost_answer, lost_request
from calsync.worker.farewell import say_farewell
from tests.unit.worker.world import World


@pytest.fixture
def world() -> World:
    made = World()
    made.book("4821", "2026-11-24T10:00")
    made.book("4822", "2026-11-25T10:00")
    made.run()
    made.people.add_own_event(replace(made.people.see(made.people.ids()[0]).event, uid="own"))
    assert len(made.people.ids()) == 3
    with made.database.transaction() as conn:
        now = made.clock.now()
        row = WatchRow("w-1", "google", "work", "r", watches.hash_of(b"s"), OPEN, now, now + timedelta(days=5))
        watches.insert(conn, row)
        connections.put(conn, ConnectionRow("c", "P-1", "memory", "database", {}))
    return made


def channels(world: World) -> list[WatchRow]:
    with world.database.reading() as conn:
        return watches.of_calendar(conn, "work")


def leave(world: World) -> None:
    with world.database.transaction() as conn:
        calendars.set_state(conn, "work", CalendarState.PAUSED, LEAVING, world.clock.now())


def test_a_calendar_at_work_is_left_alone(world: World) -> None:
    assert say_farewell(world.worker) == 0
    assert len(channels(world)) == 1


def test_the_channels_of_a_paused_calendar_end_and_its_events_stay(world: World) -> None:
    desk = Desk(world.database, Settings(path=Path("calsync.toml")), world.clock, world.ids)
    words.pause(desk, "work", by="support:test")
    assert say_farewell(world.worker) == 1
    assert channels(world) == []
    assert len(world.people.ids()) == 3
    assert world.row().removed_at is None
    assert say_farewell(world.worker) == 0


def test_the_channels_of_a_removed_calendar_end(world: World) -> None:
    desk = Desk(world.database, Settings(path=Path("calsync.toml")), world.clock, world.ids)
    words.remove(desk, "work", by="support:test")
    assert say_farewell(world.worker) == 1
    assert channels(world) == []
    assert len(world.people.ids()) == 3


def test_what_leaves_takes_our_events_out_and_nothing_else(world: World) -> None:
    leave(world)
    assert say_farewell(world.worker) == 1
    assert len(world.people.ids()) == 1
    assert world.row().removed_at is not None
    with world.database.reading() as conn:
        assert connections.get(conn, "c") is None
    assert say_farewell(world.worker) == 0


def test_a_copy_that_she_made_into_an_event_of_her_own_stays(world: World) -> None:
    name = next(one for one in world.people.ids() if world.people.see(one).marker)
    plain = world.people.duplicate(name, timedelta(days=1))
    hers = world.people.duplicate(name, timedelta(days=2))
    world.people.retitle(hers, "Choir")
    world.run()
    leave(world)
    say_farewell(world.worker)
    assert hers in world.people.ids()
    assert plain not in world.people.ids()
    assert len(world.people.ids()) == 2


def test_an_event_whose_marker_is_gone_stays(world: World) -> None:
    name = next(one for one in world.people.ids() if world.people.see(one).marker)
    world.people.strip_marker(name)
    leave(world)
    say_farewell(world.worker)
    assert name in world.people.ids()
    assert len(world.people.ids()) == 2


def test_a_service_that_is_down_is_waited_for(world: World) -> None:
    leave(world)
    world.service.weather.next("read", lost_request())
    assert say_farewell(world.worker) == 0
    assert world.row().removed_at is None
    assert say_farewell(world.worker) == 1
    assert len(world.people.ids()) == 1


def test_a_lost_login_does_not_hold_the_calendar_on_the_books(world: World) -> None:
    leave(world)
    world.service.weather.next("read", fails(AuthRevoked("gone")))
    assert say_farewell(world.worker) == 1
    assert world.row().removed_at is not None
    assert len(world.people.ids()) == 3


def test_an_event_of_ours_that_she_made_into_one_of_her_own_stays(world: World) -> None:
    name = next(one for one in world.people.ids() if world.people.see(one).marker)
    world.people.drag(name, timedelta(days=2, hours=9))
    world.people.retitle(name, "Choir")
    world.run()
    leave(world)
    say_farewell(world.worker)
    assert name in world.people.ids()
    assert len(world.people.ids()) == 2


def drifts_of(world: World) -> list[tuple[str | None, str, str]]:
    return sorted((one.appointment, one.kind.value, one.resolution.value) for one in world.drifts())


def ours(world: World) -> list[str]:
    return [one for one in world.people.ids() if world.people.see(one).marker]


def test_edits_that_nobody_has_read_are_recorded_before_the_events_go(world: World) -> None:
    moved, _ = ours(world)
    number = world.people.see(moved).event.master.title.split()[-1]
    world.people.drag(moved, timedelta(hours=4))
    leave(world)
    assert say_farewell(world.worker) == 1
    assert drifts_of(world) == [(number, "moved", "open")]
    assert len(world.people.ids()) == 1
    with world.database.reading() as conn:
        assert [one.closed_at for one in holds.of_appointments(conn, [number])[number]] == [None]
        assert owed_writes.count_owed(conn, "work") == 0


def test_all_that_somebody_cleared_before_she_left_are_edits(world: World) -> None:
    for name in ours(world):
        world.people.delete(name)
    leave(world)
    assert say_farewell(world.worker) == 1
    assert drifts_of(world) == [("4821", "deleted", "open"), ("4822", "deleted", "open")]
    assert world.row().removed_at is not None


def test_what_was_taken_out_before_a_crash_is_nobodys_edit(world: World) -> None:
    leave(world)
    world.service.weather.next("write", lost_answer())
    assert say_farewell(world.worker) == 0
    assert len(ours(world)) == 1
    desk = Desk(world.database, Settings(path=Path("calsync.toml")), world.clock, world.ids)
    with pytest.raises(Refused, match="being taken out"):
        words.resume(desk, "work", by="support:test")
    assert say_farewell(world.worker) == 1
    assert ours(world) == []
    assert drifts_of(world) == []
    assert world.row().removed_at is not None


def test_an_edit_between_the_last_look_and_the_leaving_stays_with_its_event(world: World) -> None:
    name = ours(world)[0]
    leave(world)
    world.service.weather.next("write", fails(Unavailable("down")))
    assert say_farewell(world.worker) == 0
    world.people.drag(name, timedelta(hours=4))
    assert say_farewell(world.worker) == 1
    assert ours(world) == [name]


def test_a_login_that_was_lost_records_nothing_and_proves_nothing(world: World) -> None:
    world.people.drag(ours(world)[0], timedelta(hours=4))
    leave(world)
    world.service.weather.next("changes", fails(AuthRevoked("gone")))
    assert say_farewell(world.worker) == 1
    assert (drifts_of(world), len(ours(world))) == ([], 2)
