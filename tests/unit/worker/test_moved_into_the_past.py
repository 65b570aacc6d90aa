"""A record that is moved to a time that is over: its calendar then shows what we wrote, which is no sight (R-20)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from calsync.claims.answer import Answer
from calsync.claims.gate import Gate, Question
from calsync.domain.appointment import AppointmentStatus
from calsync.settings.model import Settings
from calsync.store import statements
from calsync.store.statements import StatementRow
from tests.unit.worker.world import NOW, World

AHEAD = "2026-11-18T10:00"
OVER = "2026-11-16T10:00"  # an hour after the world begins


def asked(world: World) -> Answer:
    (answer,) = Gate(world.database, Settings(path=Path("calsync.toml")), world.clock, world.ids).check([Question("1")])
    return answer


def moved_into_the_past() -> World:
    world = World()
    world.book("1", AHEAD)
    world.run()
    world.later(hours=5)
    world.book("1", OVER, status="completed")
    world.run()
    world.later(minutes=10)
    world.run()
    return world


def test_our_own_event_written_after_the_session_is_no_sight_of_it() -> None:
    answer = asked(moved_into_the_past())
    assert answer.verdict == "held"
    assert [(one.code, one.waiting_on) for one in answer.reasons] == [("observation-stale", "support")]


def test_a_person_who_says_when_it_took_place_vouches_for_it() -> None:
    world = moved_into_the_past()
    with world.database.transaction() as conn:
        statements.insert(conn, StatementRow("S-1", "1", "support:eve", world.clock.now(), (), "as-booked"))
    assert asked(world).verdict == "cleared"


def test_the_record_follows_what_its_calendar_showed() -> None:
    world = World()
    world.book("1", "2026-11-16T12:00")
    world.run()
    world.later(hours=5)
    world.people.drag(world.only(), by=-timedelta(hours=2))
    world.run()
    world.book("1", "2026-11-16T10:00", status="completed")
    world.run()
    world.later(minutes=10)
    world.run()
    assert {one.code for one in asked(world).reasons} <= {"drift-open"}


def test_a_session_that_was_moved_before_it_began_is_seen_as_any_other() -> None:
    world = World()
    one = world.book("1", AHEAD)
    world.run()
    world.book("1", "2026-11-16T11:00")
    world.run()
    world.later(hours=4)
    world.put(
        replace(one, span=one.span.starting(NOW.replace(tzinfo=None, hour=11)), status=AppointmentStatus.COMPLETED)
    )
    world.run()
    assert asked(world).verdict == "cleared"
