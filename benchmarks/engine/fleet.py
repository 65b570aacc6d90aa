"""Worker processes on one database, and what they and the database's server used."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil
from sqlalchemy import text
from tests.unit.worker.world import ZONE

from calsync.store import workers
from calsync.store.database import Database, open_database
from calsync.store.schema import calendars, providers

CHUNK = 1000


@dataclass
class Fleet:
    """Some workers of one kind, from start to end. `server_pid`: PostgreSQL's main process, None for SQLite."""

    url: str
    kind: str
    count: int
    folder: Path
    threads: int = 8
    server_pid: int | None = None
    wait: float = 0.0  # how long each calendar's service takes to answer, in seconds
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __enter__(self) -> Self:
        for number in range(self.count):
            self.add(number)
        self.start_counting()
        return self

    def start_counting(self) -> None:
        """CPU counts from here on: what a worker's start costs is not what a pass costs."""
        self._server_before = self._server_cpu()
        self._workers_before = self._workers_cpu()

    def counted(self) -> tuple[float, float]:
        """CPU seconds of the workers and of the database's server since then."""
        return self._workers_cpu() - self._workers_before, self._server_cpu() - self._server_before

    def wait_until_ready(self, books: Database) -> None:
        """Until every worker has said that it lives, and has passed what was due for it to warm up on."""
        until = time.monotonic() + 120
        while workers.count(books) < self.count:
            assert time.monotonic() < until, "no worker came up"
            time.sleep(0.2)

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, _: TracebackType | None
    ) -> None:
        if problem is not None:
            self.end()

    def add(self, number: int) -> None:
        """Start one more."""
        command = [sys.executable, "-m", "benchmarks.engine.worker_side", self.url, self.kind]
        self.processes.append(
            subprocess.Popen([*command, str(self.folder / f"w{number}"), str(self.threads), str(self.wait)])
        )

    def lines(self) -> list[tuple[float, str]]:
        """All runs so far, by their instants."""
        found = []
        for file in self.folder.glob("w?"):
            for line in file.read_text().splitlines():
                at, _, calendar = line.partition(" ")
                if calendar:
                    found.append((float(at), calendar))
        return sorted(found)

    def wait_for(self, count: int, seconds: float = 300.0) -> list[tuple[float, str]]:
        """Wait until there were so many runs."""
        until = time.monotonic() + seconds
        while len(found := self.lines()) < count:
            if time.monotonic() > until:
                raise TimeoutError(f"{len(found)} of {count} runs")
            time.sleep(0.2)
        return found

    def end(self) -> list[dict[str, Any]]:
        """Stop all in order: what each of them told."""
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            process.wait(30)
        return [json.loads(file.read_text()) for file in sorted(self.folder.glob("w?.json"))]

    def _workers_cpu(self) -> float:
        total = 0.0
        for process in self.processes:
            with suppress(psutil.NoSuchProcess):
                times = psutil.Process(process.pid).cpu_times()
                total += times.user + times.system
        return total

    def _server_cpu(self) -> float:
        if self.server_pid is None:
            return 0.0
        main = psutil.Process(self.server_pid)
        total = 0.0
        for one in [main, *main.children(recursive=True)]:
            try:
                times = one.cpu_times()
            except psutil.NoSuchProcess:
                continue
            total += times.user + times.system + times.children_user + times.children_system
        return total


def fill(database: Database, count: int, *, spread: timedelta = timedelta()) -> None:
    """Put calendars on the books that have been read before, due now, or spread over a time from now on."""
    now = datetime.now(UTC)
    with database.transaction() as conn:
        conn.execute(providers.insert(), [{"id": "P", "name": "P", "email": "p@example.org", "zone": ZONE}])
        for first in range(0, count, CHUNK):
            conn.execute(
                calendars.insert(),
                [
                    {
                        "id": f"k{number:06}",
                        "provider": "P",
                        "connection": "c",
                        "connector": "memory",
                        "mode": "mirror",
                        "placement": "existing",
                        "source": "config",
                        "remote": f"k{number:06}",
                        "cursor": "c",
                        "last_read_at": now,
                        "inventory_at": now,
                        "due_at": now + spread * ((number + 1) / count),
                    }
                    for number in range(first, min(count, first + CHUNK))
                ],
            )


def rows(url: str) -> dict[str, int]:
    """How many rows every table has."""
    database = open_database(url)
    try:
        with database.reading() as conn:
            names = (
                "calendars",
                "links",
                "owed_writes",
                "observations",
                "audit",
                "claims_touched",
                "outbox",
                "workers",
            )
            return {name: int(conn.execute(text(f"SELECT count(*) FROM {name}")).scalar_one()) for name in names}
    finally:
        database.dispose()
