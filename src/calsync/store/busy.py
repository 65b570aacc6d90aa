"""Busy times that calendars show beside our own events: when, and nothing else (R-22)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, insert, select

from calsync.domain.span import Window
from calsync.store.dialect import Upsert
from calsync.store.rows import chunks, stream
from calsync.store.schema import calendars
from calsync.store.schema_records import appointments
from calsync.store.schema_slots import busy_reads, busy_times

Interval = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Conflict:
    """A session that stands in a time at which a calendar shows its provider busy; aware instants (ALL-2)."""

    appointment: str
    provider: str
    calendar: str
    start_at: datetime
    end_at: datetime
    busy_start_at: datetime
    busy_end_at: datetime


def between(conn: Connection, provider: str, window: Window) -> list[Interval]:
    """Busy times of the provider's calendars, removed ones left out, that touch the window; by start."""
    parameters = {"the_provider": provider, "since": window.start, "until": window.end}
    return [(row.start_at, row.end_at) for row in conn.execute(_BETWEEN, parameters)]


def replace(conn: Connection, calendar: str, provider: str, window: Window, found: Iterable[Interval]) -> bool:
    """Make these the calendar's busy times in the window; those before it stay. True if anything changed."""
    wanted = {(start, end) for start, end in found if start < end and start < window.end and end > window.start}
    parameters = {"the_calendar": calendar, "since": window.start}
    known = {(row.start_at, row.end_at) for row in conn.execute(_OF_CALENDAR, parameters)}
    for gone in chunks(sorted(known - wanted)):
        conn.execute(_DROP, [{"the_calendar": calendar, "first": start, "last": end} for start, end in gone])
    for new in chunks(sorted(wanted - known)):
        conn.execute(
            _ADD, [{"calendar": calendar, "provider": provider, "start_at": start, "end_at": end} for start, end in new]
        )
    return known != wanted


def forget(conn: Connection, provider: str, before: datetime) -> int:
    """Drop a provider's busy times that ended before an instant; how many."""
    return conn.execute(_FORGET, {"the_provider": provider, "limit": before}).rowcount


def is_due(conn: Connection, calendar: str) -> bool:
    """Whether the calendar's busy times are to be read: never done, changed since, or failed."""
    found = conn.execute(DUE, {"the_calendar": calendar}).scalar_one_or_none()
    return True if found is None else bool(found)


def set_due(conn: Connection, calendar: str) -> None:
    """Have them read with the next pass."""
    _SET_DUE.run(conn, {"calendar": calendar, "due": True})


def note_read(conn: Connection, calendar: str, read_at: datetime) -> None:
    """Remember a good read that began at an instant."""
    _NOTE_READ.run(conn, {"calendar": calendar, "read_at": read_at, "due": False})


def conflicts(conn: Connection, since: datetime, until: datetime, provider: str | None = None) -> Iterator[Conflict]:
    """Stream standing sessions that start from `since` to before `until` in a busy time; by start, then id."""
    query = _CONFLICTS if provider is None else _CONFLICTS.where(_a.provider == provider)
    for row in stream(conn, query, {"since": since, "until": until}):
        yield Conflict(*list(row))


_b, _a, _k = busy_times.c, appointments.c, calendars.c
_SINCE = bindparam("since", type_=_b.start_at.type)
_UNTIL = bindparam("until", type_=_b.start_at.type)
_HERE = _b.calendar == bindparam("the_calendar")
_STANDING = _k.id == _b.calendar, _k.removed_at.is_(None)
_BETWEEN = (
    select(_b.start_at, _b.end_at)
    .where(_b.provider == bindparam("the_provider"), _b.end_at > _SINCE, _b.start_at < _UNTIL, *_STANDING)
    .order_by(_b.start_at)
)
_OF_CALENDAR = select(_b.start_at, _b.end_at).where(_HERE, _b.end_at > _SINCE)
_DROP = delete(busy_times).where(
    _HERE,
    _b.start_at == bindparam("first", type_=_b.start_at.type),
    _b.end_at == bindparam("last", type_=_b.end_at.type),
)
_ADD = insert(busy_times)
_FORGET = delete(busy_times).where(
    _b.provider == bindparam("the_provider"), _b.end_at < bindparam("limit", type_=_b.end_at.type)
)
DUE = select(busy_reads.c.due).where(busy_reads.c.calendar == bindparam("the_calendar"))
_SET_DUE = Upsert(busy_reads, [busy_reads.c.calendar], lambda new: {"due": new["due"]})
_NOTE_READ = Upsert(busy_reads, [busy_reads.c.calendar], lambda new: {"due": new["due"], "read_at": new["read_at"]})
_CONFLICTS = (
    select(_a.id, _a.provider, _b.calendar, _a.start_at, _a.end_at, _b.start_at, _b.end_at)
    .where(
        _a.start_at >= _SINCE,
        _a.start_at < _UNTIL,
        _a.status.not_in(("cancelled", "late-cancelled")),
        _b.provider == _a.provider,
        _b.start_at < _a.end_at,
        _b.end_at > _a.start_at,
        *_STANDING,
    )
    .order_by(_a.start_at, _a.id, _b.start_at)
)
