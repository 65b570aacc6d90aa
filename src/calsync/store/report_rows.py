"""What reports read of the books, streamed or counted by the database. Called by `reports.gather` only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, exists, func, or_, select

from calsync.domain.drift import COSMETIC, Resolution
from calsync.store.rows import stream
from calsync.store.schema import calendars, drifts, edits, links, owed_writes
from calsync.store.schema_claims import filings, recalls
from calsync.store.schema_records import appointments, subject_changes


@dataclass(frozen=True, slots=True)
class Period:
    """From `since` to before `until`, aware instants; one provider's, or everybody's."""

    since: datetime
    until: datetime
    provider: str | None = None


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session as far as a report counts it.

    `in_step`: every calendar that is to show it has confirmed it, owes nothing about it, and no edit of it is open.
    """

    id: str
    provider: str
    start_at: datetime
    end_at: datetime
    status: str
    in_step: bool


def sessions(conn: Connection, period: Period) -> Iterator[SessionRow]:
    """Stream the sessions that start in the period, by start."""
    query = _SESSIONS.where(_a.start_at >= period.since, _a.start_at < period.until)
    for row in map(tuple, stream(conn, _narrowed(query, _a.provider, period))):
        yield SessionRow(row[0], row[1], row[2], row[3], row[4], bool(row[5]))


def sightings(conn: Connection, period: Period) -> Iterator[tuple[datetime, datetime | None]]:
    """Stream the period's guarded edits: when each was seen, and when its calendar was last read without it."""
    query = _SIGHTINGS.where(_e.detected_at >= period.since, _e.detected_at < period.until)
    for row in map(tuple, stream(conn, _narrowed(query, _e.provider, period))):
        yield row[0], row[1]


def filed(conn: Connection, period: Period) -> Iterator[tuple[datetime, datetime]]:
    """Stream the first claims of the period's sessions: when each session ended, and when its claim was filed."""
    query = _FILED.where(_a.start_at >= period.since, _a.start_at < period.until)
    for row in map(tuple, stream(conn, _narrowed(query, _a.provider, period))):
        yield row[0], row[1]


def calendar_states(conn: Connection, provider: str | None) -> dict[str, int]:
    """How many calendars are in which state."""
    query = select(calendars.c.state, func.count()).where(calendars.c.removed_at.is_(None))
    if provider is not None:
        query = query.where(calendars.c.provider == provider)
    return {row[0]: row[1] for row in conn.execute(query.group_by(calendars.c.state).order_by(calendars.c.state))}


def recall_counts(conn: Connection, period: Period) -> dict[tuple[str, str], int]:
    """How many recalls were found in the period, by action and state."""
    c = recalls.c
    found_then = (c.detected_at >= period.since, c.detected_at < period.until)
    query = select(c.action, c.state, func.count()).where(*found_then)
    if period.provider is not None:
        query = query.where(c.appointment.in_(select(_a.id).where(_a.provider == period.provider)))
    rows = conn.execute(query.group_by(c.action, c.state).order_by(c.action, c.state))
    return {(row[0], row[1]): row[2] for row in rows}


def _narrowed(query: Select[Any], whose: ColumnElement[str], period: Period) -> Select[Any]:
    return query if period.provider is None else query.where(whose == period.provider)


_a = appointments.c
_l = links.c
_e = edits.c
_KIND = case((_a.series.is_(None), "appointment"), else_="series")
_SUBJECT = func.coalesce(_a.series, _a.id)
# Some services cannot hold its series, and show its sessions one by one.
_OWN = and_(_l.subject_kind == "appointment", _l.subject == _a.id)
_SHOWS = and_(or_(and_(_l.subject_kind == _KIND, _l.subject == _SUBJECT), _OWN), _l.state != "retired")
_UNANSWERED = ("owed", "sent")
_PROVIDERS_CALENDARS = select(calendars.c.id).where(calendars.c.provider == _a.provider).correlate(appointments)
# Asked about each session as it is streamed: sets of all that is linked or owed would grow with the books.
_IN_STEP = and_(
    exists().where(_SHOWS, _l.linked_at.is_not(None)).correlate(appointments),
    ~exists().where(_SHOWS, or_(_l.linked_at.is_(None), _l.absent.is_(True))).correlate(appointments),
    ~exists().where(_SHOWS, owed_writes.c.link == _l.id, owed_writes.c.state.in_(_UNANSWERED)).correlate(appointments),
    ~exists()
    .where(
        subject_changes.c.calendar.in_(_PROVIDERS_CALENDARS),
        subject_changes.c.kind == _KIND,
        subject_changes.c.subject == _SUBJECT,
    )
    .correlate(appointments),
    ~exists()
    .where(
        drifts.c.appointment == _a.id,
        drifts.c.kind.not_in([one.value for one in COSMETIC]),
        or_(drifts.c.resolution == Resolution.OPEN.value, drifts.c.accepted.is_(True)),
    )
    .correlate(appointments),
)
_SESSIONS = select(
    _a.id, _a.provider, _a.start_at, _a.end_at, _a.status, case((_IN_STEP, 1), else_=0).label("in_step")
).order_by(_a.start_at, _a.id)
_SIGHTINGS = (
    select(_e.detected_at, _e.unseen_at)
    .where(exists().where(drifts.c.edit == _e.id, drifts.c.kind.not_in([one.value for one in COSMETIC])))
    .order_by(_e.detected_at, _e.id)
)
_FILED = (
    select(_a.end_at, func.min(filings.c.filed_at, type_=filings.c.filed_at.type))
    .join(filings, filings.c.appointment == _a.id)
    .group_by(_a.id, _a.end_at)
)
