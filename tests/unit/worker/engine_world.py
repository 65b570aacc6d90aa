"""Calendars that only note who works on them, for tests of what carries due passes. Real PostgreSQL, real threads.

Command: `python -m tests.unit.worker.engine_world URL KIND FILE`: a worker process; each run is a line in FILE.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from calsync.connector.protocol import Page
from calsync.connector.traits import Traits
from calsync.connector.wrappers import Around, WrapPorts, wrap
from calsync.store import calendars, providers, subject_changes
from calsync.store.calendars import CalendarRow, CalendarSpec
from calsync.store.database import Database, open_database
from calsync.store.listening import listen
from calsync.store.providers import ProviderRow
from calsync.system_ports import StopEvent, SystemClock, SystemIds, SystemSleep, WakeEvent
from calsync.worker.carried import CarriedDispatch
from calsync.worker.context import Rules, WorkerContext
from calsync.worker.dispatch import Dispatch, EmbeddedDispatch
from calsync.worker.heartbeat import keep_beating
from calsync.worker.loop import Loop
from calsync.worker.timers import Timers
from tests.unit.worker.world import KEYS, POLICY, ZONE

TRAITS = Traits(push=False, read_batch=50, write_batch=10, feed_proves=True, makes_calendars=False, series=True)


@dataclass
class Runs:
    """Who was worked on, and whether ever by two at once."""

    seconds: float = 0.0
    order: list[str] = field(default_factory=list)
    overlaps: int = 0
    now: Counter[str] = field(default_factory=Counter)
    told: Callable[[str], None] = lambda _calendar: None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def one(self, calendar: str) -> None:
        with self.lock:
            self.order.append(calendar)
            self.now[calendar] += 1
            self.overlaps += self.now[calendar] > 1
        self.told(calendar)
        time.sleep(self.seconds)
        with self.lock:
            self.now[calendar] -= 1


class Noted:
    """A calendar in which nothing ever changes."""

    traits = TRAITS

    def __init__(self, runs: Runs, calendar: str) -> None:
        self._runs, self._calendar = runs, calendar

    def changes(self, cursor: str | None, window: object, known: object) -> Iterator[Page]:
        self._runs.one(self._calendar)
        yield Page((), cursor or "c", full=cursor is None)

    def close(self) -> None:
        """Nothing is open."""


@dataclass
class Opener:
    """Hands out calendars that note their runs."""

    runs: Runs
    ports: WrapPorts
    the_rules: Rules = field(default_factory=lambda: Rules(decisions=POLICY))

    def open(self, row: CalendarRow) -> Around:
        return wrap(cast("Any", Noted(self.runs, row.id)), row.id, ports=self.ports)

    def forget(self, calendar: str) -> None:
        """Nothing is kept."""

    def rules(self, provider: str, practice: str | None = None) -> Rules:
        return self.the_rules


@dataclass
class Process:
    """One worker with its own loop, in a thread or as the whole process."""

    url: str
    kind: str
    runs: Runs
    threads: int = 4
    beats: bool = True
    database: Database = field(init=False)
    stop: StopEvent = field(default_factory=StopEvent)
    wake: WakeEvent = field(default_factory=WakeEvent)
    drained: bool | None = None

    def __post_init__(self) -> None:
        clock, ids, sleep = SystemClock(), SystemIds(), SystemSleep()
        self.database = open_database(self.url)
        self.worker = WorkerContext(
            database=self.database,
            clock=clock,
            ids=ids,
            sleep=sleep,
            keys=KEYS,
            opener=Opener(self.runs, WrapPorts(clock, ids, sleep)),
            owner=f"host/{os.getpid()}/{ids.new_id('worker')}",
            stop=self.stop,
        )
        self.dispatch: Dispatch = (
            CarriedDispatch(self.worker, threads=self.threads)
            if self.kind == "procrastinate"
            else EmbeddedDispatch(self.worker, threads=self.threads, ended=self.wake.set)
        )

    def run(self) -> None:
        self.database.on_push = self.wake.set
        if self.beats:
            threading.Thread(target=keep_beating, args=(self.worker, self.stop), daemon=True).start()
        heard = (self.database, self.wake.set, self.stop, self.worker.sleep)
        threading.Thread(target=listen, args=heard, daemon=True).start()
        timers = Timers(self.worker.clock)
        self.drained = Loop(self.worker, self.dispatch, timers, wake=self.wake).run(self.stop)
        self.database.dispose()

    def start(self) -> Process:
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        return self

    def end(self) -> None:
        self.stop.set()
        self.wake.set()
        self.thread.join(20)
        assert not self.thread.is_alive()


def add_calendars(database: Database, count: int) -> list[str]:
    """Put calendars on the books that are due now and have been read before."""
    names = [f"k{number:03}" for number in range(count)]
    now = SystemClock().now()
    with database.transaction() as conn:
        providers.put(conn, ProviderRow("P-1", "Dr. Made Up", "p1@example.org", ZONE))
        for name in names:
            calendars.register(conn, CalendarSpec(name, "P-1", "c", "memory", "mirror", "existing", "config"), now)
            calendars.set_remote(conn, name, name)
            calendars.save_reading(conn, name, "c", now, now)
            subject_changes.take_away_all(conn, name, subject_changes.pending(conn, name, 10))
    return names


def main(url: str, kind: str, file: Path) -> None:
    def told(calendar: str) -> None:
        with file.open("a") as out:
            out.write(f"{time.time()} {os.getpid()} {calendar}\n")

    process = Process(url, kind, Runs(seconds=60.0 if file.name.startswith("slow") else 0.0, told=told))
    process.run()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
