"""A small world for worker tests: real store (SQLite in memory), calendars in memory, a virtual clock."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from calsync.connector.wrappers import Around, RetryPolicy, WrapPorts, wrap
from calsync.domain.appointment import Appointment, AppointmentStatus, Block, Series
from calsync.domain.drift import Drift
from calsync.domain.marker import MarkerKeys
from calsync.domain.span import Span
from calsync.reconcile.case import DecisionPolicy
from calsync.settings.practice import Practice
from calsync.store import calendars, drifts, providers, record_changes, subject_changes
from calsync.store.calendars import CalendarRow, CalendarSpec
from calsync.store.database import Database, open_database
from calsync.store.drifts import DriftFilter
from calsync.store.providers import ProviderRow
from calsync.store.upgrade import create_for_tests
from calsync.testing.fake_ports import FakeClock, FakeIds, FakeSleep
from calsync.testing.memory_calendar import MemoryCalendar
from calsync.testing.memory_service import MemoryService
from calsync.testing.people import People
from calsync.testing.personality import CALDAV_SYNC, Personality
from calsync.worker.context import PassResult, Rules, WorkerContext
from calsync.worker.dispatch import run_now
from calsync.worker.leased_run import Request, run_leased

ZONE = "America/New_York"
NOW = datetime(2026, 11, 16, 14, 0, tzinfo=UTC)  # a Monday, 09:00 in New York
KEYS = MarkerKeys("k1", {"k1": b"0" * 32}, "installation-1")
POLICY = DecisionPolicy(dispositions=Practice().dispositions)


@dataclass
class Opener:
    """Hands out calendars in memory; rules can be changed between passes."""

    service: MemoryService
    ports: WrapPorts
    the_rules: Rules = field(default_factory=lambda: Rules(decisions=POLICY))
    places: dict[str, str] = field(default_factory=dict)

    def open(self, row: CalendarRow) -> Around:
        """A client of the calendar."""
        place = self.places.get(row.id, row.id)
        calendar = MemoryCalendar(self.service, place)
        return wrap(calendar, row.id, ports=self.ports, retries=RetryPolicy(attempts=1))

    def forget(self, calendar: str) -> None:
        """Nothing is kept."""

    def rules(self, provider: str, practice: str | None = None) -> Rules:
        """The same for everybody."""
        return self.the_rules


class World:
    """One provider, one calendar, and what tests do with them."""

    connector: ClassVar[str] = "memory"

    def __init__(self, personality: Personality = CALDAV_SYNC, *, calendar: str = "work") -> None:
        self.clock = FakeClock(NOW)
        self.ids = FakeIds()
        self.sleep = FakeSleep(self.clock)
        self.service = MemoryService(personality, clock=self.clock)
        self.service.add_calendar(calendar)
        self.people = People(self.service, calendar)
        self.database: Database = open_database("sqlite://")
        create_for_tests(self.database)
        self.opener = Opener(self.service, WrapPorts(self.clock, self.ids, self.sleep))
        self.calendar = calendar
        self.worker = self.new_worker()
        with self.database.transaction() as conn:
            providers.put(conn, ProviderRow("P-1", "Dr. Made Up", "p1@example.org", ZONE))
        self.link(calendar)

    def new_worker(self) -> WorkerContext:
        """A worker as after a restart."""
        return WorkerContext(
            database=self.database,
            clock=self.clock,
            ids=self.ids,
            sleep=self.sleep,
            keys=KEYS,
            opener=self.opener,
            owner=self.ids.new_id("worker"),
        )

    def link(self, calendar: str) -> None:
        """Put a calendar on the books."""
        spec = CalendarSpec(calendar, "P-1", "c", self.connector, "mirror", "existing", "config")
        with self.database.transaction() as conn:
            calendars.register(conn, spec, self.clock.now())
            calendars.set_remote(conn, calendar, calendar)
            subject_changes.mark_calendar(conn, calendar, self.opener.the_rules.window(self.clock.now()))

    def settle(self, **changes: object) -> None:
        """Change the decision policy."""
        rules = self.opener.the_rules
        self.opener.the_rules = replace(rules, decisions=replace(rules.decisions, **changes))  # type: ignore[arg-type]

    # Records.

    def book(self, number: str, start: str, minutes: int = 50, status: str = "scheduled") -> Appointment:
        """Book (or re-book under the same id) a single session; `start` is wall time in New York."""
        wall = datetime.fromisoformat(start)
        span = Span(wall, wall + timedelta(minutes=minutes), ZONE)
        appointment = Appointment(number, "P-1", "K-1", span, status=AppointmentStatus(status), code="90834")
        self.put(appointment)
        return appointment

    def put(self, appointment: Appointment) -> None:
        """Write a record."""
        with self.database.transaction() as conn:
            record_changes.put_appointment(
                conn, appointment, now=self.clock.now(), actor="support:test", action="book", origin="book"
            )

    def book_series(self, name: str, start: str, rule: str, count: int, minutes: int = 50) -> list[Appointment]:
        """Book a weekly series with its first `count` appointments."""
        wall = datetime.fromisoformat(start)
        span = Span(wall, wall + timedelta(minutes=minutes), ZONE)
        made = []
        with self.database.transaction() as conn:
            record_changes.put_series(
                conn, Series(name, "P-1", "K-1", span, rule), now=self.clock.now(), actor="support:test", action="book"
            )
            for number in range(count):
                slot = span.starting(wall + timedelta(weeks=number))
                one = Appointment(
                    f"{name}-{number}", "P-1", "K-1", slot, series=name, original_start=slot.start_at, code="90834"
                )
                record_changes.put_appointment(
                    conn, one, now=self.clock.now(), actor="support:test", action="book", origin="book"
                )
                made.append(one)
        return made

    def block(self, name: str, start: str, hours: int = 8) -> None:
        """Block out some hours."""
        wall = datetime.fromisoformat(start)
        block = Block(name, "P-1", Span(wall, wall + timedelta(hours=hours), ZONE))
        with self.database.transaction() as conn:
            record_changes.put_block(conn, block, now=self.clock.now(), actor="provider:P-1", action="add")

    # Passes.

    def run(self, calendar: str | None = None, **how: bool) -> PassResult:
        """One pass, as `sync` runs it."""
        result = run_now(
            self.worker, calendar or self.calendar, lambda lease: run_leased(self.worker, lease, Request(**how))
        )
        assert result is not None
        return result

    def later(self, **by: float) -> None:
        """Let time pass."""
        self.clock.advance(timedelta(**by))

    # What there is.

    def row(self, calendar: str | None = None) -> CalendarRow:
        """The calendar's row."""
        with self.database.reading() as conn:
            row = calendars.get(conn, calendar or self.calendar)
        assert row is not None
        return row

    def drifts(self) -> list[Drift]:
        """All drifts, oldest first."""
        with self.database.reading() as conn:
            return sorted(drifts.rows(conn, DriftFilter()), key=lambda drift: (drift.detected_at, drift.id))

    def shown(self) -> dict[str, Span]:
        """What the calendar shows of single events: remote id to span."""
        return {name: self.people.see(name).event.master.span for name in self.people.ids()}

    def only(self) -> str:
        """The remote id of the only event."""
        (name,) = self.people.ids()
        return name
