"""Runs all of it and prints tables in Markdown: `./dev benchmark engine [quick]`. Charts go to `docs/charts`."""

from __future__ import annotations

import platform
import re
import shutil
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pygal
from tests.servers.postgres import Postgres, running_postgres

from benchmarks.engine.fleet import Fleet, fill, rows
from calsync.store import work, workers
from calsync.store.database import open_database
from calsync.store.upgrade import upgrade
from calsync.store.work import Priority

CHARTS = Path("docs/charts")
POLL = timedelta(minutes=5)


class Bench:
    """One PostgreSQL, one folder, and how much of everything."""

    def __init__(self, postgres: Postgres, folder: Path, *, quick: bool) -> None:
        self.postgres = postgres
        self.folder = folder
        self.passes = 400 if quick else 3000
        self.pushes = 20 if quick else 200
        self.steady = 10.0 if quick else 40.0
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

    def throughput(self, database: str, kind: str, workers: int, *, wait: float = 0.0) -> float:
        """All calendars due at once, each with nothing to say; `wait`: what their services take to say so."""
        url, pid, place = self.fresh(database)
        books = open_database(url)
        fill(books, self.passes)
        books.dispose()
        with Fleet(url, kind, workers, place, server_pid=pid, wait=wait) as fleet:
            found = fleet.wait_for(self.passes)
            told, server = fleet.end()
        seconds = found[-1][0] - found[0][0]
        cpu = sum(one["cpu"] for one in told) * 1000 / self.passes
        twice = len(found) - len({calendar for _, calendar in found})
        rate = len(found) / seconds
        cells = [f"{rate:.0f}", f"{cpu:.2f}", f"{server * 1000 / self.passes:.2f}", str(twice)]
        print(f"| {database}, {kind}, {wait * 1000:.0f} ms | {workers} | {' | '.join(cells)} |", flush=True)
        return rate

    def push_to_start(self, database: str, kind: str) -> None:
        """Pushes from another process, one after the other, to idle workers."""
        url, pid, place = self.fresh(database)
        books = open_database(url)
        fill(books, self.pushes, spread=-POLL)
        with books.transaction() as conn:
            conn.exec_driver_sql(f"UPDATE calendars SET due_at = due_at + {10**12}")
        with Fleet(url, kind, 2 if pid else 1, place, server_pid=pid) as fleet:
            while workers.count(books) < len(fleet.processes):
                time.sleep(0.2)
            time.sleep(2)
            at: dict[str, float] = {}
            for number in range(self.pushes):
                calendar = f"k{number:06}"
                with books.transaction() as conn:
                    work.push(conn, calendar, datetime.now(UTC), Priority.PUSH)
                at[calendar] = time.time()
                time.sleep(0.05)
            found = fleet.wait_for(self.pushes, 60)
            fleet.end()
        books.dispose()
        late = sorted((started - at[calendar]) * 1000 for started, calendar in found if calendar in at)
        p99 = late[min(len(late) - 1, int(len(late) * 0.99))]
        print(f"| {database}, {kind} | {statistics.median(late):.0f} | {p99:.0f} |", flush=True)

    def steady_state(self, database: str, kind: str, calendars: int) -> tuple[float, float]:
        """Calendars polled every five minutes: what one worker needs, and what the books grow by."""
        url, pid, place = self.fresh(database)
        books = open_database(url)
        fill(books, calendars, spread=POLL)
        books.dispose()
        before = rows(url)
        with Fleet(url, kind, 1, place, server_pid=pid) as fleet:
            time.sleep(self.steady)
            (told,), server = fleet.end()
        after = rows(url)
        grown = {name: after[name] - before[name] for name in after if after[name] != before[name]}
        share = told["cpu"] / self.steady * 100
        cells = [f"{told['runs'] / self.steady:.1f}", f"{share:.1f}", f"{server / self.steady * 100:.1f}"]
        print(
            f"| {database}, {kind} | {calendars:,} | {' | '.join(cells)} | {told['rss_mb']:.0f} | {grown or 0} |",
            flush=True,
        )
        return share, told["rss_mb"]

    def takeover(self, kind: str) -> None:
        """A worker killed in the middle of its calendars; from the kill to their last run by another."""
        url, pid, place = self.fresh("postgresql")
        books = open_database(url)
        fill(books, 200)
        with Fleet(url, kind, 1, place, server_pid=pid, threads=4) as fleet:
            fleet.wait_for(200)
            owner = ""
            with books.transaction() as conn:
                owner = str(conn.exec_driver_sql("SELECT owner FROM workers").scalar_one())
                # What it would have had in its hands.
                held = f"due_at = 0, lease_owner = '{owner}', lease_until = {2**60}"
                conn.exec_driver_sql(f"UPDATE calendars SET {held} WHERE id < 'k000016'")
            fleet.processes[0].kill()
            killed_at = time.time()
            fleet.add(1)
            last = fleet.wait_for(216, 60)[-1][0]
            fleet.processes = fleet.processes[1:]
            fleet.end()
        books.dispose()
        print(f"| {kind} | {last - killed_at:.1f} |", flush=True)


