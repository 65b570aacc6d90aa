"""One history from its plan: run it, watch it, judge its end. The same plan gives the same history, always."""

from __future__ import annotations

import logging
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from zoneinfo import ZoneInfo

import structlog

from tests.simulation.canaries import Listener
from tests.simulation.carrying import carry_out
from tests.simulation.ending import finish
from tests.simulation.generate import generate
from tests.simulation.held import Violation
from tests.simulation.plan import Plan
from tests.simulation.world import ZONE, Tally, World

CLOCKS = ZoneInfo(ZONE)


@dataclass
class Report:
    """What came of a history."""

    plan: Plan
    violations: list[Violation]
    marks: Counter[str]
    tally: Tally
    seconds: float
    trace: str = ""
    fault: str = ""
    where: int = -1

    @property
    def failed(self) -> str | None:
        """The check that failed first, or None."""
        return self.violations[0].check if self.violations else None


@contextmanager
def listening() -> Iterator[Listener]:
    """Nothing is logged, as ten thousand histories would log a million lines; but each line is searched (I8)."""
    before = structlog.get_config()
    listener = Listener()
    structlog.configure(processors=[listener], wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))
    try:
        yield listener
    finally:
        structlog.configure(**before)


def run(plan: Plan, *, trace: bool = False) -> Report:
    """Run a plan to its end, or to the first violation."""
    began = time.perf_counter()
    world = World(plan, carry_out)
    fault = ""
    with listening() as log:
        try:
            _live(world)
        except Exception as problem:  # noqa: BLE001 - whatever the code under test raises is a finding
            fault = traceback.format_exc()
            last = traceback.extract_tb(problem.__traceback__)[-1]
            world.observer.fail(f"raised-{type(problem).__name__}", f"{problem} at {last.name}:{last.lineno}")
        for told in log.found:
            world.observer.fail("I8-log", told)
    seconds = time.perf_counter() - began
    digest = _digest(world) if trace else ""
    return Report(
        plan, world.observer.violations, world.observer.marks, world.tally, seconds, digest, fault, world.round
    )


def _live(world: World) -> None:
    for number, one in enumerate(world.plan.rounds):
        world.round = number
        _pass_time(world, one.advance)
        for act in one.acts:
            world.carry_out(act)
            if world.observer.violations:
                return
    world.round = len(world.plan.rounds)
    finish(world)


def _pass_time(world: World, seconds: float) -> None:
    """Time passes, maybe past the day on which the clocks are changed."""
    before = world.truth.now().astimezone(CLOCKS).utcoffset()
    after = world.clock.advance(seconds).astimezone(CLOCKS).utcoffset()
    if before is not None and after is not None and before != after:
        world.fired("dst-forward" if after > before else "dst-back")


def run_seed(seed: int, *, trace: bool = False) -> Report:
    """Make the history of a seed and run it."""
    return run(generate(seed), trace=trace)


def _digest(world: World) -> str:
    """One number for everything that happened and everything that is on the books."""
    told = [
        repr(change)
        for service in world.services.all
        for state in service.calendars.values()
        for change in state.journal
    ]
    told.append(repr(sorted(world.books.dump().items())))
    return sha256("\n".join(told).encode("utf-8", "surrogatepass")).hexdigest()
