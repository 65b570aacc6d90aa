"""calsync as a process that stays: passes over one calendar, each measured from inside, as the worker runs them.

Command: `python -m benchmarks.caldav.calsync_side CONFIG CALENDAR`. Lines on its standard input: `pass N`, answered by
one JSON line about those passes; `push`, which goes on until nothing is owed; `look N`, the connector's part alone;
`beside N USER`, passes, looks and bare requests in turn, so that all of them meet the same machine; `round N USER`,
rounds of the worker's own dispatch over all calendars, and the same requests by a bare client, in turn.
"""

from __future__ import annotations

import base64
import csv
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.caldav.memory import peak_mb
from calsync.cli.context import App
from calsync.cli.log_output import set_up_logging
from calsync.settings.secrets import create_key_file
from calsync.store import calendars
from calsync.system_ports import SystemIds
from calsync.worker.context import PassResult
from calsync.worker.dispatch import EmbeddedDispatch, run_now
from calsync.worker.leased_run import Request, run_leased
from calsync_caldav import dav_xml

ZONE = "America/New_York"
A_DAY = 16
XML = {"Content-Type": "application/xml; charset=utf-8", "Depth": "0"}
_CONFIG = """\
[sync]
mode = "act"
[drift]
settle = "0s"
stampede_share = 0.5
[[providers]]
id = "ash"
name = "Dr. Ash"
email = "ash@example.org"
zone = "{zone}"
practice = "default"
"""
_CALENDAR = """\
[[providers.calendars]]
id = "{name}"
connector = "caldav"
url = "{url}"
username = "{user}"
password_file = "password"
"""


