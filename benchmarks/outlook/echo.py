"""Graph for `benchmarks.hosted.pushes`: a person's hands, and a bare echo that patches back whatever changed."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from benchmarks.hosted.pushes import DRAG, OWNER, ZONE, Place, hook
from benchmarks.hosted.sweeps import WINDOW
from benchmarks.outlook.sides import bearer, client
from benchmarks.outlook.stand_in import fill
from calsync.demo.outlook_server import OutlookDesk, running_outlook
from calsync.sandbox.graph.ids import calendar_id
from calsync.sandbox.graph.people import Person
from calsync.system_ports import SystemClock
from calsync_outlook.client import PREFER
from calsync_outlook.mailbox import instant_text


@dataclass(frozen=True)
class AtOutlook:
    """See `Hands`."""

    desk: OutlookDesk
    person: Person

    def events(self) -> list[str]:
        return list(self.person.ids())

    def starts_at(self, event: str) -> datetime:
        return self.person.item(event).when.start

    def drag(self, event: str) -> None:
        self.person.drag(event, DRAG)
        self.desk.sandbox.subscriptions.deliver()


def hands(desk: OutlookDesk) -> AtOutlook:
    """At the calendar that calsync made."""
    own = max(desk.person.mailbox.calendars)
    return AtOutlook(desk, Person(desk.sandbox.state, desk.person.mailbox, desk.sandbox.lock, own))


class Echo:
    """Answers a push by reading what changed and patching it back."""

    def __init__(self, desk: OutlookDesk) -> None:
        sandbox = desk.sandbox
        self._http = client(str(sandbox.ca_file))
        self._headers = {"Authorization": bearer(self._http, sandbox.root), "Prefer": PREFER}
        self._graph = sandbox.graph_url
        self._place = calendar_id(desk.person.calendar, immutable=True)
        times = {"startDateTime": instant_text(WINDOW.start), "endDateTime": instant_text(WINDOW.end)}
        place = f"{self._graph}/users/{OWNER}/calendars/{quote(self._place, safe='')}"
        self._link = f"{place}/calendarView/delta?{urlencode(times)}"
        self._starts: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._look()

    def watch(self, address: str) -> None:
        body = {
            "changeType": "created,updated,deleted",
            "notificationUrl": address,
            "lifecycleNotificationUrl": address,
            "resource": f"/users/{OWNER}/calendars/{quote(self._place, safe='')}/events",
            "expirationDateTime": instant_text(datetime.now(UTC) + timedelta(hours=24)),
            "clientState": "echo",
        }
        answer = self._http.post(f"{self._graph}/subscriptions", json=body, headers=self._headers)
        assert answer.status_code == 201, answer.text

    def put_back(self) -> None:
        with self._lock:
            for event in self._look():
                was = self._starts[event["id"]]
                if event["start"] != was["start"]:
                    headers = {**self._headers, "If-Match": event["@odata.etag"]}
                    uri = f"{self._graph}/users/{OWNER}/events/{quote(event['id'], safe='')}"
                    self._http.patch(uri, json=was, headers=headers)

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


def _answered(call: BaseHTTPRequestHandler) -> bool:
    """A new subscription is validated by its own text coming back."""
    asked = parse_qs(urlsplit(call.path).query).get("validationToken")
    body = call.rfile.read(int(call.headers.get("Content-Length") or 0))
    text = (asked or [""])[0].encode()
    call.send_response(200 if asked else 202)
    call.send_header("Content-Type", "text/plain")
    call.send_header("Content-Length", str(len(text)))
    call.end_headers()
    call.wfile.write(text)
    return not asked and bool(json.loads(body).get("value"))


@contextmanager
def echoing(desk: OutlookDesk, events: int) -> Iterator[AtOutlook]:
    """A calendar with so many events, and an echo that watches it."""
    fill(desk.person, events)
    echo = Echo(desk)
    with hook(echo, _answered) as address:
        echo.watch(address)
        yield AtOutlook(desk, desk.person)


OUTLOOK = Place(
    running=lambda: running_outlook(SystemClock(), OWNER, ZONE),
    scheme="https",  # the stand-in calls https in plain text
    hands=hands,
    is_watched=lambda desk: bool(desk.sandbox.subscriptions.rows),
    echo=echoing,
)
