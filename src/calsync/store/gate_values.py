"""What the claims gate knows of an appointment, row by row: values without behaviour, no wider than it needs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from calsync.domain.appointment import Subject, SubjectKind
from calsync.domain.event import Appearance


@dataclass(frozen=True, slots=True)
class RecordRow:
    """An appointment as far as the gate looks at it."""

    id: str
    provider: str
    client: str
    start: datetime
    end: datetime
    zone: str
    start_at: datetime
    end_at: datetime
    kind: str
    status: str
    series: str | None
    code: str | None
    payer: str
    session: str | None
    client_zone: str | None
    provider_zone: str | None
    pending: str | None
    pending_until: datetime | None
    missing_since: datetime | None
    version: int
    completed_by: str | None
    format: str | None
    origin: str = "book"

    @property
    def subject(self) -> Subject:
        """What calendars show for it."""
        if self.series is None:
            return Subject(SubjectKind.APPOINTMENT, self.id)
        return Subject(SubjectKind.SERIES, self.series)

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """The same, and itself: some services cannot hold its series, and show its sessions one by one."""
        own = Subject(SubjectKind.APPOINTMENT, self.id)
        return (own,) if self.series is None else (self.subject, own)


@dataclass(frozen=True, slots=True)
class LinkRow:
    """A link's life, without its events."""

    id: str
    calendar: str
    subject_kind: str
    subject: str
    state: str
    confirmed_at: datetime | None
    linked_at: datetime | None
    read_after: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class CalendarRow:
    """A calendar's standing."""

    id: str
    provider: str
    mode: str
    state: str
    state_since: datetime | None
    removed_at: datetime | None
    due_at: datetime
    not_before: datetime | None
    books_restored_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StopRow:
    """A stop or pause that stands."""

    calendar: str
    started_at: datetime
    kind: str
    touched: frozenset[str]


@dataclass(frozen=True, slots=True)
class ObservationRow:
    """One successful reading of an occurrence."""

    appointment: str
    calendar: str
    read_at: datetime
    seen: Appearance | None
    version: str | None
    drift: str | None
    linked_at: datetime | None
    written_at: datetime | None


@dataclass(frozen=True, slots=True)
class DriftRow:
    """A guarded drift. `accepted`: what was seen is the agreed state since a person answered (R-10)."""

    id: str
    appointment: str
    calendar: str
    kind: str
    phase: str
    resolution: str
    accepted: bool
    scope: str
    mixed: bool
    detected_at: datetime
    changed_at: datetime
    expected: Appearance | None
    observed: Appearance | None


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """A row of a session log."""

    id: str
    appointment: str
    source: str
    who: str | None
    start_at: datetime
    end_at: datetime


@dataclass(frozen=True, slots=True)
class StatementRow:
    """A person's word."""

    id: str
    appointment: str
    by: str
    at: datetime
    saw: tuple[str, ...]
    says: str
    start: datetime | None
    end: datetime | None
    date: date | None


@dataclass(frozen=True, slots=True)
class AskRow:
    """A question that was sent."""

    appointment: str
    about: str
    who: str
    at: datetime
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class FilingRow:
    """What stands filed for an appointment."""

    id: str
    appointment: str
    date: date
    code: str | None
    state: str
    against_gate: bool
    control: str | None


@dataclass(frozen=True, slots=True)
class ClearanceRow:
    """The clearance in force; `issued_at` None: nobody was told yet."""

    id: str
    appointment: str
    date: date
    code: str | None
    fingerprint: str
    issued_at: datetime | None


@dataclass(frozen=True, slots=True)
class NeighbourRow:
    """Another appointment, as far as it can be mistaken for one."""

    id: str
    provider: str
    client: str
    start_at: datetime
    end_at: datetime
    status: str
    code: str | None
    session: str | None
    payer: str
