"""What a provider's new calendar would be given: counted and listed before the first write (R-31)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, bindparam, func, select

from calsync.domain.appointment import AppointmentStatus
from calsync.domain.span import Window
from calsync.store.schema_records import appointments, blocks


@dataclass(frozen=True, slots=True)
class FirstPlan:
    """Numbers of events inside the window; `next` are the ids and starts (aware UTC) of the sessions to come."""

    singles: int
    series: int
    blocks: int
    next: tuple[tuple[str, datetime], ...]

    @property
    def events(self) -> int:
        """How many events that makes; a series is one."""
        return self.singles + self.series + self.blocks


def of_provider(conn: Connection, provider: str, window: Window, now: datetime, limit: int = 5) -> FirstPlan:
    """The plan for one provider, with at most `limit` of the sessions to come."""
    inside = {"the_provider": provider, "window_start": window.start, "window_end": window.end}
    return FirstPlan(
        singles=int(conn.execute(_SINGLES, inside).scalar_one()),
        series=int(conn.execute(_SERIES, inside).scalar_one()),
        blocks=int(conn.execute(_BLOCKS, inside).scalar_one()),
        next=tuple((row.id, row.start_at) for row in conn.execute(_NEXT, {**inside, "now": now, "room": limit})),
    )


_a = appointments.c
_b = blocks.c
_SHOWN = [status.value for status in AppointmentStatus if status.shows_in_calendars]
_INSIDE = and_(
    _a.provider == bindparam("the_provider"),
    _a.end_at > bindparam("window_start", type_=_a.end_at.type),
    _a.start_at < bindparam("window_end", type_=_a.start_at.type),
    _a.status.in_(_SHOWN),
)
_SINGLES = select(func.count()).where(_INSIDE, _a.series.is_(None))
_SERIES = select(func.count(func.distinct(_a.series))).where(_INSIDE, _a.series.is_not(None))
_BLOCKS = select(func.count()).where(
    _b.provider == bindparam("the_provider"),
    _b.end_at > bindparam("window_start", type_=_b.end_at.type),
    _b.start_at < bindparam("window_end", type_=_b.start_at.type),
    _b.cancelled.is_(False),
)
_NEXT = (
    select(_a.id, _a.start_at)
    .where(_INSIDE, _a.start_at > bindparam("now", type_=_a.start_at.type))
    .order_by(_a.start_at, _a.id)
    .limit(bindparam("room"))
)
