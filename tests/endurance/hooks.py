"""A burst of hooks, half of them forged, against the process that also has to do what they ask for."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import text

from calsync.store import watches
from calsync.store.watches import WatchRow
from tests.endurance.fleet import Fleet, running
from tests.endurance.progress import Progress
from tests.servers.process import free_port

CONNECTIONS = 64
LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Plan:
    """How many in how many seconds, for how many calendars; what 99 of 100 answers, and a calendar, may take."""

    hooks: int = 20_000
    seconds: float = 10.0
    calendars: int = 200
    slowest_s: float = 1.0
    most_passes: int = 2


@dataclass(slots=True)
class Told:
    """What it came to: how long answers took, by percent; `passes`: how many a calendar had, at most."""

    answered: Counter[int] = field(default_factory=Counter)
    waits: list[float] = field(default_factory=list)
    seconds: float = 0.0
    passes: int = 0
    problems: list[str] = field(default_factory=list)

    def slowest(self, share: float) -> float:
        """So many of the answers came within this time, in seconds."""
        return sorted(self.waits)[min(len(self.waits) - 1, int(len(self.waits) * share))]


def storm(folder: Path, plan: Plan, progress: Progress) -> Told:
    """Run the whole of it."""
    port = free_port()
    told = Told()
    more = f'[web]\nlisten = "127.0.0.1:{port}"\n[sync]\npoll_interval = "1h"\n'
    with Fleet(folder, plan.calendars, 1, more=more) as fleet:
        fleet.book()
        with running(fleet, "run") as program:
            fleet.wait(lambda: fleet.all_shown() and fleet.is_at_rest() and _nobody_works(fleet), program, 600)
            _open_channels(fleet)
            before = _passes(fleet)
            # In a thread of its own: a browser test of this process may have left its loop running in ours.
            with ThreadPoolExecutor(1) as pool:
                pool.submit(asyncio.run, _fire(plan, port, told, progress)).result()
            fleet.wait(lambda: _nobody_works(fleet) and _all_done(fleet), program, 120)
            after = _passes(fleet)
    counts = {calendar: after[calendar] - before[calendar] for calendar in after}
    told.passes = max(counts.values())
    told.problems += _judged(plan, told, counts)
    return told


def _judged(plan: Plan, told: Told, counts: dict[str, int]) -> list[str]:
    found = []
    if told.answered != {204: plan.hooks // 2, 404: plan.hooks - plan.hooks // 2}:
        found.append(f"the answers were {dict(told.answered)}")
    if told.slowest(0.99) >= plan.slowest_s:
        found.append(f"one in a hundred answers took {told.slowest(0.99):.2f} s or longer")
    if told.passes > plan.most_passes:
        found.append(f"a calendar was passed over {told.passes} times")
    return found + ["a calendar was not passed over at all"] * (min(counts.values()) == 0)


def _open_channels(fleet: Fleet) -> None:
    now = datetime.now(UTC)
    with fleet.books.transaction() as conn:
        for number in range(fleet.count):
            secret = watches.hash_of(f"secret-{number}".encode())
            until = now + timedelta(days=1)
            row = WatchRow(f"w-{number}", "google", f"c-{number}", f"r-{number}", secret, watches.OPEN, now, until)
            watches.insert(conn, row)


def _requests(plan: Plan) -> list[tuple[float, bytes]]:
    """When each is sent, in seconds from the beginning, and its bytes. Those of one calendar come close together."""
    chance = random.Random(20261122)
    made = []
    for place in range(plan.hooks):
        number = place * plan.calendars // plan.hooks
        secret = f"secret-{number}" if place % 2 else chance.choice((f"secret-{number + 1}x", "", "x" * 80))
        head = (
            f"POST /hooks/google HTTP/1.1\r\nHost: calsync\r\nX-Goog-Channel-ID: w-{number}\r\n"
            f"X-Goog-Channel-Token: {secret}\r\nX-Goog-Resource-ID: r-{number}\r\n"
            f"X-Goog-Resource-State: exists\r\nX-Goog-Message-Number: {place}\r\nContent-Length: 0\r\n\r\n"
        )
        made.append((place / plan.hooks * plan.seconds, head.encode()))
    return made


async def _fire(plan: Plan, port: int, told: Told, progress: Progress) -> None:
    """Send each at its time, whether or not those before were answered; its wait counts from that time."""
    begin = time.monotonic()
    requests = _requests(plan)
    lanes = [requests[lane::CONNECTIONS] for lane in range(CONNECTIONS)]
    await asyncio.gather(*(_lane(port, lane, begin, told) for lane in lanes))
    told.seconds = time.monotonic() - begin
    progress.step(len(told.waits), plan.hooks, f"{told.seconds:.1f} s")


async def _lane(port: int, requests: list[tuple[float, bytes]], begin: float, told: Told) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for at, content in requests:
        await asyncio.sleep(max(0.0, begin + at - time.monotonic()))
        writer.write(content)
        head = await reader.readuntil(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1])
        length = next(
            (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
        )
        if length:
            await reader.readexactly(length)
        told.waits.append(time.monotonic() - begin - at)
        told.answered[status] += 1
    writer.close()


def _passes(fleet: Fleet) -> dict[str, int]:
    with fleet.books.reading() as conn:
        return {str(name): int(fence) for name, fence in conn.execute(text("SELECT id, fence FROM calendars"))}


def _nobody_works(fleet: Fleet) -> bool:
    return fleet.number("SELECT count(*) FROM calendars WHERE lease_owner IS NOT NULL") == 0


def _all_done(fleet: Fleet) -> bool:
    return fleet.number("SELECT count(*) FROM calendars WHERE generation > done_generation") == 0
