"""What becomes of our host: time passes, workers work or die, the power goes."""

from __future__ import annotations

from datetime import timedelta

from calsync.store import work
from calsync.store.work import Priority
from tests.simulation import passes
from tests.simulation.acts import doing
from tests.simulation.plan import Act
from tests.simulation.world import World


@doing("advance")
def _advance(world: World, act: Act) -> None:
    world.clock.advance(float(act["by"]))


@doing("clock")
def _clock(world: World, act: Act) -> None:
    world.observer.clock_jumped = True
    world.observer.mark("clock-back" if act["by"] < 0 else "clock-forward")
    world.fired("clock-back" if act["by"] < 0 else "clock-forward")
    world.clock.jump(timedelta(seconds=act["by"]))


@doing("work")
def _work(world: World, act: Act) -> None:
    passes.work_due(world, act.get("worker", 0))


@doing("sync")
def _sync(world: World, act: Act) -> None:
    state = world.books.rows("SELECT state FROM calendars WHERE id = ?", act["calendar"])
    if state and state[0][0] not in ("stopped", "paused"):
        passes.sync(world, act.get("worker", 0), act["calendar"], full=act.get("full", False))


@doing("sync-stopped")
def _sync_stopped(world: World, act: Act) -> None:
    passes.sync(world, act.get("worker", 0), act["calendar"])


@doing("push")
def _push(world: World, act: Act) -> None:
    with world.web.transaction() as conn:
        work.push(conn, act["calendar"], world.clock.now(), Priority.PUSH)


@doing("kill")
def _kill(world: World, act: Act) -> None:
    world.workers.pop(act.get("worker", 0), None)


@doing("power-loss")
def _power_loss(world: World, act: Act) -> None:
    if not world.boundaries.images:
        return
    world.observer.mark("power-loss")
    world.fired("power-loss")
    world.observer.power_lost = True
    world.workers.clear()
    world.books.restore(world.boundaries.images[max(0, len(world.boundaries.images) - 1 - act["commits"])])
    world.boundaries.images.clear()
    world.readings.alone_until.clear()
    world.observer.committed()
    world.expected.forget()
