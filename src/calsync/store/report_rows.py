"""What reports read of the books, streamed or counted by the database. Called by `reports.gather` only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, or_, select, union

from calsync.store.rows import Shape, stream
from calsync.store.schema import appointments, calendars, links, owed_writes, recalls, subject_changes

Subject = tuple[str, str]
"""Kind and id of what a calendar shows."""


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session as far as a report counts it."""

    id: str
    provider: str
    start_at: datetime
    end_at: datetime
    status: str
    series: str | None

    @property
    def subject(self) -> Subject:
        """What calendars show for it."""
        return ("appointment", self.id) if self.series is None else ("series", self.series)


def sessions(conn: Connection, since: datetime, until: datetime, provider: str | None) -> Iterator[SessionRow]:
    """Stream the sessions that start from `since` to before `until`, by start."""
    for row in stream(conn, _sessions(since, until, provider)):
        yield _SESSION.of(row)


def linked(conn: Connection) -> set[Subject]:
    """What some calendar has confirmed to show."""
    return {(row[0], row[1]) for row in conn.execute(_LINKED)}


def unsettled(conn: Connection) -> set[Subject]:
    """What some calendar lacks, or has yet to be told."""
    return {(row[0], row[1]) for row in conn.execute(_UNSETTLED)}


def calendar_states(conn: Connection, provider: str | None) -> dict[str, int]:
    """How many calendars are in which state."""
    query = select(calendars.c.state, func.count()).where(calendars.c.removed_at.is_(None))
    if provider is not None:
        query = query.where(calendars.c.provider == provider)
    return {row[0]: row[1] for row in conn.execute(query.group_by(calendars.c.state).order_by(calendars.c.state))}


def recall_counts(
    conn: Connection, since: datetime, until: datetime, provider: str | None
) -> dict[tuple[str, str], int]:
    """How many recalls were found in the period, by action and state."""
    c = recalls.c
    query = select(c.action, c.state, func.count()).where(c.detected_at >= since, c.detected_at < until)
    if provider is not None:
        of_provider = select(appointments.c.id).where(appointments.c.provider == provider)
        query = query.where(c.appointment.in_(of_provider))
    rows = conn.execute(query.group_by(c.action, c.state).order_by(c.action, c.state))
    return {(row[0], row[1]): row[2] for row in rows}


def _sessions(since: datetime, until: datetime, provider: str | None) -> Select[Any]:
    c = appointments.c
    query = select(*_SESSION.columns).where(c.start_at >= since, c.start_at < until).order_by(c.start_at, c.id)
    return query if provider is None else query.where(c.provider == provider)


_SESSION = Shape(appointments, SessionRow)
_l = links.c
_ALIVE = _l.state != "retired"
_LINKED = select(_l.subject_kind, _l.subject).where(_ALIVE, _l.linked_at.is_not(None)).distinct()
_UNSETTLED = union(
    select(_l.subject_kind, _l.subject).where(_ALIVE, or_(_l.linked_at.is_(None), _l.absent.is_(True))),
    select(_l.subject_kind, _l.subject).where(_l.id == owed_writes.c.link, owed_writes.c.state.in_(["owed", "sent"])),
    select(subject_changes.c.kind, subject_changes.c.subject),
)
