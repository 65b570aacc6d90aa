"""`./dev benchmark engine [passes | waiting | push | takeover | steady]...`; without words, all of it."""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.servers.postgres import Postgres, running_postgres

from benchmarks.engine.fleet import Fleet, fill, rows
from benchmarks.figures import Section, chart, results, section
from calsync.store import work
from calsync.store.database import Database, open_database
from calsync.store.upgrade import upgrade
from calsync.store.work import Priority

POLL = timedelta(minutes=5)
PASSES = 1500
PASSES_OF_SLOW = 600
SLOW_S = 0.05
WARM_UP = 200
PUSHES = 100
STEADY_S = 20.0
SETTINGS = (
    ("sqlite", "embedded", (1,)),
    ("postgresql", "embedded", (1, 2, 4)),
    ("postgresql", "procrastinate", (1, 2, 4)),
)


class Bench:
    """One PostgreSQL and one folder."""

    def __init__(self, postgres: Postgres, folder: Path) -> None:
        self.postgres = postgres
        self.folder = folder
        self.pid = int((postgres.folder / "data" / "postmaster.pid").read_text().split()[0])
        self.number = 0

    def fresh(self, kind: str) -> tuple[str, int | None, Path]:
        """A new database, its server's process, and a folder for what workers tell."""
        self.number += 1
        place = self.folder / str(self.number)
        place.mkdir()
        url = f"sqlite:///{place / 'books.db'}" if kind == "sqlite" else self.postgres.url(self.postgres.create())
        upgrade(url)
        return url, None if kind == "sqlite" else self.pid, place

    def throughput(self, table: Section, database: str, kind: str, workers: int, *, wait: float = 0.0) -> float:
        """All calendars due at once, each with nothing to say; `wait`: what their services take to say so.

        The clock starts when every worker is up and has connections: a start is not a pass.
        """
        url, pid, place = self.fresh(database)
        books = open_database(url)
        count = PASSES_OF_SLOW if wait else PASSES
        fill(books, count + WARM_UP, spread=timedelta(days=1))
        with Fleet(url, kind, workers, place, server_pid=pid, wait=wait) as fleet:
            fleet.wait_until_ready(books)
            _make_due(books, f"id < 'k{WARM_UP:06}'")
            fleet.wait_for(WARM_UP)
            time.sleep(1)
            fleet.start_counting()
            _make_due(books, f"id >= 'k{WARM_UP:06}'")
            found = fleet.wait_for(count + WARM_UP)
            seconds = found[-1][0] - found[WARM_UP][0]
            worker, server = fleet.counted()
            fleet.end()
        books.dispose()
        twice = len(found) - len({calendar for _, calendar in found})
        cores = (worker + server) / seconds
        rate = count / seconds
        per = 1000 / count
        table.add(database, kind, workers, rate, worker * per, server * per, cores, twice)
        return rate

    def push_to_start(self, table: Section, database: str, kind: str) -> None:
        """Pushes from another process, one after the other, to idle workers."""
        url, pid, place = self.fresh(database)
        books = open_database(url)
        fill(books, PUSHES, spread=-POLL)
        with books.transaction() as conn:
            conn.exec_driver_sql(f"UPDATE calendars SET due_at = due_at + {10**12}")
        with Fleet(url, kind, 2 if pid else 1, place, server_pid=pid) as fleet:
            fleet.wait_until_ready(books)
            time.sleep(2)
            at: dict[str, float] = {}
            for number in range(PUSHES):
                calendar = f"k{number:06}"
                with books.transaction() as conn:
                    work.push(conn, calendar, datetime.now(UTC), Priority.PUSH)
                at[calendar] = time.time()
                time.sleep(0.05)
            found = fleet.wait_for(PUSHES, 60)
            fleet.end()
        books.dispose()
        late = sorted((started - at[calendar]) * 1000 for started, calendar in found if calendar in at)
        p99 = late[min(len(late) - 1, int(len(late) * 0.99))]
        table.add(database, kind, statistics.median(late), p99)

    def steady_state(self, table: Section, database: str, kind: str, calendars: int) -> None:
        """Calendars polled every five minutes: what one worker needs, and what the books grow by."""
        url, pid, place = self.fresh(database)
        books = open_database(url)
        fill(books, calendars, spread=POLL)
        books.dispose()
        before = rows(url)
        with Fleet(url, kind, 1, place, server_pid=pid) as fleet:
            books = open_database(url)
            fleet.wait_until_ready(books)
            books.dispose()
            passes = len(fleet.lines())
            fleet.start_counting()
            time.sleep(STEADY_S)
            worker, server = fleet.counted()
            passes = len(fleet.lines()) - passes
            (told,) = fleet.end()
        after = rows(url)
        grown = sum(abs(after[name] - before[name]) for name in after)
        share = 100 / STEADY_S
        table.add(
            database, kind, calendars, passes / STEADY_S, worker * share, server * share, round(told["rss_mb"]), grown
        )

    def takeover(self, table: Section, kind: str, *, starts: bool) -> None:
        """A worker killed in the middle of its calendars; from the kill to their last run by another.

        `starts`: the heir is started by the kill, as a service manager would, instead of being there already.
        """
        url, pid, place = self.fresh("postgresql")
        books = open_database(url)
        fill(books, 200)
        with Fleet(url, kind, 1, place, server_pid=pid, threads=4) as fleet:
            fleet.wait_for(200)
            with books.transaction() as conn:
                owner = str(conn.exec_driver_sql("SELECT owner FROM workers").scalar_one())
            if not starts:
                fleet.add(1)
                fleet.count = 2
                fleet.wait_until_ready(books)
            with books.transaction() as conn:
                # What it would have had in its hands.
                held = f"due_at = 0, lease_owner = '{owner}', lease_until = {2**60}"
                conn.exec_driver_sql(f"UPDATE calendars SET {held} WHERE id < 'k000016'")
            fleet.processes[0].kill()
            killed_at = time.time()
            if starts:
                fleet.add(1)
            last = fleet.wait_for(216, 60)[-1][0]
            fleet.processes[0].wait()
            fleet.processes = fleet.processes[1:]
            fleet.end()
        books.dispose()
        table.add(kind, "started after the kill" if starts else "running", last - killed_at)


