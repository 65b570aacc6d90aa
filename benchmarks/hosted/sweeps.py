"""Sweeps over many calendars: nothing changed, and one event in a hundred edited; CPU of this process alone.

The service is a stand-in in a process of its own, whose state is made directly. *bare* sends the same requests by the
same HTTP library and parses the answers; *calsync* is the connector.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from benchmarks.figures import Section
from calsync.connector.protocol import Calendar, Seen
from calsync.domain.span import Window

WINDOW = Window(datetime(2026, 10, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC))
ONLY_QUIET = 10_000  # so many calendars are only looked at: what an edit costs does not depend on their number
COLUMNS = ("calendars", "sweep", "who", "CPU ms a calendar", "CPU beside bare", "requests", "least possible", "events")


class StandIn:
    """The other process."""

    def __init__(self, service: str, calendars: int, events: int) -> None:
        command = [sys.executable, "-m", f"benchmarks.{service}.stand_in", str(calendars), str(events)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.told = self._line()

    def _line(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        told: dict[str, Any] = json.loads(self._process.stdout.readline())
        return told

    def drag(self, events: list[tuple[int, int]]) -> int:
        """Let people drag events (calendar's and event's number); returns how many requests were served so far."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"drag": events}) + "\n")
        self._process.stdin.flush()
        return int(self._line()["requests"])

    def stop(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(20)


class Side(Protocol):
    """A client that follows calendars."""

    def look(self, name: str) -> int:
        """Follow one calendar from where it stood; returns how many events came."""


class Known(dict[str, str]):
    """Versions on the books."""

    def versions(self, remote_ids: Sequence[str]) -> dict[str, str]:
        """See `calsync.connector.protocol.Known`."""
        return {name: self[name] for name in remote_ids if name in self}


@dataclass
class Ours:
    """calsync's connector, one calendar object for each."""

    calendars: dict[str, Calendar]
    cursors: dict[str, str | None] = field(default_factory=dict)
    books: dict[str, Known] = field(default_factory=dict)

    def look(self, name: str) -> int:
        """See `Side`."""
        came = 0
        book = self.books.setdefault(name, Known())
        for page in self.calendars[name].changes(self.cursors.get(name), WINDOW, book):
            for item in page.items:
                came += 1
                if isinstance(item, Seen):
                    book[item.remote_id] = item.version
            self.cursors[name] = page.cursor or self.cursors.get(name)
        return came


@dataclass(frozen=True)
class Service:
    """How one service is looked at. `extra`: requests that an edited event takes besides its calendar's feed."""

    name: str
    names: Callable[[dict[str, Any]], list[str]]
    bare: Callable[[dict[str, Any]], Side]
    ours: Callable[[dict[str, Any], Path], dict[str, Calendar]]
    extra: int


def sweep(names: list[str], look: Callable[[str], int]) -> tuple[float, int]:
    """CPU seconds of one look at each calendar, and how many events came."""
    cpu = time.process_time()
    came = sum(look(name) for name in names)
    return time.process_time() - cpu, came


def run(table: Section, service: Service, calendars: int, events: int, sweeps: int) -> None:
    """Both kinds of sweep over that many calendars, both sides in turn."""
    there = StandIn(service.name, calendars, events)
    names = service.names(there.told)
    with tempfile.TemporaryDirectory() as folder:
        ours = Ours(service.ours(there.told, Path(folder)))
        sides: dict[str, Side] = {"bare": service.bare(there.told), "calsync": ours}
        for side in sides.values():
            sweep(names, side.look)  # everything is new, and connections are made
        edited = [(n % calendars, n // calendars % events) for n in range(max(1, calendars * events // 100))]
        works: list[tuple[str, list[tuple[int, int]]]] = [("nothing changed", []), ("1 % edited", edited)]
        for work, changes in works if calendars < ONLY_QUIET else works[:1]:
            found: dict[str, list[tuple[float, int, int]]] = {name: [] for name in sides}
            for _ in range(sweeps):
                before = there.drag(changes)
                for name, side in sides.items():
                    cpu, came = sweep(names, side.look)
                    after = there.drag([])
                    found[name].append((cpu, after - before, came))
                    before = after
            bare = statistics.median(cpu for cpu, _, _ in found["bare"])
            for name, rows in found.items():
                cpu = statistics.median(row[0] for row in rows)
                requests = round(statistics.median(row[1] for row in rows))
                least = calendars + service.extra * len(changes)
                per = cpu * 1000 / calendars
                table.add(calendars, work, name, per, cpu / bare, requests, least, rows[0][2])
        for calendar in ours.calendars.values():
            calendar.close()
    there.stop()
