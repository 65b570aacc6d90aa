"""Passes of a history: workers look for what is due, a person runs one, and each that was clean is judged at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from calsync.store import work
from calsync.store.errors import StoreUnavailable
from calsync.store.work import Lease
from calsync.testing.memory_service import MemoryService
from calsync.worker.context import PassResult
from calsync.worker.dispatch import run_now
from calsync.worker.leased_run import Request, run_leased
from tests.simulation.owed_edits import check_owed
from tests.simulation.ports import Crash, Process
from tests.simulation.workers import Running, worker_of

if TYPE_CHECKING:
    from tests.simulation.world import World


def work_due(world: World, number: int, limit: int = 2) -> list[PassResult]:
    """A worker looks for due calendars and runs their passes."""
    running = worker_of(world, number)
    found: list[PassResult] = []

    def run() -> None:
        context = running.context
        with context.database.transaction() as conn:
            leases = work.claim(conn, context.owner, limit, world.clock.now(), context.lease_for)
        for lease in leases:
            _check_left_alone(world, lease)
            found.append(_watched(world, running, lease, Request()))

    run_as(world, running.process, run)
    return found


def _check_left_alone(world: World, lease: Lease) -> None:
    """Nobody works on a calendar by the clock before the time that its service asked for.

    A worker that slept past its lease cannot know what another was told since; it commits nothing.
    """
    until = world.readings.alone_until.get(lease.calendar)
    if until is None or world.clock.now() >= until or world.observer.clock_jumped:
        return
    if world.books.rows("SELECT 1 FROM calendars WHERE id = ? AND fence = ?", lease.calendar, lease.fence):
        told = f"{lease.calendar} is worked on at {world.clock.now()}, before {until}"
        world.observer.fail("retry-after", told)


def sync(world: World, number: int, calendar: str, *, full: bool = False) -> PassResult | None:
    """A person runs one calendar now, whatever its service asked for; None if another process has it."""
    world.readings.alone_until.pop(calendar, None)
    running = worker_of(world, number)
    found: list[PassResult | None] = []

    def run() -> None:
        request = Request(full=full)
        found.append(run_now(running.context, calendar, lambda lease: _watched(world, running, lease, request)))

    run_as(world, running.process, run)
    if found == [None]:
        world.observer.mark("lease-refused")
    return found[0] if found else None


def run_as(world: World, process: Process, run: Callable[[], object]) -> None:
    """Run something inside a process, which may die of it."""
    world.running.append(process)
    inside, world.boundaries.inside = world.boundaries.inside, 0
    fresh, world.readings.fresh = world.readings.fresh, []
    last_reads = _last_reads(world)
    try:
        run()
    except Crash:
        process.dead = True
        _forget_what_nobody_recorded(world, last_reads)
    except StoreUnavailable as problem:
        _forget_what_nobody_recorded(world, last_reads)
        world.boundaries.excuse(problem)
    finally:
        world.boundaries.inside = inside
        world.readings.fresh = fresh
        world.running.pop()


def _last_reads(world: World) -> dict[str, object]:
    return {row[0]: row for row in world.books.rows("SELECT id, last_read_at, cursor, state FROM calendars")}


def _last_read(world: World, calendar: str) -> object:
    return world.books.rows("SELECT last_read_at, cursor FROM calendars WHERE id = ?", calendar)


def _forget_what_nobody_recorded(world: World, last_reads: dict[str, object]) -> None:
    """What was read is lost with its process, and so is for how long a service wants to be left alone.

    What the books say of an earlier wait, which is over, is no word about this one.
    """
    world.readings.lose({name for name, at in _last_reads(world).items() if last_reads.get(name) == at})
    _forget_waits_off_the_books(world)


def _forget_waits_off_the_books(world: World) -> None:
    """What a service told a worker that died, or lost its lease, nobody else can know; an earlier wait may go on."""
    for name, booked in world.books.rows("SELECT id, not_before FROM calendars"):
        until = world.readings.alone_until.pop(name, None)
        if until is not None and booked is not None:
            world.readings.alone_until[name] = min(until, datetime.fromtimestamp(booked / 1_000_000, UTC))


def _watched(world: World, running: Running, lease: Any, request: Request) -> PassResult:
    """Run a pass; if nothing went wrong in it, every edit that was there when it began is on the books now."""
    calendar = lease.calendar
    service = world.services.all[world.places[calendar]]
    struck = len(service.weather.struck) + world.struck
    pos, began = world.observer.pos, world.truth.now()
    state = world.books.rows("SELECT inventory_at FROM calendars WHERE id = ?", calendar)
    last_read, read_before = _last_read(world, calendar), len(world.readings.fresh)
    world.tally.passes += 1
    result = run_leased(running.context, lease, request)
    _note(world, result, calendar, service)
    if result.error is not None and _last_read(world, calendar) == last_read:
        # A later request failed, and nobody keeps what the first ones told.
        world.readings.lose({calendar}, since=read_before)
    full = request.full or state[0][0] is None or result.full
    world.services.note_strikes(service)
    clean = len(service.weather.struck) + world.struck == struck
    if result.error == "lease-lost":
        world.observer.mark("zombie-fenced")
        _forget_waits_off_the_books(world)
    if clean and result.error is None and not result.stopped and (full or world.services.feed_tells(calendar)):
        if full:
            world.services.lied.discard(calendar)
        before = began - timedelta(seconds=3)
        check_owed(world.observer, calendar, pos, before, world.expected.of(calendar))
    return result


def _note(world: World, result: PassResult, calendar: str, service: MemoryService) -> None:
    mark = world.observer.mark
    if result.stopped:
        mark("stampede-stopped")
    if result.state not in ("active", "stopped"):
        mark(f"state-{result.state}")
    if result.error is not None:
        mark(f"error-{result.error.split(' ')[0]}")
    if result.full:
        mark("full-read")
    if result.requests == 1 and result.error is None and not result.full:
        mark("quiet-pass")
