"""A series that the service cannot hold as one event: its sessions are single events, with all that follows."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from calsync.domain.appointment import Appointment, AppointmentStatus
from calsync.domain.drift import DriftKind, Resolution
from calsync.domain.event import Event
from calsync.store import record_changes, records
from calsync.testing.personality import CALDAV_SYNC, GOOGLE, GRAPH, Personality
from tests.unit.worker.world import World

ODD = "FREQ=WEEKLY;INTERVAL=1;BYSETPOS=1;COUNT=6"


def odd_ones(event: Event) -> str | None:
    return "odd" if event.recurrence is not None and "BYSETPOS" in event.recurrence.rule else None


def odd(personality: Personality) -> Personality:
    return replace(personality, traits=replace(personality.traits, unheld=odd_ones))


@pytest.fixture(params=[CALDAV_SYNC, GOOGLE, GRAPH], ids=lambda one: str(one.name))
def world(request: pytest.FixtureRequest) -> World:
    made = World(odd(request.param))
    made.book_series("S", "2026-11-18T10:00", ODD, 6)
    assert made.run().written == 6
    made.later(minutes=6)
    made.run()
    return made


def starts(world: World) -> list[datetime]:
    return sorted(span.start for span in world.shown().values())


def weeks(*numbers: int) -> list[datetime]:
    return [datetime(2026, 11, 18, 10) + timedelta(weeks=number) for number in numbers]


def at(world: World, start: datetime) -> str:
    return next(name for name, span in world.shown().items() if span.start == start)


def change(world: World, one: Appointment, **values: object) -> None:
    with world.database.transaction() as conn:
        known = records.appointment(conn, one.id)
        assert known is not None
        changed = replace(known, **values)  # type: ignore[arg-type]
        record_changes.put_appointment(conn, changed, now=world.clock.now(), actor="support:test", action="change")


def session(world: World, number: int) -> Appointment:
    with world.database.reading() as conn:
        found = records.appointment(conn, f"S-{number}")
    assert found is not None
    return found


def test_each_session_is_an_event_and_nothing_is_written_twice(world: World) -> None:
    assert starts(world) == weeks(0, 1, 2, 3, 4, 5)
    assert all(world.people.see(name).event.recurrence is None for name in world.people.ids())
    for _ in range(3):
        world.later(hours=25)  # a nightly full reading marks the series anew
        assert (world.run(full=True).written, world.drifts()) == (0, [])


def test_a_dragged_session_is_put_back_alone(world: World) -> None:
    world.people.drag(at(world, weeks(2)[0]), timedelta(hours=4))
    world.later(minutes=6)
    world.run()
    [drift] = world.drifts()
    assert (drift.kind, drift.appointment) == (DriftKind.MOVED, "S-2")
    world.later(seconds=95)
    world.run()
    assert starts(world) == weeks(0, 1, 2, 3, 4, 5)
    assert world.drifts()[0].resolution is Resolution.REVERTED


def test_a_deleted_session_comes_back(world: World) -> None:
    world.people.delete(at(world, weeks(3)[0]))
    world.later(minutes=6)
    world.run()
    assert [(one.kind, one.appointment) for one in world.drifts()] == [(DriftKind.DELETED, "S-3")]
    world.later(seconds=95)
    world.run()
    world.run()
    assert starts(world) == weeks(0, 1, 2, 3, 4, 5)


def test_a_change_of_one_session_reaches_its_event(world: World) -> None:
    one = session(world, 1)
    change(world, one, span=one.span.starting(one.span.start + timedelta(hours=2)))
    change(world, session(world, 4), status=AppointmentStatus.CANCELLED)
    world.run()
    world.run()
    assert starts(world) == sorted([*weeks(0, 2, 3, 5), datetime(2026, 11, 25, 12)])
    assert world.drifts() == []


def test_a_cancelled_series_takes_its_events_along(world: World) -> None:
    sessions = [session(world, number) for number in range(6)]
    with world.database.transaction() as conn:
        series = records.series(conn, "S")
        assert series is not None
        now = world.clock.now()
        record_changes.put_series(conn, replace(series, cancelled=True), now=now, actor="support:test", action="cancel")
        for each in sessions:
            one = replace(each, status=AppointmentStatus.CANCELLED)
            record_changes.put_appointment(conn, one, now=now, actor="support:test", action="cancel")
    world.run()
    world.run()
    assert world.people.ids() == []
    assert world.drifts() == []


@pytest.mark.parametrize("to_one_event", [True, False])
def test_a_new_rule_changes_between_one_event_and_many(world: World, to_one_event: bool) -> None:
    plain = "FREQ=WEEKLY;COUNT=6"

    def set_rule(rule: str) -> None:
        with world.database.transaction() as conn:
            series = records.series(conn, "S")
            assert series is not None
            now = world.clock.now()
            record_changes.put_series(conn, replace(series, rule=rule), now=now, actor="support:test", action="change")
        for _ in range(3):
            world.run()

    set_rule(plain)
    [name] = world.people.ids()
    assert world.people.see(name).event.recurrence is not None
    if not to_one_event:
        set_rule(ODD)
        assert starts(world) == weeks(0, 1, 2, 3, 4, 5)
    assert world.drifts() == []


def test_sessions_that_come_into_the_window_follow(world: World) -> None:
    span = session(world, 5).span
    with world.database.transaction() as conn:
        later = span.starting(span.start + timedelta(weeks=1))
        one = Appointment("S-6", "P-1", "K-1", later, series="S", original_start=later.start_at, code="90834")
        record_changes.put_appointment(
            conn, one, now=world.clock.now(), actor="support:test", action="book", origin="book"
        )
    world.run()
    assert starts(world) == weeks(0, 1, 2, 3, 4, 5, 6)


def test_a_service_without_any_series_is_given_sessions() -> None:
    world = World(replace(CALDAV_SYNC, traits=replace(CALDAV_SYNC.traits, series=False)))
    world.book_series("S", "2026-11-18T10:00", "FREQ=WEEKLY;COUNT=3", 3)
    assert world.run().written == 3
    assert starts(world) == weeks(0, 1, 2)
