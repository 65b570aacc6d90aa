"""`./dev benchmark month [EVERY_MINUTES]`: a month of passes over one calendar with 60 links, polled so often.

Quiet: nothing changes anywhere. Edited: three sessions are dragged every day and put back. The daily jobs of a worker
run as they do at a site.
"""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta

from sqlalchemy import text
from tests.unit.worker.world import World

from benchmarks.caldav.memory import peak_mb
from benchmarks.figures import section
from calsync.cli.log_output import set_up_logging
from calsync.worker import retention

DAYS = 30
LINKS = 60
EDITS_A_DAY = 3
COLUMNS = ("month", "day", "passes", "rows in all tables", "of them for edits and writes", "peak MB")
OF_EDITS = ("edits", "drifts", "holds", "owed_writes", "observations", "audit", "outbox")


def month(kind: str, minutes: int) -> None:
    """One of both months, told line by line; in a process of its own, so that its memory is its own."""
    set_up_logging()
    world = World()
    world.settle(settle=timedelta(0), revert_limit=10_000)
    for number in range(LINKS):
        world.book(f"A-{number}", f"2027-{1 + number // 28:02}-{1 + number % 28:02}T10:00")
    for _ in range(3):
        world.run()
        world.later(minutes=minutes)
    passes = 0
    for day in range(DAYS + 1):
        if day in (0, 1, 10, 20, 30):
            print(day, passes, rows(world), rows(world, *OF_EDITS), round(peak_mb()), flush=True)
        for number in range(24 * 60 // minutes):
            if kind == "edited" and number < EDITS_A_DAY:
                events = sorted(world.people.ids())
                world.people.drag(events[(day * EDITS_A_DAY + number) % len(events)], timedelta(hours=1))
            world.run()
            passes += 1
            world.later(minutes=minutes)
        retention.forget(world.database, timedelta(days=60), world.clock.now())


def rows(world: World, *names: str) -> int:
    """How many rows these tables have; all of them, where none is named."""
    with world.database.reading() as conn:
        every = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
        tables = names or tuple(conn.execute(text(every)).scalars())
        return sum(int(conn.execute(text(f'SELECT count(*) FROM "{name}"')).scalar_one()) for name in tables)


def main(minutes: int) -> None:
    """Both, one after the other."""
    with section("month", "rows", *COLUMNS) as table:
        for kind in ("quiet", "edited"):
            command = [sys.executable, "-m", "benchmarks.month", kind, str(minutes)]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
                assert process.stdout is not None
                for line in process.stdout:
                    table.add(kind, *map(int, line.split()))


if __name__ == "__main__":
    if sys.argv[1:2] in (["quiet"], ["edited"]):
        month(sys.argv[1], int(sys.argv[2]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
