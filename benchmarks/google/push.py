"""From a person's drag to the drift on the books and to the event put back, by push, beside a bare echo.

`python -m benchmarks.google.push [EDITS]`: a `calsync run` of its own with settle 0 and a poll of an hour, so that only
pushes can be what wakes it. The echo answers each push by reading the feed and patching the event, in one process.
"""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import httplib2

from benchmarks.google.stand_in import OWNER, ZONE, body
from calsync.cli.main import run
from calsync.demo.google_server import running_google
from calsync.sandbox.google.people import Person
from calsync.settings.secrets import create_key_file
from calsync.system_ports import SystemClock, SystemIds

DEADLINE_S = 240.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait(holds: Callable[[], bool], what: str) -> float:
    """Seconds on the stopwatch when it holds."""
    until = time.perf_counter() + DEADLINE_S
    while not holds():
        if time.perf_counter() > until:
            raise SystemExit(f"waited in vain for {what}")
        time.sleep(0.001)
    return time.perf_counter()


def starts_at(person: Person, calendar: str, name: str) -> str:
    return str(person.event(calendar, name)["start"]["dateTime"])[:16]


def calsync_side(edits: int) -> tuple[list[float], list[float]]:
    """Seconds to the record, and to the event put back, of each edit."""
    with tempfile.TemporaryDirectory() as name, running_google(SystemClock(), OWNER, ZONE) as desk:
        folder, port = Path(name), free_port()
        create_key_file(folder / "calsync.key", SystemIds())
        head = (
            f'[sync]\npoll_interval = "1h"\n[drift]\nsettle = "0s"\nrevert_limit = {edits * 2}\nstampede_min = 100000\n'
            f'[claims]\nbackfilled = "clear"\n[web]\nlisten = "127.0.0.1:{port}"\npublic_url = "http://127.0.0.1:{port}"\n'
        )
        config = folder / "calsync.toml"
        config.write_text(head + desk.write_config(folder, "ash", "Dr. Ash"), encoding="utf-8")
        where = ["--config", str(config)]
        assert run(["db", "upgrade", *where]) == 0
        (folder / "rows.csv").write_text(rows(2 * edits), encoding="utf-8")
        assert run(["appointments", "import", str(folder / "rows.csv"), *where]) == 0
        with (folder / "log").open("wb") as log:
            worker = subprocess.Popen(
                [sys.executable, "-m", "calsync", "run", *where], stdout=log, stderr=log, env=os.environ
            )
        try:
            wait(lambda: len(desk.starts()) == 2 * edits and bool(desk.sandbox.channels.channels), "the first push")
            time.sleep(4)  # our own echoes have come back
            return measured(desk.person, desk.sandbox.state.calendars, folder / "calsync.db", edits)
        finally:
            worker.terminate()
            worker.wait(20)


def measured(person: Person, calendars: Any, database: Path, edits: int) -> tuple[list[float], list[float]]:
    [calendar] = [one.id for one in calendars.values() if not one.primary]
    count = "select count(*) from drifts"
    books = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    recorded, put_back = [], []
    for number, event in enumerate([one["id"] for one in person.events(calendar)][:edits], start=1):
        before = starts_at(person, calendar, event)
        began = time.perf_counter()
        person.drag(calendar, event, timedelta(minutes=15))
        recorded.append(wait(lambda n=number: books.execute(count).fetchone()[0] >= n, "the record") - began)  # type: ignore[misc]
        put_back.append(
            wait(lambda e=event, was=before: starts_at(person, calendar, e) == was, "the event") - began  # type: ignore[misc]
        )
    books.close()
    return recorded, put_back


