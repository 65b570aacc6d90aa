"""From a person's drag to the drift on the books and to the event put back, beside a bare echo.

A `calsync run` of its own with settle 0: by push with a poll of an hour, so that only pushes can be what wakes it, and
by poll alone. The echo answers each push by reading the feed and patching the event, in one process that does no more.
"""

from __future__ import annotations

import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, Protocol

from tests.servers.process import free_port

from benchmarks.figures import Section
from calsync.cli.main import run
from calsync.settings.secrets import create_key_file
from calsync.system_ports import SystemIds

COLUMNS = ("woken by", "what", "edits", "p50 ms", "p99 ms")
DEADLINE_S = 240.0
POLL_S = 2
# Between two edits, so that the burst of pushes of the last one is over: within it, the next waits for its end.
REST_S = 6.0
OWNER = "ash@practice.example"
ZONE = "America/New_York"
DRAG = timedelta(minutes=15)


class Hands(Protocol):
    """A person at a calendar. `drag` also has the service tell whoever watches."""

    def events(self) -> list[str]:
        """The events' names."""

    def starts_at(self, event: str) -> object:
        """When an event starts now."""

    def drag(self, event: str) -> None:
        """Drag it by a quarter of an hour."""


class Desk(Protocol):
    """A running stand-in with one account."""

    def write_config(self, folder: Path, provider: str, name: str) -> str:
        """Her part of the config."""

    def starts(self) -> list[datetime]:
        """The starts of all that her calendars show."""


class Putting(Protocol):
    """Something that looks and puts back."""

    def put_back(self) -> None:
        """Once."""


@dataclass(frozen=True)
class Place:
    """One service. `echo`: a calendar with so many events, and a bare echo that watches it."""

    running: Callable[[], AbstractContextManager[Any]]
    scheme: str
    hands: Callable[[Any], Hands]
    is_watched: Callable[[Any], bool]
    echo: Callable[[Any, int], AbstractContextManager[Hands]]


def measure(table: Section, place: Place, edits: int) -> None:
    """Edits one after the other, answered by push, by poll, and by the echo."""
    for woken, count in (("push", edits), (f"poll every {POLL_S} s", max(10, edits // 3))):
        recorded, put_back = calsync_side(place, count, push=woken == "push")
        add(table, woken, "calsync: on the books", recorded)
        add(table, woken, "calsync: put back", put_back)
    with place.running() as desk, place.echo(desk, edits) as hands:
        add(table, "push", "bare echo", [put_back_after(hands, event) for event in hands.events()[:edits]])


def add(table: Section, woken: str, what: str, taken: list[float]) -> None:
    """A row of two quantiles."""
    cuts = statistics.quantiles(taken, n=100)
    table.add(woken, what, len(taken), cuts[49] * 1000, cuts[98] * 1000)


def calsync_side(place: Place, edits: int, *, push: bool) -> tuple[list[float], list[float]]:
    """Seconds to the record, and to the event put back, of each edit."""
    with tempfile.TemporaryDirectory() as name, place.running() as desk:
        folder, port = Path(name), free_port()
        create_key_file(folder / "calsync.key", SystemIds())
        address = f'public_url = "{place.scheme}://127.0.0.1:{port}"\n' if push else ""
        head = (
            f'[sync]\npoll_interval = "{3600 if push else POLL_S}s"\n'
            f'[drift]\nsettle = "0s"\nrevert_limit = {edits * 2}\nstampede_min = 100000\n'
            f'[claims]\nbackfilled = "clear"\n[web]\nlisten = "127.0.0.1:{port}"\n{address}'
        )
        config = folder / "calsync.toml"
        config.write_text(head + desk.write_config(folder, "ash", "Dr. Ash"), encoding="utf-8")
        where = ["--config", str(config)]
        assert run(["db", "upgrade", *where]) == 0
        (folder / "rows.csv").write_text(rows(2 * edits), encoding="utf-8")
        assert run(["appointments", "import", str(folder / "rows.csv"), *where]) == 0
        with (folder / "log").open("wb") as log:
            worker = subprocess.Popen([sys.executable, "-m", "calsync", "run", *where], stdout=log, stderr=log)
        try:
            wait(lambda: len(desk.starts()) == 2 * edits and (not push or place.is_watched(desk)), "the first push")
            return measured(place.hands(desk), folder / "calsync.db", edits)
        finally:
            worker.terminate()
            worker.wait(20)


def measured(hands: Hands, database: Path, edits: int) -> tuple[list[float], list[float]]:
    """Drag one after the other; our own echoes have come back before each."""
    books = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    recorded, put_back = [], []
    for number, event in enumerate(hands.events()[:edits], start=1):
        before = hands.starts_at(event)
        time.sleep(REST_S)
        began = time.perf_counter()
        hands.drag(event)
        recorded.append(wait(lambda n=number: drifts(books) >= n, "the record") - began)  # type: ignore[misc]
        put_back.append(wait(lambda e=event, was=before: hands.starts_at(e) == was, "the event") - began)  # type: ignore[misc]
    books.close()
    return recorded, put_back


def drifts(books: sqlite3.Connection) -> int:
    """How many edits are on the books."""
    return int(books.execute("select count(*) from drifts").fetchone()[0])


def put_back_after(hands: Hands, event: str) -> float:
    """Seconds until an event is where it was."""
    before = hands.starts_at(event)
    began = time.perf_counter()
    hands.drag(event)
    return wait(lambda: hands.starts_at(event) == before, "the echo") - began


def wait(holds: Callable[[], bool], what: str) -> float:
    """The stopwatch when it holds."""
    until = time.perf_counter() + DEADLINE_S
    while not holds():
        if time.perf_counter() > until:
            raise SystemExit(f"waited in vain for {what}")
        time.sleep(0.001)
    return time.perf_counter()


def rows(count: int) -> str:
    """Appointments to import, eight a day."""
    lines = ["id,provider,client,start,end,zone,kind,status,series,rule,code"]
    for number in range(count):
        start = datetime(2027, 1, 4, 8) + timedelta(days=number // 8, hours=number % 8)
        times = f"{start.isoformat()},{(start + timedelta(minutes=50)).isoformat()}"
        lines.append(f"{number},ash,k-{number},{times},{ZONE},follow-up,scheduled,,,90834")
    return "\n".join(lines) + "\n"


@contextmanager
def hook(echo: Putting, answer: Callable[[BaseHTTPRequestHandler], bool]) -> Any:
    """A place for pushes, its address; `answer` answers a call and says whether it was a push."""

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            if answer(self):
                threading.Thread(target=echo.put_back).start()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Nothing."""

    server = HTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