class Installation:
    """An installation in a folder, and its resident process."""

    def __init__(self, folder: Path, url: str, user: str, more: Sequence[str] = ()) -> None:
        """`more`: further calendars of the same user."""
        folder.mkdir()
        self.folder = folder
        create_key_file(folder / "calsync.key", SystemIds())
        (folder / "password").touch(mode=0o600)
        (folder / "password").write_text(user)
        config = _CONFIG.format(zone=ZONE) + _CALENDAR.format(name="ash-cal", url=url, user=user)
        for number, other in enumerate(more):
            config += _CALENDAR.format(name=f"ash-{number}", url=other, user=user)
        (folder / "calsync.toml").write_text(config)
        self.calsync("db", "upgrade")
        self._process: Any = None

    def calsync(self, *line: str) -> None:
        """Run a command."""
        command = [sys.executable, "-m", "calsync", *line, "--config", str(self.folder / "calsync.toml")]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    def book(self, numbers: range, *, later: timedelta = timedelta()) -> None:
        """Import appointments by their numbers: 16 a day from tomorrow on; `later` moves them."""
        first = datetime.now(UTC).replace(tzinfo=None, hour=6, minute=0, second=0, microsecond=0) + timedelta(days=2)
        path = self.folder / "appointments.csv"
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["id", "provider", "client", "start", "end", "zone", "kind", "status"])
            for number in numbers:
                start = first + timedelta(days=number // A_DAY, hours=number % A_DAY) + later
                end = start + timedelta(minutes=50)
                times = [start.isoformat(), end.isoformat(), ZONE]
                writer.writerow([f"A-{number}", "ash", f"C-{number % 40}", *times, "follow-up", "scheduled"])
        self.calsync("appointments", "import", str(path))

    def start(self) -> None:
        """Start the resident process."""
        command = [sys.executable, "-m", "benchmarks.caldav.calsync_side", str(self.folder / "calsync.toml"), "ash-cal"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._process.stdout.readline()

    def ask(self, line: str) -> dict[str, Any]:
        """Have passes run; what they came to."""
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def stop(self) -> None:
        """End the process."""
        self._process.stdin.close()
        self._process.wait(20)


def looks(app: App, calendar: str, count: int) -> list[float]:
    """CPU of looks at the feed without lease and books: the connector alone."""
    worker = app.wired.worker
    with worker.database.reading() as conn:
        row = calendars.get(conn, calendar)
    assert row is not None
    opened, window = worker.opener.open(row), worker.opener.rules(row.provider).window(worker.clock.now())
    cpu = []
    for _ in range(count):
        began = time.process_time()
        pages = list(opened.changes(row.cursor, window, NothingKnown()))
        cpu.append(time.process_time() - began)
        assert [page.items for page in pages] == [()]
    return cpu


def bare_request(app: App, calendar: str, user: str) -> Callable[[], object]:
    """The request of a quiet pass, sent by a bare client over a connection that it keeps."""
    with app.wired.worker.database.reading() as conn:
        row = calendars.get(conn, calendar)
    assert row is not None
    assert row.remote is not None
    assert row.cursor is not None
    place = urlsplit(row.remote)
    body = dav_xml.sync_collection(json.loads(row.cursor)["token"])
    login = base64.b64encode(f"{user}:{user}".encode()).decode()
    headers = {"Authorization": f"Basic {login}", "User-Agent": "calsync", "Accept-Encoding": "gzip", **XML}
    connection = HTTPConnection(place.hostname or "", place.port)

    def send() -> None:
        connection.request("REPORT", place.path, body, headers)
        connection.getresponse().read()

    return send


def beside(app: App, calendar: str, count: int, user: str) -> dict[str, float]:
    """Median CPU in ms of a quiet pass, of its look alone, and of its request sent by a bare client, in turn."""
    worker = app.wired.worker
    run = partial(run_leased, worker, request=Request())
    with worker.database.reading() as conn:
        row = calendars.get(conn, calendar)
    assert row is not None
    opened, window = worker.opener.open(row), worker.opener.rules(row.provider).window(worker.clock.now())
    bare = bare_request(app, calendar, user)
    works: dict[str, Callable[[], object]] = {
        "pass": lambda: run_now(worker, calendar, run),
        "look": lambda: list(opened.changes(row.cursor, window, NothingKnown())),
        "bare": bare,
    }
    cpu: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(count):
        for name, one in works.items():
            began = time.process_time()
            one()
            cpu[name].append((time.process_time() - began) * 1000)
    return {name: statistics.median(values) for name, values in cpu.items()}


def rounds(app: App, count: int, user: str) -> dict[str, float]:
    """Median CPU in ms of a pass in a worker's round over all calendars, and of its request by a bare client."""
    worker = app.wired.worker
    with worker.database.reading() as conn:
        names = [row.id for row in calendars.rows(conn)]
    bare = [bare_request(app, name, user) for name in names]
    cpu: dict[str, list[float]] = {"pass": [], "bare": []}
    passed: list[PassResult] = []
    dispatch = EmbeddedDispatch(worker, threads=len(names), done=passed.append)
    with ThreadPoolExecutor(len(names)) as pool:
        for _ in range(count):
            passed.clear()
            with worker.database.transaction() as conn:
                conn.exec_driver_sql("UPDATE calendars SET due_at = 0")
            began = time.process_time()
            assert dispatch.dispatch() == len(names)
            while not dispatch.is_idle:
                dispatch.wait_for_one(5)
            cpu["pass"].append((time.process_time() - began) * 1000 / len(names))
            assert [one.error for one in passed] == [None] * len(names), passed
            began = time.process_time()
            for done in [pool.submit(one) for one in bare]:
                done.result()
            cpu["bare"].append((time.process_time() - began) * 1000 / len(names))
    dispatch.drain(5)
    return {name: statistics.median(values[2:]) for name, values in cpu.items()}


class NothingKnown:
    """Books that are never asked on a quiet look."""

    def versions(self, remote_ids: Sequence[str]) -> dict[str, str]:
        """See `calsync.connector.protocol.Known`."""
        return dict.fromkeys(remote_ids, "")


def main(config: Path, calendar: str) -> None:
    set_up_logging()
    app = App()
    app.config_path = config
    worker = app.wired.worker
    run = partial(run_leased, worker, request=Request())
    print("ready", flush=True)
    for line in sys.stdin:
        words = line.split()
        if words[0] == "look":
            print(json.dumps({"cpu": looks(app, calendar, int(words[1])), "rss_mb": peak_mb()}), flush=True)
            continue
        if words[0] == "beside":
            print(json.dumps(beside(app, calendar, int(words[1]), words[2])), flush=True)
            continue
        if words[0] == "round":
            print(json.dumps(rounds(app, int(words[1]), words[2])), flush=True)
            continue
        count = int(words[1]) if words[0] == "pass" else 100
        cpu, wall, results = [], [], []
        for _ in range(count):
            began, began_wall = time.process_time(), time.perf_counter()
            result = run_now(worker, calendar, run)
            cpu.append(time.process_time() - began)
            wall.append(time.perf_counter() - began_wall)
            assert result is not None, "another worker has it"
            assert result.error is None, result
            results.append(result)
            if words[0] == "push" and not result.written and not result.owed and not result.again:
                break
        print(
            json.dumps(
                {
                    "cpu": cpu,
                    "wall": wall,
                    "requests": sum(result.requests for result in results),
                    "drifts": sum(result.drifts for result in results),
                    "written": sum(result.written for result in results),
                    "owed": results[-1].owed,
                    "rss_mb": peak_mb(),
                }
            ),
            flush=True,
        )
    app.wired.opener.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
