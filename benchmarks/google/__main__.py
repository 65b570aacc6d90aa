"""Sweeps over many calendars: nothing changed, and one event in a hundred edited; CPU of this process alone."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import httplib2

from calsync.connector.protocol import Calendar, CalendarPlace, OpenRequest, Seen
from calsync.domain.span import Window
from calsync_google.connector import CONNECTOR
from calsync_google.settings import CalendarSettings, ConnectorSettings

WINDOW = Window(datetime(2026, 10, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC))
ZONE = "America/New_York"
SWEEPS = 5


class Known(dict[str, str]):
    """Versions on the books."""

    def versions(self, remote_ids: Sequence[str]) -> dict[str, str]:
        return {name: self[name] for name in remote_ids if name in self}


class StandIn:
    """The other process."""

    def __init__(self, calendars: int, events: int) -> None:
        command = [sys.executable, "-m", "benchmarks.google.stand_in", str(calendars), str(events)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.told = self._line()

    def _line(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        told: dict[str, Any] = json.loads(self._process.stdout.readline())
        return told

    def drag(self, events: list[tuple[str, int]]) -> int:
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
        self._http = httplib2.Http(timeout=30)
        form = {
            "grant_type": "refresh_token",
            "client_id": "client-1",
            "client_secret": "sandbox-secret-1",
            "refresh_token": told["refresh"],
        }
        _, content = self._http.request(told["tokens"], "POST", body=urlencode(form))
        self._headers = {"authorization": "Bearer " + json.loads(content)["access_token"], "accept": "application/json"}
        self._api = told["api"]
        self.tokens: dict[str, str] = {}

    def look(self, calendar: str) -> int:
        """Follow one calendar from where it stood; returns how many events came."""
        query = {"singleEvents": "false", "showDeleted": "true", "maxResults": "1000", "alt": "json"}
        if calendar in self.tokens:
            query["syncToken"] = self.tokens[calendar]
        uri = f"{self._api}calendars/{quote(calendar, safe='')}/events?{urlencode(query)}"
        _, content = self._http.request(uri, "GET", headers=self._headers)
        page = json.loads(content)
        self.tokens[calendar] = page["nextSyncToken"]
        return len(page["items"])


class Ours:
    """calsync's connector, one calendar object for each."""

    def __init__(self, told: dict[str, Any], folder: Path) -> None:
        secret = folder / "secret"
        secret.write_text("sandbox-secret-1", encoding="utf-8")
        settings = ConnectorSettings(
            api_endpoint=told["api"], token_uri=told["tokens"], client_id="client-1", client_secret_file=secret
        )
        self.calendars: dict[str, Calendar] = {}
        self.cursors: dict[str, str | None] = {}
        self.books: dict[str, Known] = {}
        for name in told["calendars"]:
            request = OpenRequest(
                calendar_id=name,
                connector_settings=settings,
                calendar_settings=CalendarSettings(calendar_id=name),
                placement="existing",
                zone=ZONE,
                secret=lambda: str(told["refresh"]),
            )
            self.calendars[name] = CONNECTOR.open(request, CalendarPlace(name))
            self.cursors[name], self.books[name] = None, Known()

    def look(self, calendar: str) -> int:
        """The same."""
        came = 0
        for page in self.calendars[calendar].changes(self.cursors[calendar], WINDOW, self.books[calendar]):
            for item in page.items:
                came += 1
                if isinstance(item, Seen):
                    self.books[calendar][item.remote_id] = item.version
            self.cursors[calendar] = page.cursor or self.cursors[calendar]
        return came


def sweep(names: list[str], look: Callable[[str], int]) -> tuple[float, float, int]:
    """CPU and wall seconds of one look at each calendar, and how many events came."""
    cpu, wall = time.process_time(), time.perf_counter()
    came = sum(look(name) for name in names)
    return time.process_time() - cpu, time.perf_counter() - wall, came


def main() -> None:
    calendars = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    events = int(sys.argv[2]) if len(sys.argv) > 2 else 50
    google = StandIn(calendars, events)
    names = google.told["calendars"]
    print(f"{calendars} calendars x {events} events; CPU is this process's, median of {SWEEPS} sweeps\n")
    print("| sweep | who | CPU ms a calendar | requests a calendar | events | CPU beside bare |")
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as folder:
        ours = Ours(google.told, Path(folder))
        sides: dict[str, Bare | Ours] = {"bare": Bare(google.told), "calsync": ours}
        for side in sides.values():
            sweep(names, side.look)  # everything is new, and connections are made
            sweep(names, side.look)
        edited = [(names[n % calendars], n // calendars % events) for n in range(max(1, calendars * events // 100))]
        works: list[tuple[str, list[tuple[str, int]]]] = [("nothing changed", []), ("1 % edited", edited)]
        for work, changes in works:
            measure(google, sides, (work, changes), names)
        for calendar in ours.calendars.values():
            calendar.close()
    google.stop()


def measure(
    google: StandIn, sides: dict[str, Bare | Ours], what: tuple[str, list[tuple[str, int]]], names: list[str]
) -> None:
    """One kind of sweep, both sides in turn."""
    work, changes = what
    found: dict[str, list[tuple[float, int, int]]] = {name: [] for name in sides}
    for _ in range(SWEEPS):
        for name, side in sides.items():
            before = google.drag(changes)
            cpu, _, came = sweep(names, side.look)
            found[name].append((cpu, google.drag([]) - before, came))
            for other in sides.values():
                sweep(names, other.look)  # both stand at the same place again
    bare = statistics.median(cpu for cpu, _, _ in found["bare"])
    for name, rows in found.items():
        cpu = statistics.median(row[0] for row in rows)
        requests = statistics.median(row[1] for row in rows) / len(names)
        per = cpu * 1000 / len(names)
        print(f"| {work} | {name} | {per:.3f} | {requests:.2f} | {rows[0][2]} | {cpu / bare:.2f} |", flush=True)


if __name__ == "__main__":
    main()
