"""Google for `benchmarks.hosted.pushes`: a person's hands, and a bare echo that patches back whatever changed."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import quote, urlencode

import httplib2

from benchmarks.google.sides import bearer
from benchmarks.google.stand_in import body
from benchmarks.hosted.pushes import DRAG, OWNER, ZONE, Place, hook
from calsync.demo.google_server import GoogleDesk, running_google
from calsync.sandbox.google.discovery import SCOPE
from calsync.sandbox.google.people import Person
from calsync.system_ports import SystemClock


@dataclass(frozen=True)
class AtGoogle:
    """See `Hands`."""

    person: Person
    calendar: str

    def events(self) -> list[str]:
        return [event["id"] for event in self.person.events(self.calendar)]

    def starts_at(self, event: str) -> str:
        return str(self.person.event(self.calendar, event)["start"]["dateTime"])[:16]

    def drag(self, event: str) -> None:
        self.person.drag(self.calendar, event, DRAG)


def hands(desk: GoogleDesk) -> AtGoogle:
    """At the calendar that calsync made."""
    [calendar] = [one.id for one in desk.sandbox.state.calendars.values() if not one.primary]
    return AtGoogle(desk.person, calendar)


class Echo:
    """Answers a push by reading what changed and patching it back."""

    def __init__(self, desk: GoogleDesk, calendar: str) -> None:
        self._http = httplib2.Http(timeout=10)
        consent = desk.sandbox.tokens.consent(OWNER, {f"{SCOPE}calendar.events.owned"})
        self._headers = {"authorization": bearer(self._http, desk.sandbox.token_uri, consent)}
        self._events = f"{desk.sandbox.api_endpoint}calendars/{quote(calendar, safe='')}/events"
        self._starts: dict[str, Any] = {}
        self._token: str | None = None
        self._lock = threading.Lock()
        self._look()

    def watch(self, address: str) -> None:
        channel = json.dumps({"id": "echo", "type": "web_hook", "address": address})
        with self._lock:
            self._http.request(f"{self._events}/watch", "POST", body=channel, headers=self._headers)

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


def _answered(call: BaseHTTPRequestHandler) -> bool:
    call.send_response(204)
    call.end_headers()
    return True


@contextmanager
def echoing(desk: GoogleDesk, events: int) -> Iterator[AtGoogle]:
    """A calendar with so many events, and an echo that watches it."""
    calendar = desk.person.make_calendar("Work", ZONE)
    desk.person.seed(calendar, [body(number, {}) for number in range(events)])
    echo = Echo(desk, calendar)
    with hook(echo, _answered) as address:
        echo.watch(address)
        yield AtGoogle(desk.person, calendar)


GOOGLE = Place(
    running=lambda: running_google(SystemClock(), OWNER, ZONE),
    scheme="http",
    hands=hands,
    is_watched=lambda desk: bool(desk.sandbox.channels.channels),
    echo=echoing,
)