def rows(edits: int) -> str:
    lines = ["id,provider,client,start,end,zone,kind,status,series,rule,code"]
    for number in range(edits):
        start = datetime(2027, 1, 4, 8) + timedelta(days=number // 8, hours=number % 8)
        end = start + timedelta(minutes=50)
        lines.append(
            f"{number},ash,k-{number},{start.isoformat()},{end.isoformat()},{ZONE},follow-up,scheduled,,,90834"
        )
    return "\n".join(lines) + "\n"


def echo_side(edits: int) -> list[float]:
    """The same edits, put back by a hook that does nothing else."""
    with running_google(SystemClock(), OWNER, ZONE) as desk:
        calendar = desk.person.make_calendar("Work", ZONE)
        desk.person.seed(calendar, [body(number, {}) for number in range(edits)])
        right = {"https://www.googleapis.com/auth/calendar.events.owned"}
        echo = Echo(
            desk.sandbox.api_endpoint, desk.sandbox.token_uri, desk.sandbox.tokens.consent(OWNER, right), calendar
        )
        taken = []
        for number in range(edits):
            name = body(number, {})["id"]
            before = starts_at(desk.person, calendar, name)
            began = time.perf_counter()
            desk.person.drag(calendar, name, timedelta(minutes=15))
            taken.append(wait(lambda e=name, was=before: starts_at(desk.person, calendar, e) == was, "echo") - began)  # type: ignore[misc]
        echo.stop()
        return taken


class Echo:
    """Answers a push by reading what changed and patching it back."""

    def __init__(self, api: str, tokens: str, refresh: str, calendar: str) -> None:
        self._http = httplib2.Http(timeout=10)
        form = {"grant_type": "refresh_token", "client_id": "client-1", "client_secret": "sandbox-secret-1"}
        _, content = self._http.request(tokens, "POST", body=urlencode({**form, "refresh_token": refresh}))
        self._headers = {"authorization": "Bearer " + json.loads(content)["access_token"]}
        self._events = f"{api}calendars/{quote(calendar, safe='')}/events"
        self._starts: dict[str, Any] = {}
        self._token: str | None = None
        self._look()
        self._lock = threading.Lock()
        echo = self

        class Hook(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.send_response(204)
                self.end_headers()
                threading.Thread(target=echo.put_back).start()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Nothing."""

        self._server = HTTPServer(("127.0.0.1", 0), Hook)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{self._server.server_address[1]}/"
        channel = json.dumps({"id": "echo", "type": "web_hook", "address": address})
        with self._lock:
            self._http.request(f"{self._events}/watch", "POST", body=channel, headers=self._headers)

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def put_back(self) -> None:
        with self._lock:
            for event in self._look():
                was = self._starts[event["id"]]
                if event["start"] != was["start"]:
                    uri = f"{self._events}/{event['id']}?sendUpdates=none"
                    headers = {**self._headers, "if-match": event["etag"]}
                    self._http.request(uri, "PATCH", body=json.dumps(was), headers=headers)

    def _look(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        query = {"showDeleted": "true", "maxResults": "1000"}
        if self._token is not None:
            query["syncToken"] = self._token
        while True:
            _, content = self._http.request(f"{self._events}?{urlencode(query)}", "GET", headers=self._headers)
            page = json.loads(content)
            found += page["items"]
            if "nextSyncToken" in page:
                break
            query["pageToken"] = page["nextPageToken"]
        self._token = page["nextSyncToken"]
        for event in found:
            self._starts.setdefault(event["id"], {"start": event["start"], "end": event["end"]})
        return found


def main() -> None:
    edits = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    recorded, put_back = calsync_side(edits)
    echoed = echo_side(edits)
    print(f"\n{edits} edits, one after the other; milliseconds from the drag\n")
    print("| what | p50 | p99 |\n| --- | ---: | ---: |")
    for what, taken in (("calsync: on the books", recorded), ("calsync: put back", put_back), ("bare echo", echoed)):
        cuts = statistics.quantiles(taken, n=100)
        print(f"| {what} | {cuts[49] * 1000:.0f} | {cuts[98] * 1000:.0f} |")


if __name__ == "__main__":
    main()
