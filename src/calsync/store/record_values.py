"""Appointments, series and blocks as columns, and back; what their history says of them. Pure; used by `records`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from calsync.domain.appointment import Appointment, AppointmentKind, AppointmentStatus, Block, Series
from calsync.domain.span import Span
from calsync.store.columns import wall_to_text
from calsync.store.schema_records import appointments, blocks, series


@dataclass(frozen=True, slots=True)
class AppointmentFacts:
    """What the books know of an appointment beside the record itself.

    `missing_since`: its row disappeared from its source (R-24), and nobody has answered for it; `missing_answered_at`:
    somebody has, and the row has not come back since. `completed_by`: who recorded attendance; `import` is an
    import's default. `origin` is where it first came from: book, import, api or mapping; what a platform's table tells
    of is `mapping`, wherever it came from before. `provider_zone`: where the provider lived when the time was booked.
    """

    id: str
    start_at: datetime
    end_at: datetime
    pending_until: datetime | None
    missing_since: datetime | None
    missing_answered_at: datetime | None
    origin: str
    created_at: datetime
    updated_at: datetime
    completed_by: str | None
    provider_zone: str | None


@dataclass(frozen=True, slots=True)
class SeriesFacts:
    """A series with how far its occurrences exist as appointments, and what those made later start out with."""

    series: Series
    materialised_until: datetime | None
    defaults: dict[str, Any]


APPOINTMENT = [
    appointments.c[name]
    for name in (
        "id",
        "provider",
        "client",
        "start",
        "end",
        "zone",
        "kind",
        "status",
        "series",
        "original_start",
        "code",
        "payer",
        "format",
        "session",
        "client_zone",
        "pending",
        "version",
    )
]
SERIES = [
    series.c[name]
    for name in (
        "id",
        "provider",
        "client",
        "start",
        "end",
        "zone",
        "rule",
        "added",
        "excluded",
        "continues",
        "cancelled",
        "version",
    )
]
BLOCK = [
    blocks.c[name] for name in ("id", "provider", "start", "end", "zone", "all_day", "title", "cancelled", "version")
]


def appointment_of(row: Any) -> Appointment:
    """The appointment of a row selected with `APPOINTMENT`."""
    number, provider, client, start, end, zone, kind, status, *rest = row
    return Appointment(
        number, provider, client, Span(start, end, zone), AppointmentKind(kind), AppointmentStatus(status), *rest
    )


def series_of(row: Any) -> Series:
    """The series of a row selected with `SERIES`."""
    number, provider, client, start, end, zone, *rest = row[: len(SERIES)]
    return Series(number, provider, client, Span(start, end, zone), *rest)


def block_of(row: Any) -> Block:
    """The block of a row selected with `BLOCK`."""
    number, provider, start, end, zone, all_day, *rest = row
    return Block(number, provider, Span(start, end, zone, all_day=all_day), *rest)


def appointment_columns(one: Appointment) -> dict[str, Any]:
    """The columns that the record itself fills."""
    return {
        **_told(one.span),
        "id": one.id,
        "provider": one.provider,
        "client": one.client,
        "start_at": one.span.start_at,
        "end_at": one.span.end_at,
        "kind": one.kind.value,
        "status": one.status.value,
        "series": one.series,
        "original_start": one.original_start,
        "code": one.code,
        "payer": one.payer,
        "format": one.format,
        "session": one.session,
        "client_zone": one.client_zone,
        "pending": one.pending,
        "version": one.version,
    }


def series_columns(one: Series) -> dict[str, Any]:
    """The columns that the record itself fills."""
    return {
        **_told(one.span),
        "id": one.id,
        "provider": one.provider,
        "client": one.client,
        "rule": one.rule,
        "added": one.added,
        "excluded": one.excluded,
        "continues": one.continues,
        "cancelled": one.cancelled,
        "version": one.version,
    }


def block_columns(one: Block) -> dict[str, Any]:
    """The columns that the record itself fills."""
    return {
        **_told(one.span),
        "id": one.id,
        "provider": one.provider,
        "start_at": one.span.start_at,
        "end_at": one.span.end_at,
        "all_day": one.span.all_day,
        "title": one.title,
        "cancelled": one.cancelled,
        "version": one.version,
    }


def in_history(columns: dict[str, Any] | None) -> dict[str, Any] | None:
    """A record's columns as its history keeps them: what says something, without a title that a person typed."""
    if columns is None:
        return None
    kept = {name: _readable(value) for name, value in columns.items() if value not in (None, "", ())}
    for name in ("title", "start_at", "end_at"):
        kept.pop(name, None)
    return kept


def _told(span: Span) -> dict[str, Any]:
    return {"start": span.start, "end": span.end, "zone": span.zone}


def _readable(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_readable(one) for one in value]
    if isinstance(value, datetime):
        return wall_to_text(value) if value.tzinfo is None else value.isoformat()
    return value
