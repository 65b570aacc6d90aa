"""The worker notices that its host's clock was set back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from calsync.store import audit, claims, observations
from calsync.worker.clock_watch import ClockWatch
from tests.unit.worker.test_two_clocks import END, START, TwoClocks

LONGEST = timedelta(minutes=70)


def a_world_that_read_too_late() -> TwoClocks:
    """Its service tells no time, so that nothing but the host's clock dated the reading."""
    world = TwoClocks()
    world.worker = replace(world.worker, heeds_services=False)
    world.book("1", START)
    world.run()
    world.at(END - timedelta(minutes=20), off=timedelta(hours=2))
    world.run(full=True)
    world.complete()
    return world


def watch(world: TwoClocks) -> ClockWatch:
    return ClockWatch(world.database, world.clock, LONGEST)


def test_a_clock_that_was_set_back_voids_what_was_read_ahead_of_it() -> None:
    world = a_world_that_read_too_late()
    world.at(END - timedelta(minutes=19))
    done = watch(world).look(world.clock.now())
    assert done["readings"] == 1
    with world.database.reading() as conn:
        assert observations.of_appointments(conn, ["1"]) == {}
        assert [one.what for one in audit.rows(conn)][-1:] == ["clock-set-back"]
    world.at(END + timedelta(hours=4))
    assert world.asks().verdict == "held"
    world.run()
    assert world.asks().verdict == "cleared"


def test_a_clearance_that_rested_on_such_a_reading_is_asked_about_again() -> None:
    world = a_world_that_read_too_late()
    world.at(END - timedelta(minutes=18), off=timedelta(hours=2))
    assert world.asks().verdict == "cleared"
    with world.database.transaction() as conn:
        for appointment, revision in claims.touched(conn, 10):
            claims.take_away(conn, appointment, revision)
    world.at(END - timedelta(minutes=17))
    watch(world).look(world.clock.now())
    with world.database.transaction() as conn:
        assert [one for one, _ in claims.touched(conn, 10)] == ["1"]


def test_a_step_back_is_seen_even_where_no_calendar_was_read_since() -> None:
    world = a_world_that_read_too_late()
    looking = watch(world)
    assert looking.look(world.clock.now()) == {}
    world.later(minutes=1)
    assert looking.look(world.clock.now()) == {}
    world.at(END - timedelta(minutes=10))
    assert looking.look(world.clock.now())["readings"] == 1
    world.later(minutes=1)
    assert looking.look(world.clock.now()) == {}
