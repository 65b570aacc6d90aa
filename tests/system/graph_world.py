"""The real worker and a real store in front of the Graph stand-in: one provider, one calendar, people and weather."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from calsync.connector.protocol import CalendarPlace
from calsync.connector.wrappers import Around, RetryPolicy, WrapPorts, wrap
from calsync.domain.drift import DriftKind, Resolution
from calsync.domain.span import wall_time
from calsync.sandbox.graph.ids import calendar_id, event_id
from calsync.sandbox.graph.knobs import Knobs
from calsync.sandbox.graph.people import Person
from calsync.sandbox.graph.server import Sandbox
from calsync.store import calendars, providers, subject_changes
from calsync.store.calendars import CalendarRow, CalendarSpec
from calsync.store.database import open_database
from calsync.store.providers import ProviderRow
from calsync.store.upgrade import create_for_tests
from calsync.worker.context import PassResult, Rules
from calsync_outlook.connector import CONNECTOR
from tests.servers.graph_subject import UPN, Login
from tests.unit.worker.world import POLICY, ZONE, World

FAR = datetime(2029, 1, 1, tzinfo=UTC)


@dataclass
class GraphOpener:
    """Opens the calendar as the worker's own opener does, and keeps it open until an error."""

    login: Login
    ports: WrapPorts
    remote: str
    the_rules: Rules = field(default_factory=lambda: Rules(decisions=POLICY))
    retries: int = 1
    kept: dict[str, Around] = field(default_factory=dict)

    def open(self, row: CalendarRow) -> Around:
        """A client of the calendar."""
        if row.id not in self.kept:
            calendar = CONNECTOR.open(self.login.request(UPN), CalendarPlace(self.remote))
            retries = RetryPolicy(attempts=self.retries, first=0.1)
            self.kept[row.id] = wrap(calendar, row.id, ports=self.ports, retries=retries)
        return self.kept[row.id]

    def forget(self, calendar: str) -> None:
        """Close it."""
        kept = self.kept.pop(calendar, None)
        if kept is not None:
            kept.close()

    def rules(self, provider: str, practice: str | None = None) -> Rules:
        """The same for everybody."""
        return self.the_rules


class GraphWorld(World):
    """As `World`, on Outlook: `person` edits, `graph` has knobs and weather."""

    opener: GraphOpener  # type: ignore[assignment]

    def __init__(self, folder: Path, knobs: Knobs | None = None) -> None:
        super().__init__()
        self.graph = Sandbox(self.clock, knobs or Knobs()).start()
        self.person: Person = self.graph.add_person(UPN)
        self.other = self.graph.state.add_calendar(self.person.mailbox, "Private")
        self.remote = calendar_id(self.person.calendar, immutable=True)
        ports = WrapPorts(self.clock, self.ids, self.sleep)
        self.opener = GraphOpener(Login(self.graph, folder), ports, self.remote)
        self.worker = self.new_worker()

    def close(self) -> None:
        """Take everything down."""
        for name in list(self.opener.kept):
            self.opener.forget(name)
        self.graph.stop()

    def link(self, calendar: str) -> None:
        """Put a calendar on the books."""
        spec = CalendarSpec(calendar, "P-1", "c", "outlook", "mirror", "existing", "config")
        with self.database.transaction() as conn:
            calendars.register(conn, spec, self.clock.now())
            calendars.set_remote(conn, calendar, calendar)
            subject_changes.mark_calendar(conn, calendar, self.opener.the_rules.window(self.clock.now()))

    def lose_books(self) -> None:
        """A new, empty database; the keys are the old ones."""
        self.opener.forget(self.calendar)
        self.database = open_database("sqlite://")
        create_for_tests(self.database)
        self.worker = self.new_worker()
        with self.database.transaction() as conn:
            providers.put(conn, ProviderRow("P-1", "Dr. Made Up", "p1@example.org", ZONE))
        self.link(self.calendar)

    # What there is.

    def starts(self) -> dict[str, datetime]:
        """Wall-time starts of singles and masters, by id."""
        items = self.person.items()
        return {event_id(item, immutable=True): wall_time(item.when.start, ZONE) for item in items}

    def only_event(self) -> str:
        """The id of the only event."""
        (name,) = self.person.ids()
        return name

    def occurrences(self, name: str) -> list[datetime]:
        """Wall-time starts of what people see of a series."""
        item, state = self.person.item(name), self.graph.state
        days = state.shown_slots(item, datetime(2025, 1, 1, tzinfo=UTC), FAR)
        return sorted(wall_time(item.shown_when(day).start, ZONE) for day in days)

    def calls(self, *routes: str) -> int:
        """How many requests to these routes there were since `forget_calls`."""
        return sum(1 for route, _ in self.graph.api.log if route in routes)

    def forget_calls(self) -> None:
        """Start counting anew."""
        self.graph.api.log.clear()

    def kinds(self) -> list[DriftKind]:
        """The kinds of all drifts, oldest first."""
        return [drift.kind for drift in self.drifts()]

    def resolutions(self) -> list[Resolution]:
        """How all drifts stand, oldest first."""
        return [drift.resolution for drift in self.drifts()]

    def settled(self) -> None:
        """Run until our own writes have come back in the feed."""
        for _ in range(3):
            self.run()
            self.later(seconds=10)

    def noticed(self) -> PassResult:
        """Let an edit show in delta, and run."""
        self.later(seconds=10)
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
