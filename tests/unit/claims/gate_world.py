"""Books with one provider, one calendar and one session, as a worker would have left them; and a gate on them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from calsync.claims.answer import Answer
from calsync.claims.gate import Gate, Question, drain_touched
from calsync.domain.appointment import Appointment, AppointmentStatus, Subject, SubjectKind
from calsync.domain.drift import Disposition, Drift, DriftKind, Phase, Resolution, Scope
from calsync.domain.event import Appearance, Event
from calsync.domain.link import Link
from calsync.domain.notation import content_hash
from calsync.domain.span import Span
from calsync.settings.model import Settings
from calsync.store import (
    calendars,
    claims,
    drifts,
    edits,
    holds,
    link_changes,
    observations,
    providers,
    recalls,
    record_changes,
)
from calsync.store.calendars import CalendarSpec
from calsync.store.database import Database, open_database
from calsync.store.edits import EditRow
from calsync.store.observations import Observation
from calsync.store.providers import ProviderRow
from calsync.store.recalls import RecallRow
from calsync.store.upgrade import create_for_tests
from calsync.testing.fake_ports import FakeClock, FakeIds

SPAN = Span(datetime(2026, 11, 10, 9), datetime(2026, 11, 10, 9, 50), "America/Chicago")
LINKED = datetime(2026, 11, 1, 12, tzinfo=UTC)
READ = SPAN.end_at + timedelta(minutes=10)
NOW = datetime(2026, 11, 11, 12, tzinfo=UTC)
DAY = date(2026, 11, 10)
NEXT_DAY = SPAN.starting(datetime(2026, 11, 11, 9))


@dataclass
class GateWorld:
    """Session A-1 of provider P-1 with client C-1, shown by calendar K-1 and read after its end: it clears."""

    db: Database
    settings: Settings = field(default_factory=lambda: Settings(path=Path("calsync.toml")))
    clock: FakeClock = field(default_factory=lambda: FakeClock(NOW))
    ids: FakeIds = field(default_factory=FakeIds)

    def __post_init__(self) -> None:
        with self.db.transaction() as conn:
            providers.put(conn, ProviderRow("P-1", "Ada Example", "ada@example.org", "America/Chicago"))
        self.add_calendar("K-1")
        self.book()
        self.link()
        self.read()

    @property
    def gate(self) -> Gate:
        return Gate(self.db, self.settings, self.clock, self.ids)

    def add_calendar(self, calendar: str, mode: str = "mirror", provider: str = "P-1") -> None:
        spec = CalendarSpec(calendar, provider, "", "caldav", mode, "dedicated", "database")
        with self.db.transaction() as conn:
            calendars.register(conn, spec, LINKED)

    def book(self, number: str = "A-1", **changes: Any) -> Appointment:
        one = replace(
            Appointment(number, "P-1", "C-1", SPAN, status=AppointmentStatus.COMPLETED, code="90834"), **changes
        )
        with self.db.transaction() as conn:
            record_changes.put_appointment(
                conn, one, now=LINKED, actor="provider:P-1", action="book", completed_by="provider:P-1"
            )
        return one

    def link(self, calendar: str = "K-1", number: str = "A-1", *, at: datetime | None = LINKED) -> str:
        subject = Subject(SubjectKind.APPOINTMENT, number)
        name = f"L-{calendar}-{number}"
        with self.db.transaction() as conn:
            link_changes.insert(conn, Link(name, calendar, "P-1", subject, 1, f"r-{name}", f"u-{name}"))
            if at is not None:
                event = Event(f"u-{name}", Appearance(SPAN, f"Session {number}"))
                link_changes.confirm(
                    conn,
                    name,
                    version="1",
                    baseline=event,
                    baseline_hash=content_hash(event),
                    remote_id=f"r-{name}",
                    confirmed_at=at,
                )
        return name

    def read(
        self, seen: Span | None = SPAN, *, at: datetime = READ, calendar: str = "K-1", number: str = "A-1", **more: Any
    ) -> None:
        told: dict[str, Any] = {"after_end": True, "linked_at": LINKED, "written_at": LINKED, **more}
        row = Observation(
            calendar=calendar,
            link=f"L-{calendar}-{number}",
            appointment=number,
            read_at=at,
            seen=None if seen is None else Appearance(seen),
            version="2",
            **told,
        )
        with self.db.transaction() as conn:
            observations.insert(conn, row)

    def drift(self, name: str = "D-1", observed: Span | None = NEXT_DAY, number: str = "A-1", **changes: Any) -> Drift:
        """A guarded edit of a past session, flagged, as the worker records it."""
        calendar = changes.pop("calendar", "K-1")
        detected_at = changes.pop("detected_at", READ + timedelta(hours=1))
        edit = changes.pop("edit", f"E-{name}")
        one = replace(
            Drift(
                id=name,
                edit=edit,
                link=f"L-{calendar}-{number}",
                calendar=calendar,
                provider="P-1",
                appointment=number,
                block=None,
                series=None,
                original_start=None,
                episode=changes.pop("episode", 1),
                kind=DriftKind.MOVED if observed is not None else DriftKind.DELETED,
                phase=Phase.PAST,
                expected=Appearance(SPAN),
                observed=None if observed is None else Appearance(observed),
                scope=Scope.OCCURRENCE,
                mixed=False,
                disposition=Disposition.FLAG,
                resolution=Resolution.OPEN,
                detected_at=detected_at,
                changed_at=detected_at,
            ),
            **changes,
        )
        with self.db.transaction() as conn:
            if edits.get(conn, edit) is None:
                edits.insert(
                    conn, EditRow(edit, one.link, calendar, "P-1", "2", detected_at, one.scope, mixed=one.mixed)
                )
            drifts.insert(conn, one)
            if one.appointment is not None:
                holds.open_hold(conn, one.appointment, name, detected_at)
        self.touch(number)
        return one

    def touch(self, *numbers: str) -> None:
        with self.db.transaction() as conn:
            claims.touch(conn, numbers)

    def check(self, number: str = "A-1", asked: date | None = None) -> Answer:
        (answer,) = self.gate.check([Question(number, asked)])
        return answer

    def drain(self) -> int:
        return drain_touched(self.db, self.clock, self.ids, self.settings)

    def recalls(self) -> list[RecallRow]:
        with self.db.reading() as conn:
            return recalls.rows(conn)

    def configure(self, **keys: Any) -> None:
        self.settings = self.settings.model_copy(update={"claims": self.settings.claims.model_copy(update=keys)})

    def observe(self) -> None:
        sync = self.settings.sync.model_copy(update={"mode": "observe"})
        self.settings = self.settings.model_copy(update={"sync": sync})


def in_memory() -> GateWorld:
    """The same world, where nothing depends on the database that it is kept in."""
    database = open_database("sqlite://")
    create_for_tests(database)
    return GateWorld(database)


def codes(answer: Answer) -> set[str]:
    """The reasons' codes."""
    return {str(one.code) for one in answer.reasons}
