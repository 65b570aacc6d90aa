"""From a person's drag to the drift on the books and to the event put back, by push, beside a bare echo.

`python -m benchmarks.outlook.push [EDITS]`: a `calsync run` with settle 0 and a poll of an hour: only pushes wake it.
The echo answers each push by reading the feed and patching the event, in one process.
"""

from __future__ import annotations

import json
import os
import sqlite3
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import httpx

from benchmarks.google.push import free_port, rows, wait
from benchmarks.outlook.stand_in import HOME, fill
from calsync.cli.main import run
from calsync.demo.outlook_server import OutlookDesk, running_outlook
from calsync.sandbox.graph.ids import calendar_id
from calsync.sandbox.graph.people import Person
from calsync.sandbox.graph.server import CLIENT_ID, CLIENT_SECRET
from calsync.settings.secrets import create_key_file
from calsync.system_ports import SystemClock, SystemIds
from calsync_outlook.client import PREFER
from calsync_outlook.mailbox import instant_text

OWNER = "ash@practice.example"


def calsync_side(edits: int) -> tuple[list[float], list[float]]:
    """Seconds to the record, and to the event put back, of each edit. The stand-in calls https in plain text."""
    with tempfile.TemporaryDirectory() as name, running_outlook(SystemClock(), OWNER, HOME) as desk:
        folder, port = Path(name), free_port()
        create_key_file(folder / "calsync.key", SystemIds())
        head = (
            f'[sync]\npoll_interval = "1h"\n[drift]\nsettle = "0s"\nrevert_limit = {edits * 2}\nstampede_min = 100000\n'
            f'[claims]\nbackfilled = "clear"\n[web]\nlisten = "127.0.0.1:{port}"\npublic_url = "https://127.0.0.1:{port}"\n'
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
            wait(lambda: len(desk.starts()) == 2 * edits and bool(desk.sandbox.subscriptions.rows), "the first push")
            time.sleep(4)  # our own echoes have come back
            return measured(desk, folder / "calsync.db", edits)
        finally:
            worker.terminate()
            worker.wait(20)


def measured(desk: OutlookDesk, database: Path, edits: int) -> tuple[list[float], list[float]]:
    count = "select count(*) from drifts"
    books = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    recorded, put_back = [], []
    hands = at_work(desk)
    for number, event in enumerate(hands.ids()[:edits], start=1):
        before = hands.item(event).when.start
        began = time.perf_counter()
        hands.drag(event, timedelta(minutes=15))
        desk.sandbox.subscriptions.deliver()
        recorded.append(wait(lambda n=number: books.execute(count).fetchone()[0] >= n, "the record") - began)  # type: ignore[misc]
        put_back.append(
            wait(lambda e=event, was=before: hands.item(e).when.start == was, "the event") - began  # type: ignore[misc]
        )
    books.close()
    return recorded, put_back


def at_work(desk: OutlookDesk) -> Person:
    """The person at the calendar that calsync made."""
    return Person(desk.sandbox.state, desk.person.mailbox, desk.sandbox.lock, max(desk.person.mailbox.calendars))


def echo_side(edits: int) -> list[float]:
    """The same edits, put back by a hook that does nothing else."""
    with running_outlook(SystemClock(), OWNER, HOME) as desk:
        names = fill(desk.person, edits)
        echo = Echo(desk)
        taken = []
        for name in names:
            before = desk.person.item(name).when.start
            began = time.perf_counter()
            desk.person.drag(name, timedelta(minutes=15))
            desk.sandbox.subscriptions.deliver()
            taken.append(wait(lambda e=name, was=before: desk.person.item(e).when.start == was, "echo") - began)  # type: ignore[misc]
        echo.stop()
        return taken


class Echo:
    """Answers a push by reading what changed and patching it back."""

    def __init__(self, desk: OutlookDesk) -> None:
        sandbox = desk.sandbox
        context = ssl.create_default_context(cafile=str(sandbox.ca_file))
        self._http = httpx.Client(verify=context, trust_env=False, timeout=10)
        form = {
            "grant_type": "client_credentials",
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "scope": f"{sandbox.root}/.default",
        }
        answer = self._http.post(f"{sandbox.root}/practice.example/oauth2/v2.0/token", data=form)
        self._headers = {"Authorization": f"Bearer {answer.json()['access_token']}", "Prefer": PREFER}
        self._user = f"{sandbox.graph_url}/users/{OWNER}"
        place = quote(calendar_id(desk.person.calendar, immutable=True), safe="")
        start, end = datetime(2026, 10, 1, tzinfo=UTC), datetime(2028, 6, 1, tzinfo=UTC)
        times = urlencode({"startDateTime": instant_text(start), "endDateTime": instant_text(end)})
        self._link = f"{self._user}/calendars/{place}/calendarView/delta?{times}"
        self._starts: dict[str, Any] = {}
        self._look()
        self._lock = threading.Lock()
        self._server = HTTPServer(("127.0.0.1", 0), _hook(self))
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{self._server.server_address[1]}/"
        until = instant_text(datetime.now(UTC) + timedelta(hours=24))
        resource = f"/users/{OWNER}/calendars/{place}/events"
        body = {
            "changeType": "created,updated,deleted",
            "notificationUrl": address,
            "lifecycleNotificationUrl": address,
        }
        body |= {"resource": resource, "expirationDateTime": until, "clientState": "echo"}
        answer = self._http.post(f"{sandbox.graph_url}/subscriptions", json=body, headers=self._headers)
        assert answer.status_code == 201, answer.text

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._http.close()

    def put_back(self) -> None:
        with self._lock:
            for event in self._look():
                was = self._starts[event["id"]]
                if event["start"] != was["start"]:
                    headers = {**self._headers, "If-Match": event["@odata.etag"]}
                    self._http.patch(f"{self._user}/events/{quote(event['id'], safe='')}", json=was, headers=headers)

    def _look(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        link = self._link
        while link:
            page = self._http.get(link, headers=self._headers).json()
            found += page["value"]
            self._link = page.get("@odata.deltaLink", self._link)
            link = page.get("@odata.nextLink", "")
        for event in found:
            self._starts.setdefault(event["id"], {"start": event["start"], "end": event["end"]})
        return found


def _hook(echo: Echo) -> type[BaseHTTPRequestHandler]:
    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = parse_qs(urlsplit(self.path).query).get("validationToken")
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            text = (asked or [""])[0].encode()
            self.send_response(200 if asked else 202)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)
            if not asked and json.loads(body).get("value"):
                threading.Thread(target=echo.put_back).start()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Nothing."""

    return Hook


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
