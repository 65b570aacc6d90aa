"""A mass change that shows only when our writes meet it stops the calendar there and then."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from calsync.connector.errors import Unavailable
from calsync.domain.appointment import Block
from calsync.domain.span import Span
from calsync.store import calendars, record_changes
from calsync.testing.weather import fails, meanwhile
from tests.unit.worker.world import ZONE, World


@pytest.fixture
def world() -> World:
    return World()


def to_be_titled_anew(world: World) -> None:
    """Eight blocks are in the calendar, one a week, and all are to be written again with another title."""
    for title in ("", "Away"):
        for week in range(8):
            wall = datetime(2026, 11, 17, 10) + timedelta(weeks=week)
            block = Block(f"B-{week}", "P-1", Span(wall, wall + timedelta(hours=1), ZONE), title)
            with world.database.transaction() as conn:
                record_changes.put_block(conn, block, now=world.clock.now(), actor="provider:P-1", action="add")
        if not title:
            world.run()
    assert len(world.people.ids()) == 8


def state(world: World) -> str:
    with world.database.reading() as conn:
        row = calendars.get(conn, world.calendar)
    assert row is not None
    return str(row.state)


def test_events_that_vanish_between_reading_and_writing_stop_it(world: World) -> None:
    to_be_titled_anew(world)
    world.service.weather.next("write", meanwhile(world.people.wipe))
    result = world.run()
    assert (result.stopped, result.error, state(world)) == (True, "mass-change", "stopped")
    assert world.people.ids() == []
    world.later(hours=1)
    world.run()
    assert (world.people.ids(), state(world)) == ([], "stopped")


def test_a_calendar_that_comes_back_from_an_outage_stays_stopped(world: World) -> None:
    to_be_titled_anew(world)
    world.service.weather.next("changes", fails(Unavailable("simulated")))
    world.run()
    assert state(world) == "unreachable"
    world.later(hours=1)
    world.service.weather.next("write", meanwhile(world.people.wipe))
    world.run()
    assert state(world) == "stopped"
    assert world.people.ids() == []
