"""The record side: appointments, series and blocks as the platform keeps them. Never does I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from calsync.domain.span import Span


class AppointmentKind(StrEnum):
    """What sort of session it is."""

    INITIAL = "initial"
    FOLLOW_UP = "follow-up"


class AppointmentStatus(StrEnum):
    """What became of the session, as the platform records it."""

    SCHEDULED = "scheduled"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    LATE_CANCELLED = "late-cancelled"
    NO_SHOW = "no-show"

    @property
    def shows_in_calendars(self) -> bool:
        """Whether an event belongs in the calendars: a cancelled session's event leaves them, a no-show's stays."""
        return self not in (AppointmentStatus.CANCELLED, AppointmentStatus.LATE_CANCELLED)


class SubjectKind(StrEnum):
    """What a link ties to a calendar (R-1)."""

    APPOINTMENT = "appointment"
    SERIES = "series"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Subject:
    """Kind and id of what is mirrored as one event."""

    kind: SubjectKind
    id: str


@dataclass(frozen=True, slots=True)
class Appointment:
    """One session's record. `original_start` (aware UTC) is its identity inside `series`; both None for a single."""

    id: str
    provider: str
    client: str
    span: Span
    kind: AppointmentKind = AppointmentKind.FOLLOW_UP
    status: AppointmentStatus = AppointmentStatus.SCHEDULED
    series: str | None = None
    original_start: datetime | None = None
    code: str | None = None
    payer: str = "insurance"
    format: str | None = None
    session: str | None = None
    client_zone: str | None = None
    pending: str | None = None  # an open request, such as "reschedule"
    version: int = 1


@dataclass(frozen=True, slots=True)
class Series:
    """A recurring set. `span` is the first occurrence; `rule` an RRULE value; `added`/`excluded` aware UTC instants.

    `continues` names the series that a platform "this and following" ended (R-2).
    """

    id: str
    provider: str
    client: str
    span: Span
    rule: str
    added: tuple[datetime, ...] = ()
    excluded: tuple[datetime, ...] = ()
    continues: str | None = None
    cancelled: bool = False
    version: int = 1


@dataclass(frozen=True, slots=True)
class Block:
    """An out-of-office block of a provider: mirrored as a busy event, with no claim behind it (R-5)."""

    id: str
    provider: str
    span: Span
    title: str = ""
    cancelled: bool = False
    version: int = 1
