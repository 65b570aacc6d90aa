"""Sweeps over many mailboxes: nothing changed, and one event in a hundred edited; CPU of this process alone."""

from __future__ import annotations

import json
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from calsync.connector.protocol import Calendar, CalendarPlace, OpenRequest, Seen
from calsync.domain.span import Window
from calsync.sandbox.graph.server import CLIENT_ID, CLIENT_SECRET
from calsync.system_ports import SystemClock
from calsync_outlook.client import PREFER
from calsync_outlook.connector import CONNECTOR
from calsync_outlook.mailbox import EXPANSION, instant_text
from calsync_outlook.settings import CalendarSettings, ConnectorSettings

WINDOW = Window(datetime(2026, 10, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC))
ZONE = "America/New_York"
TENANT = "practice.example"
SWEEPS = 5


class Known(dict[str, str]):
    """Versions on the books."""

    def versions(self, remote_ids: Sequence[str]) -> dict[str, str]:
        return {name: self[name] for name in remote_ids if name in self}


class StandIn:
    """The other process."""

    def __init__(self, mailboxes: int, events: int) -> None:
        command = [sys.executable, "-m", "benchmarks.outlook.stand_in", str(mailboxes), str(events)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.told = self._line()

    def _line(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        told: dict[str, Any] = json.loads(self._process.stdout.readline())
        return told

    def drag(self, events: list[tuple[int, int]]) -> int:
        """Let people drag events; returns how many requests the stand-in has served."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"drag": events}) + "\n")
        self._process.stdin.flush()
        return int(self._line()["requests"])

    def stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(20)


class Bare:
    """Sends the same requests and reads the answers as JSON, no more."""

    def __init__(self, told: dict[str, Any]) -> None:
        self._root = told["graph"]
        context = ssl.create_default_context(cafile=told["ca"])
        self._http = httpx.Client(verify=context, trust_env=False, limits=httpx.Limits(keepalive_expiry=60))
        form = {
            "grant_type": "client_credentials",
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "scope": f"{told['authority']}/.default",
        }
        answer = self._http.post(f"{told['authority']}/{TENANT}/oauth2/v2.0/token", data=form)
        bearer = f"Bearer {answer.json()['access_token']}"
        self._headers = {"Authorization": bearer, "Accept": "application/json", "Prefer": PREFER}
        self._pages = {**self._headers, "Prefer": f"{PREFER}, odata.maxpagesize=200"}
        self._places = dict(told["mailboxes"])
        self.links: dict[str, str] = {}

    def look(self, upn: str) -> int:
        """Follow one calendar from where it stood, and read what changed; returns how many events came."""
        link = self.links.get(upn) or self._first(upn)
        is_first, changed = upn not in self.links, []
        while link:
            page = self._http.get(link, headers=self._pages).json()
            changed += [row["id"] for row in page["value"]]
            link = page.get("@odata.nextLink", "")
            self.links[upn] = page.get("@odata.deltaLink", "")
        if not is_first:
            self._read(upn, changed)
        return len(changed)

    def _first(self, upn: str) -> str:
        start = WINDOW.start - timedelta(days=30)
        times = {"startDateTime": instant_text(start), "endDateTime": instant_text(WINDOW.end + timedelta(days=90))}
        place = quote(self._places[upn], safe="")
        return f"{self._root}/users/{quote(upn, safe='@')}/calendars/{place}/calendarView/delta?{urlencode(times)}"

    def _read(self, upn: str, names: list[str]) -> None:
        query = urlencode({"$select": "*", "$expand": EXPANSION}, quote_via=quote, safe="$*/():,'")
        for name in names:
            path = f"/users/{quote(upn, safe='@')}/events/{quote(name, safe='')}?{query}"
            self._http.get(self._root + path, headers=self._headers).json()


class Ours:
    """calsync's connector, one calendar object for each."""

    def __init__(self, told: dict[str, Any], folder: Path) -> None:
        secret = folder / "secret"
        secret.write_text(CLIENT_SECRET, encoding="utf-8")
        settings = ConnectorSettings(
            graph_url=told["graph"],
            authority=told["authority"],
            tenant=TENANT,
            client_id=CLIENT_ID,
            client_secret_file=secret,
            ca_file=told["ca"],
        )
        self.calendars: dict[str, Calendar] = {}
        self.cursors: dict[str, str | None] = {}
        self.books: dict[str, Known] = {}
        for upn, calendar in told["mailboxes"]:
            request = OpenRequest(
                calendar_id=upn,
                connector_settings=settings,
                calendar_settings=CalendarSettings(user=upn, calendar_id=calendar),
                placement="existing",
                zone=ZONE,
                secret=lambda: "",
                extras={"clock": SystemClock()},
            )
            self.calendars[upn] = CONNECTOR.open(request, CalendarPlace(calendar))
            self.cursors[upn], self.books[upn] = None, Known()

    def look(self, upn: str) -> int:
        """The same."""
        came = 0
        for page in self.calendars[upn].changes(self.cursors[upn], WINDOW, self.books[upn]):
            for item in page.items:
                came += 1
                if isinstance(item, Seen):
                    self.books[upn][item.remote_id] = item.version
            self.cursors[upn] = page.cursor or self.cursors[upn]
        return came


def sweep(names: list[str], look: Callable[[str], int]) -> tuple[float, int]:
    """CPU seconds of one look at each calendar, and how many events came."""
    cpu = time.process_time()
    came = sum(look(name) for name in names)
    return time.process_time() - cpu, came


def main() -> None:
    mailboxes = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    events = int(sys.argv[2]) if len(sys.argv) > 2 else 50
    graph = StandIn(mailboxes, events)
    names = [upn for upn, _ in graph.told["mailboxes"]]
    print(f"{mailboxes} calendars x {events} events; CPU is this process's, median of {SWEEPS} sweeps\n")
    print("| sweep | who | CPU ms a calendar | requests a calendar | events | CPU beside bare |")
    print("| --- | --- | ---: | ---: | ---: | ---: |", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        ours = Ours(graph.told, Path(folder))
        sides: dict[str, Bare | Ours] = {"bare": Bare(graph.told), "calsync": ours}
        for side in sides.values():
            sweep(names, side.look)  # everything is new
            sweep(names, side.look)
        edited = [(n % mailboxes, n // mailboxes % events) for n in range(max(1, mailboxes * events // 100))]
        works: list[tuple[str, list[tuple[int, int]]]] = [("nothing changed", []), ("1 % edited", edited)]
        for work, changes in works:
            measure(graph, sides, (work, changes), names)
        for calendar in ours.calendars.values():
            calendar.close()
    graph.stop()


def measure(
    graph: StandIn, sides: dict[str, Bare | Ours], what: tuple[str, list[tuple[int, int]]], names: list[str]
) -> None:
    """One kind of sweep, both sides in turn."""
    work, changes = what
    found: dict[str, list[tuple[float, int, int]]] = {name: [] for name in sides}
    for _ in range(SWEEPS):
        before = graph.drag(changes)
        for name, side in sides.items():
            cpu, came = sweep(names, side.look)
            after = graph.drag([])
            found[name].append((cpu, after - before, came))
            before = after
    bare = statistics.median(cpu for cpu, _, _ in found["bare"])
    for name, rows in found.items():
        cpu = statistics.median(row[0] for row in rows)
        requests = statistics.median(row[1] for row in rows) / len(names)
        per = cpu * 1000 / len(names)
        print(f"| {work} | {name} | {per:.3f} | {requests:.2f} | {rows[0][2]} | {cpu / bare:.2f} |", flush=True)


if __name__ == "__main__":
    main()
