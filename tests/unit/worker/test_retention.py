"""The books forget what nobody needs, and keep what proves something."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text

from calsync.worker import retention
from tests.unit.worker.world import World

PAST = timedelta(days=60)


def counts(world: World) -> dict[str, int]:
    with world.database.reading() as conn:
        names = ("observations", "owed_writes", "audit", "drifts")
        return {name: conn.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in names}


def test_it_forgets_settled_writes_long_after_and_no_reading() -> None:
    world = World()
    world.book("A-1", "2026-11-16T10:00")
    world.run()
    world.later(hours=2)
    world.run(full=True)
    world.later(hours=1)
    world.run(full=True)
    before = counts(world)
    assert before["owed_writes"] == 1
    assert before["observations"] >= 1
    assert retention.forget(world.database, PAST, world.clock.now() + PAST) == 0
    retention.forget(world.database, PAST, world.clock.now() + PAST + timedelta(days=31))
    after = counts(world)
    assert after["observations"] == before["observations"]
    assert after["owed_writes"] == 0
    assert (after["audit"], after["drifts"]) == (before["audit"], before["drifts"])


def test_a_virtual_day_without_changes_grows_no_row() -> None:
    world = World()
    for number in range(5):
        world.book(f"A-{number}", f"2026-11-{20 + number}T10:00")
    for _ in range(3):
        world.run()
        world.later(minutes=5)
    before = rows(world)
    for _ in range(288):
        world.run()
        world.later(minutes=5)
    assert rows(world) == before


def rows(world: World) -> dict[str, int]:
    with world.database.reading() as conn:
        names = conn.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars().all()
        return {name: conn.execute(text(f'SELECT count(*) FROM "{name}"')).scalar_one() for name in names}


def test_readings_that_show_a_difference_stay() -> None:
    world = World()
    world.settle(settle=timedelta(0))
    world.book("A-1", "2026-11-16T10:00")
    world.run()
    world.people.drag(world.only(), timedelta(hours=1))
    world.later(hours=4)
    world.run(full=True)
    with world.database.reading() as conn:
        shown = conn.execute(text("SELECT count(*) FROM observations WHERE drift IS NOT NULL")).scalar_one()
    assert shown >= 1
    retention.forget(world.database, PAST, world.clock.now() + 10 * PAST)
    with world.database.reading() as conn:
        assert conn.execute(text("SELECT count(*) FROM observations WHERE drift IS NOT NULL")).scalar_one() == shown