def chart(name: str, title: str, labels: list[str], values: list[float]) -> None:
    """Draw one series of bars."""
    style = pygal.style.CleanStyle(font_family="sans-serif")
    bars = pygal.HorizontalBar(
        show_legend=False, title=title, style=style, print_values=True, width=800, height=60 + 45 * len(labels), js=[]
    )
    bars.x_labels = labels
    bars.add("", [round(value, 1) for value in values])
    CHARTS.mkdir(parents=True, exist_ok=True)
    drawn = re.sub(r"<!--.*?-->", "", bars.render(is_unicode=True), flags=re.DOTALL)
    (CHARTS / f"{name}.svg").write_text(drawn)


def main(*, quick: bool) -> None:
    print(f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {platform.machine()}, two cores\n")
    folder = Path(tempfile.mkdtemp())
    try:
        with running_postgres() as postgres:
            bench = Bench(postgres, folder, quick=quick)
            print("| engine | workers | passes/s | worker CPU ms/pass | server CPU ms/pass | run twice |")
            print("| --- | --: | --: | --: | --: | --: |")
            rates = {"sqlite, embedded, 1": bench.throughput("sqlite", "embedded", 1)}
            for kind in ("embedded", "procrastinate"):
                for number in (1, 2, 4):
                    rates[f"{kind}, {number}"] = bench.throughput("postgresql", kind, number)
            for kind in ("embedded", "procrastinate"):
                for number in (1, 2):
                    rates[f"{kind}, {number}, 50 ms"] = bench.throughput("postgresql", kind, number, wait=0.05)
            chart("engine-passes", "Passes a second with nothing to do", list(rates), list(rates.values()))
            print("\n| engine | push to start p50 ms | p99 ms |\n| --- | --: | --: |")
            for database, kind in (("sqlite", "embedded"), ("postgresql", "embedded"), ("postgresql", "procrastinate")):
                bench.push_to_start(database, kind)
            print("\n| engine | from kill -9 to the last run by another, s |\n| --- | --: |")
            for kind in ("embedded", "procrastinate"):
                bench.takeover(kind)
            print("\n| engine | calendars, every 5 min | passes/s | worker % of a core | server % | MB | rows grown |")
            print("| --- | --: | --: | --: | --: | --: | --- |")
            memory: dict[str, float] = {}
            for calendars in (100, 1000, 10_000):
                for database in ("sqlite", "postgresql"):
                    _, memory[f"{database}, {calendars:,}"] = bench.steady_state(database, "embedded", calendars)
            bench.steady_state("postgresql", "procrastinate", 10_000)
            chart("engine-memory", "Peak memory of a worker by calendars, MB", list(memory), list(memory.values()))
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main(quick="quick" in sys.argv[1:])
