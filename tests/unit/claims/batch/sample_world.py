"""The books that the sample claim files are about: `samples/appointments.csv`, all sessions read after their end."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from calsync.claims.batch.checking import Form, read_batch
from calsync.claims.batch.judging import CheckedClaim, CheckedLine
from calsync.claims.batch.lines import FileRefused
from calsync.claims.gate import Gate, drain_touched
from calsync.domain.appointment import Appointment, AppointmentKind, AppointmentStatus, Subject, SubjectKind
from calsync.domain.event import Appearance, Event
from calsync.domain.link import Link
from calsync.domain.notation import content_hash
from calsync.domain.span import Span
from calsync.settings.model import Settings
from calsync.store import calendars, filings, link_changes, observations, providers, record_changes
from calsync.store.calendars import CalendarSpec
from calsync.store.database import Database
from calsync.store.filings import Filing
from calsync.store.observations import Observation
from calsync.store.providers import ProviderRow
from calsync.testing.fake_ports import FakeClock, FakeIds

SAMPLES = Path(__file__).parent / "samples"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
LINKED = datetime(2026, 10, 1, 12, tzinfo=UTC)


@dataclass
class SampleWorld:
    """Provider P-1 with one calendar that shows every session; A-1301 and A-1302 were filed under other facts."""

    db: Database
    settings: Settings = field(default_factory=lambda: Settings(path=Path("calsync.toml")))
    clock: FakeClock = field(default_factory=lambda: FakeClock(NOW))
    ids: FakeIds = field(default_factory=FakeIds)
    is_filled: bool = False

    def __post_init__(self) -> None:
        if self.is_filled:
            return
        with self.db.transaction() as conn:
            providers.put(conn, ProviderRow("P-1", "Ada Example", "ada@example.org", "America/Chicago"))
            calendars.register(conn, CalendarSpec("K-1", "P-1", "", "caldav", "mirror", "dedicated", "config"), LINKED)
        with (SAMPLES / "appointments.csv").open(newline="") as rows:
            for row in csv.DictReader(rows):
                self.book(row["id"], row["client"], row["start"], row["end"], row["status"], row["kind"])
        self.file("A-1301", date(2026, 11, 12), "ICN20260001")
        self.file("A-1302", date(2026, 11, 6), "ICN20260002")

    @property
    def gate(self) -> Gate:
        return Gate(self.db, self.settings, self.clock, self.ids)

    def book(
        self, number: str, client: str, start: str, end: str, status: str = "completed", kind: str = "follow-up",
        *, provider: str = "P-1", **more: Any,
    ) -> None:  # fmt: skip
        span = Span(datetime.fromisoformat(start), datetime.fromisoformat(end), "America/Chicago")
        one = Appointment(
            number, provider, client, span, kind=AppointmentKind(kind), status=AppointmentStatus(status), **more
        )
        with self.db.transaction() as conn:
            record_changes.put_appointment(
                conn, one, now=LINKED, actor="import", action="imported", completed_by="provider:P-1"
            )
            name = f"L-{number}"
            event = Event(f"u-{number}", Appearance(span, f"Session {number}"))
            subject = Subject(SubjectKind.APPOINTMENT, number)
            link_changes.insert(conn, Link(name, "K-1", "P-1", subject, 1, f"r-{name}", f"u-{name}"))
            link_changes.confirm(
                conn, name, version="1", baseline=event, baseline_hash=content_hash(event), remote_id=f"r-{name}",
                confirmed_at=LINKED,
            )  # fmt: skip
            observations.insert(
                conn,
                Observation(
                    calendar="K-1", link=name, appointment=number, read_at=span.end_at + timedelta(minutes=10),
                    seen=Appearance(span), version="2", after_end=True, linked_at=LINKED, written_at=LINKED,
                ),
            )  # fmt: skip

    def file(self, number: str, day: date, control: str) -> None:
        with self.db.transaction() as conn:
            filings.insert(
                conn,
                Filing(
                    f"F-{number}", number, day, "90834", "1", number, "1", "batch-1", control, LINKED, "support:billing"
                ),
            )
        drain_touched(self.db, self.clock, self.ids, self.settings)

    def check(self, path: Path | str, form: Form | None = None) -> list[CheckedClaim] | str:
        """The answers, or the code that refuses the file."""
        path = SAMPLES / path if isinstance(path, str) else path
        try:
            with read_batch(self.gate, path, form) as batch:
                return list(batch.check(self.gate, "support:billing"))
        except FileRefused as refused:
            return str(refused.code)

    def lines(self, path: Path | str, form: Form | None = None) -> list[CheckedLine]:
        """The answers, line by line."""
        found = self.check(path, form)
        assert not isinstance(found, str), found
        return [line for claim in found for line in claim.lines]


def codes(line: CheckedLine) -> set[str]:
    """The reasons' codes of a line's answer."""
    return {str(one.code) for one in line.answer.reasons}
