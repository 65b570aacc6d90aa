"""The real worker and a real store in front of the Google stand-in: one provider, one calendar, people and weather."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from calsync.connector.protocol import CalendarPlace
from calsync.connector.wrappers import Around, RetryPolicy, WrapPorts, wrap
from calsync.domain.drift import DriftKind, Resolution
from calsync.domain.span import wall_time
from calsync.sandbox.google.feed import list_instances
from calsync.sandbox.google.knobs import Knobs
from calsync.sandbox.google.people import Person
from calsync.sandbox.google.server import Sandbox
from calsync.sandbox.google.times import instant_of
from calsync.store import calendars, providers, subject_changes
from calsync.store.calendars import CalendarRow, CalendarSpec
from calsync.store.database import open_database
from calsync.store.providers import ProviderRow
from calsync.store.upgrade import create_for_tests
from calsync.worker.context import PassResult, Rules
from calsync_google.connector import CONNECTOR
from tests.servers.google_subject import Login
from tests.unit.worker.world import POLICY, ZONE, World

EMAIL = "ash@practice.example"


@dataclass
class GoogleOpener:
    """Opens the calendar as the worker's own opener does, and keeps it open until an error."""

    login: Login
    token: str
    ports: WrapPorts
    remote: str
    the_rules: Rules = field(default_factory=lambda: Rules(decisions=POLICY))
    retries: int = 1
    kept: dict[str, Around] = field(default_factory=dict)

    def open(self, row: CalendarRow) -> Around:
        """A client of the calendar."""
        if row.id not in self.kept:
            request = self.login.request(self.remote, token=self.token)
            calendar = CONNECTOR.open(request, CalendarPlace(self.remote))
            self.kept[row.id] = wrap(
                calendar, row.id, ports=self.ports, retries=RetryPolicy(attempts=self.retries, first=0.1)
            )
        return self.kept[row.id]

    def forget(self, calendar: str) -> None:
        """Close it."""
        kept = self.kept.pop(calendar, None)
        if kept is not None:
            kept.close()

    def rules(self, provider: str, practice: str | None = None) -> Rules:
        """The same for everybody."""
        del provider
        return self.the_rules


class GoogleWorld(World):
    """As `World`, on Google: `person` edits, `google` has knobs and weather."""

    opener: GoogleOpener  # type: ignore[assignment]

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
        self.opener = GoogleOpener(login, token, WrapPorts(self.clock, self.ids, self.sleep), self.remote)
        self.worker = self.new_worker()
        self.reader_zone = ZONE

    def _consent(self) -> str:
        scopes = ("calendar.events.owned", "calendar.calendarlist.readonly")
        return self.google.tokens.consent(EMAIL, {f"https://www.googleapis.com/auth/{name}" for name in scopes})

    def close(self) -> None:
        """Take everything down."""
        for name in list(self.opener.kept):
            self.opener.forget(name)
        self.google.stop()

    def link(self, calendar: str) -> None:
        """Put a calendar on the books."""
        spec = CalendarSpec(calendar, "P-1", "c", "google", "mirror", "existing", "config")
        with self.database.transaction() as conn:
            calendars.register(conn, spec, self.clock.now())
            calendars.set_remote(conn, calendar, calendar)
            subject_changes.mark_calendar(conn, calendar, self.opener.the_rules.window(self.clock.now()))

    def restart(self) -> None:
        """A new process on the same books."""
        self.opener.forget(self.calendar)
        self.worker = self.new_worker()

    def lose_books(self) -> None:
        """A new, empty database; the keys are the old ones."""
        self.restart()
        self.database = open_database("sqlite://")
        create_for_tests(self.database)
        self.worker = self.new_worker()
        with self.database.transaction() as conn:
            providers.put(conn, ProviderRow("P-1", "Dr. Made Up", "p1@example.org", ZONE))
        self.link(self.calendar)

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

    def kinds(self) -> list[DriftKind]:
        """The kinds of all drifts, oldest first."""
        return [drift.kind for drift in self.drifts()]

    def resolutions(self) -> list[Resolution]:
        """How all drifts stand, oldest first."""
        return [drift.resolution for drift in self.drifts()]

    def settle_and_run(self) -> PassResult:
        """Let the quiet time pass, and run."""
        self.later(seconds=91)
        return self.run()

    def until_quiet(self, rounds: int = 8) -> None:
        """Run passes until nothing is owed."""
        seen = []
        for _ in range(rounds):
            self.later(minutes=5)
            result = self.run()
            seen.append(result)
            if not result.owed and not result.written and result.error is None:
                return
        raise AssertionError(f"never quiet: {seen}")

    def retry(self, attempts: int) -> None:
        """Let the wrapper try again."""
        self.opener.retries = attempts
        self.opener.forget(self.calendar)

    def policy(self, **changes: Any) -> None:
        """Change the decision policy."""
        rules = self.opener.the_rules
        self.opener.the_rules = replace(rules, decisions=replace(rules.decisions, **changes))


def wall(text: str) -> datetime:
    """A wall time."""
    return datetime.fromisoformat(text)


def weeks(start: str, count: int) -> list[datetime]:
    """Weekly wall times."""
    return [wall(start) + timedelta(weeks=number) for number in range(count)]