def _make_due(books: Database, which: str) -> None:
    with books.transaction() as conn:
        conn.exec_driver_sql(f"UPDATE calendars SET due_at = {int(time.time() * 1e6) - 1} WHERE {which}")
        work.push(conn, "nobody", datetime.now(UTC))  # whoever waits is woken


def passes(bench: Bench) -> None:
    """As many passes as there are processors for."""
    with section("engine", "passes", *THROUGHPUT) as table:
        for database, kind, numbers in SETTINGS:
            for number in numbers:
                bench.throughput(table, database, kind, number)
    _chart_passes()


def waiting(bench: Bench) -> None:
    """The services are what takes the time."""
    with section("engine", "waiting", *THROUGHPUT) as table:
        for database, kind, numbers in SETTINGS[1:]:
            for number in numbers:
                bench.throughput(table, database, kind, number, wait=SLOW_S)
    _chart_passes()


def push(bench: Bench) -> None:
    """From a push to the pass."""
    with section("engine", "push", "books", "kind", "p50 ms", "p99 ms") as table:
        for database, kind, _ in SETTINGS:
            bench.push_to_start(table, database, kind)


def takeover(bench: Bench) -> None:
    """A killed worker's calendars."""
    with section("engine", "takeover", "kind", "the heir", "s from kill -9 to the last run") as table:
        for kind in ("embedded", "procrastinate"):
            for starts in (False, True):
                bench.takeover(table, kind, starts=starts)


def steady(bench: Bench) -> None:
    """What calendars cost that are polled every five minutes."""
    columns = ("books", "kind", "calendars", "passes/s", "worker, % of a core", "server, %", "peak MB", "rows grown")
    with section("engine", "steady", *columns) as table:
        for calendars in (100, 1000, 10_000):
            for database in ("sqlite", "postgresql"):
                bench.steady_state(table, database, "embedded", calendars)
        bench.steady_state(table, "postgresql", "procrastinate", 10_000)
        chart(
            "engine-memory", "Peak memory of a worker by calendars, MB", {f"{r[0]}, {r[2]:,}": r[6] for r in table.rows}
        )


def _chart_passes() -> None:
    known = results("engine")
    bars: dict[str, float] = {}
    for key, after in (("passes", "at once"), ("waiting", "50 ms")):
        for row in known.get(key, {}).get("rows", []):
            bars[f"{row[0]}, {row[1]}, {row[2]}, {after}"] = row[3]
    chart("engine-passes", "Passes a second with nothing to do", bars)


THROUGHPUT = (
    *("books", "kind", "workers", "passes/s", "worker CPU ms/pass", "server CPU ms/pass", "cores in use", "run twice"),
)
PARTS: dict[str, Callable[[Bench], None]] = {part.__name__: part for part in (passes, waiting, push, takeover, steady)}


def main(words: list[str]) -> None:
    """Measure what was named."""
    folder = Path(tempfile.mkdtemp())
    try:
        with running_postgres() as postgres:
            bench = Bench(postgres, folder)
            for word in words or PARTS:
                PARTS[word](bench)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main(sys.argv[1:])
