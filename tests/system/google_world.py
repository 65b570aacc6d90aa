"""The real worker and a real store in front of the Google stand-in: one provider, one calendar, people and weather."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from calsync.connector.protocol import Calendar, CalendarPlace
from calsync.connector.wrappers import WrapPorts
from calsync.domain.span import wall_time
from calsync.sandbox.google.feed import list_instances
from calsync.sandbox.google.knobs import Knobs
from calsync.sandbox.google.people import Person
from calsync.sandbox.google.server import Sandbox
from calsync.sandbox.google.times import instant_of
from calsync.store.calendars import CalendarRow
from calsync.worker.context import PassResult
from calsync_google.connector import CONNECTOR
from tests.servers.google_subject import Login
from tests.system.service_world import KeptOpener, ServiceWorld
from tests.unit.worker.world import ZONE

EMAIL = "ash@practice.example"


@dataclass(kw_only=True)
class GoogleOpener(KeptOpener):
    """Opens the calendar with the token that is in use now."""

    login: Login
    token: str
    remote: str

    def client(self, row: CalendarRow) -> Calendar:
        """See `KeptOpener`."""
        return CONNECTOR.open(self.login.request(self.remote, token=self.token), CalendarPlace(self.remote))


class GoogleWorld(ServiceWorld):
    """As `World`, on Google: `person` edits, `google` has knobs and weather."""

    connector = "google"
    opener: GoogleOpener

    def __init__(self, folder: Path, knobs: Knobs | None = None) -> None:
        super().__init__()
        self.google = Sandbox(self.clock, knobs or Knobs()).start()
        self.google.knobs.rate_per_minute = 0
        self.google.tokens.add_client()
        self.person: Person = self.google.add_person(EMAIL, ZONE)
        self.remote = self.person.make_calendar("Work", ZONE)
        self.other = self.person.make_calendar("Private", ZONE)
        login = Login(self.google, folder, EMAIL)
        token = self._consent()
        self.opener = GoogleOpener(
            login=login, token=token, ports=WrapPorts(self.clock, self.ids, self.sleep), remote=self.remote
        )
        self.worker = self.new_worker()
        self.reader_zone = ZONE

    def _consent(self) -> str:
        scopes = ("calendar.events.owned", "calendar.calendarlist.readonly")
        return self.google.tokens.consent(EMAIL, {f"https://www.googleapis.com/auth/{name}" for name in scopes})

    def close(self) -> None:
        """Take everything down."""
        super().close()
        self.google.stop()

    # What there is.

    def google_shows(self) -> dict[str, datetime]:
        """Wall-time starts of singles and masters, by id."""
        return {
            body["id"]: wall_time(instant_of(body["start"], ZONE), ZONE) for body in self.person.events(self.remote)
        }

    def only_event(self) -> str:
        """The id of the only event."""
        (name,) = self.google_shows()
        return name

    def occurrences(self, name: str) -> list[datetime]:
        """Wall-time starts of what people see of a series."""
        items: list[dict[str, Any]] = []
        query = {"maxResults": ["2500"]}
        with self.google.lock:
            items = list_instances(self.person.place(self.remote), name, query)["items"]
        return sorted(wall_time(instant_of(one["start"], ZONE), ZONE) for one in items)

    def calls(self, *methods: str) -> int:
        """How many calls of these methods there were since the last `quiet_log`."""
        return sum(1 for call in self.google.state.calls if call.method in methods or not methods)

    def forget_calls(self) -> None:
        """Start counting anew."""
        self.google.state.calls.clear()

    def settle_and_run(self) -> PassResult:
        """Let the quiet time pass, and run."""
        self.later(seconds=91)
        return self.run()
