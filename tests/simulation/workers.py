"""The workers of a history: each a process of its own, made anew after it died."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from calsync.connector.wrappers import Around, RetryPolicy, WrapPorts, wrap
from calsync.domain.marker import MarkerKeys
from calsync.store.calendars import CalendarRow
from calsync.testing.memory_calendar import MemoryCalendar
from calsync.worker.context import Rules, WorkerContext
from tests.simulation.ports import Process, ProcessDatabase

if TYPE_CHECKING:
    from tests.simulation.world import World

KEYS = MarkerKeys("k1", {"k1": b"0" * 32}, "installation-1")
LEASE = timedelta(seconds=120)


@dataclass
class Running:
    """A process's worker and its opener."""

    process: Process
    context: WorkerContext


@dataclass
class Opener:
    """Hands out calendars in memory to one process."""

    world: World
    process: Process

    def open(self, row: CalendarRow) -> Around:
        """A client of the calendar."""
        world = self.world
        service = world.services.all[world.places[row.id]]
        ports = WrapPorts(world.clock, world.ids, world.sleep)
        calendar = world.readings.watching(MemoryCalendar(service, row.id), world.places[row.id])
        attempts = int(world.plan.policy.get("attempts", 1))
        return wrap(calendar, row.id, ports=ports, retries=RetryPolicy(attempts=attempts))

    def forget(self, calendar: str) -> None:
        """Nothing is kept."""

    def rules(self, provider: str, practice: str | None = None) -> Rules:
        """The same for everybody."""
        return self.world.rules


def worker_of(world: World, number: int) -> Running:
    """The worker of this number, made anew if it died; another one while it is busy."""
    running = world.workers.get(number)
    if running is not None and running.process in world.running:
        return worker_of(world, number + 2)
    if running is None or running.process.dead:
        process = Process(world.ids.new_id(f"worker{number}"))
        if number:
            world.fired("second-worker")
        context = WorkerContext(
            database=ProcessDatabase(world.books, process, world.boundaries.around),
            clock=world.clock,
            ids=world.ids,
            sleep=world.sleep,
            keys=KEYS,
            opener=Opener(world, process),
            owner=process.name,
            lease_for=LEASE,
            heeds_services=True,
        )
        running = world.workers[number] = Running(process, context)
    return running
