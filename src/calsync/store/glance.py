"""The three statements of a pass that finds nothing: take the calendar, know its books, give it back.

Each is a transaction of its own. What a pass records goes through `work.hold_fence` as ever.

The first two are asked for several calendars at once, and stay two. A look must not be older than the claim: whatever
changes a calendar's books bumps its generation, and a pass counts the generation of its claim as seen. In one statement
PostgreSQL would answer with the generation of now, where a row was changed meanwhile, and with books of the moment
before: that change would never be looked at. Giving back stays one by one and at once, since until then nobody else may
have the calendar, and a clearance may rest on its reading only from then on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    and_,
    bindparam,
    case,
    exists,
    func,
    or_,
    select,
    text,
    type_coerce,
    union_all,
    update,
)

from calsync.store.alone import Alone
from calsync.store.calendars import CalendarRow, CalendarState
from calsync.store.columns import Instant
from calsync.store.database import Database
from calsync.store.dialect import DatabaseTime
from calsync.store.rows import Shape
from calsync.store.schema import CLAIMABLE, calendars, links, owed_writes, providers, stops
from calsync.store.schema_effects import watches
from calsync.store.schema_records import subject_changes
from calsync.store.schema_slots import busy_reads
from calsync.store.watches import OPEN
from calsync.store.work import LEASE_IS_MINE, Lease, Priority


@dataclass(frozen=True, slots=True)
class Glance:
    """A calendar's books at one moment.

    `released`: what to make of a released stop (see `stops.released_unhandled`). `nothing_waits`: no marked subject, no
    write that is not settled, no read by id that is due. `is_told`: a push channel is proven alive. `busy_due`: see
    `busy.is_due`.
    """

    row: CalendarRow
    zone: str
    practice: str
    released: str | None
    nothing_waits: bool
    is_told: bool
    busy_due: bool


@dataclass(frozen=True, slots=True)
class Ending:
    """How a pass ended. `cursor` None: nothing was read to its end. `pause`: until the next poll."""

    cursor: str | None
    read_at: datetime | None
    pause: timedelta


def claim(database: Database, calendar: str, owner: str, now: datetime, lease_for: timedelta) -> Lease | None:
    """Take this calendar as `work.claim_one` does; `now` counts on SQLite only (R-28)."""
    length = lease_for // timedelta(microseconds=1)
    taken = database.alone(_CLAIM, {"the_id": calendar, "owner": owner, "length": length, "now": now})
    if not taken:
        return None
    generation, fence, until = taken[0]
    return Lease(calendar, generation, fence, owner, until)


def claim_due(database: Database, owner: str, limit: int, now: datetime, lease_for: timedelta) -> list[Lease]:
    """Take up to `limit` due calendars as `work.claim` does; `now` counts on SQLite only (R-28)."""
    given = {"owner": owner, "length": lease_for // timedelta(microseconds=1), "room": limit, "now": now}
    taken = database.alone(_CLAIM_DUE, given) if limit > 0 else []
    # The order of the rows is the database's own business.
    taken.sort(key=lambda row: (-row[-2], row[-1]))
    return [Lease(calendar, generation, fence, owner, until) for calendar, generation, fence, until, *_ in taken]


def claim_if_due(database: Database, calendar: str, owner: str, now: datetime, lease_for: timedelta) -> Lease | None:
    """Take this calendar if it is due and nobody has it: whoever brought word of it may have been late."""
    length = lease_for // timedelta(microseconds=1)
    taken = database.alone(_CLAIM_IF_DUE, {"the_id": calendar, "owner": owner, "length": length, "now": now})
    return Lease(calendar, taken[0][0], taken[0][1], owner, taken[0][2]) if taken else None


def due(database: Database, limit: int, now: datetime) -> list[tuple[str, Priority]]:
    """Up to `limit` due calendars that nobody has, the most urgent first; nothing is claimed."""
    rows = database.alone(_DUE, {"room": limit, "now": now})
    return [(calendar, Priority(priority)) for calendar, priority, _ in sorted(rows, key=lambda row: (-row[1], row[2]))]


def look(database: Database, calendar: str, now: datetime) -> Glance | None:
    """The books of a calendar; None when it or its provider is not on them. `now`: the host's clock."""
    rows = database.alone(_GLANCE, {"the_calendar": calendar, "now": now})
    return _glance_of(rows[0]) if rows else None


def look_at_each(database: Database, names: Sequence[str], now: datetime) -> dict[str, Glance]:
    """The books of these calendars by their ids, several with one statement; see `look`."""
    found: dict[str, Glance] = {}
    for first in range(0, len(names), TOGETHER):
        part = names[first : first + TOGETHER]
        if len(part) == 1:
            rows = database.alone(_GLANCE, {"the_calendar": part[0], "now": now})
        else:
            given = {name: part[min(place, len(part) - 1)] for place, name in enumerate(_NAMES)}
            rows = database.alone(_GLANCES, {**given, "now": now})
        found.update((seen.row.id, seen) for seen in map(_glance_of, rows))
    return found


def end_calm(database: Database, lease: Lease, ending: Ending, now: datetime) -> bool:
    """End a pass that recorded nothing and left the calendar's state alone; False if the lease is lost.

    Due again after the pause, when a write or read by id comes due that is on the books, or at once if somebody pushed
    meanwhile. `now` counts on SQLite only (R-28).
    """
    parameters: Mapping[str, Any] = {
        "the_id": lease.calendar,
        "the_calendar": lease.calendar,
        "the_fence": lease.fence,
        "the_owner": lease.owner,
        "seen": lease.generation,
        "cursor": ending.cursor,
        "read_at": ending.read_at,
        "pause": ending.pause // timedelta(microseconds=1),
        "now": now,
    }
    return bool(database.alone(_END_CALM, parameters))


def _glance_of(row: tuple[Any, ...]) -> Glance:
    zone, practice, released, waits, is_told, busy_due = row[-6:]
    return Glance(_SHAPE.of(row[:-6]), zone, practice, released, not waits, bool(is_told), busy_due is not False)


TOGETHER: Final = 8
"""So many calendars are looked at by one statement: a statement of its own for each number would help little."""
_c = calendars.c
_w = owed_writes.c
_l = links.c
_SHAPE = Shape(calendars, CalendarRow, state=CalendarState)
_HERE: Any = bindparam("the_calendar")
# Readings go by the host's clock, on both databases.
_AT: Any = bindparam("now", type_=Instant())


def _unsettled(calendar: Any) -> ColumnElement[bool]:
    return and_(_w.calendar == calendar, text("owed_writes.state IN ('owed', 'sent')"))


def _alive(calendar: Any) -> ColumnElement[bool]:
    return and_(_l.calendar == calendar, _l.state != "retired")


_RELEASED = (
    select(stops.c.released_as)
    .where(stops.c.calendar == _c.id, stops.c.released_at.is_not(None), stops.c.handled_at.is_(None))
    .order_by(stops.c.released_at.desc(), stops.c.id.desc())
    .limit(1)
    .scalar_subquery()
)
_WAITS = or_(
    exists().where(subject_changes.c.calendar == _c.id),
    exists().where(_unsettled(_c.id)),
    exists().where(_alive(_c.id), _l.read_after <= _AT),
)
_TOLD = exists().where(
    watches.c.calendar == _c.id,
    watches.c.state == OPEN,
    watches.c.last_push_at.is_not(None),
    watches.c.expires_at > _AT,
)
_BUSY_DUE = select(busy_reads.c.due).where(busy_reads.c.calendar == _c.id).scalar_subquery()
_BOOKS = select(
    *_SHAPE.columns,
    providers.c.zone.label("provider_zone"),
    providers.c.practice.label("provider_practice"),
    _RELEASED.label("released"),
    _WAITS.label("waits"),
    _TOLD.label("is_told"),
    _BUSY_DUE.label("busy_due"),
).join(providers, providers.c.id == _c.provider)
_NAMES: Final = tuple(f"calendar_{number}" for number in range(TOGETHER))
GLANCE = _BOOKS.where(_c.id == _HERE)
GLANCES = _BOOKS.where(_c.id.in_([bindparam(name) for name in _NAMES]))
_NOW = DatabaseTime()


def _in(length: str) -> ColumnElement[datetime]:
    return type_coerce(type_coerce(_NOW, BigInteger) + bindparam(length, type_=BigInteger), Instant)


_FREE = or_(_c.lease_until.is_(None), _c.lease_until <= _NOW)
_MAY_RUN = and_(_c.due_at <= _NOW, text(CLAIMABLE), or_(_c.not_before.is_(None), _c.not_before <= _NOW), _FREE)


def _claim(*conditions: Any) -> Any:
    one = select(_c.id).where(_c.id == bindparam("the_id"), *conditions).with_for_update(skip_locked=True)
    return _taking(_c.id == one.correlate(None).scalar_subquery()).returning(_c.generation, _c.fence, _c.lease_until)


def _taking(condition: Any) -> Any:
    lease: dict[str, Any] = {"lease_owner": bindparam("owner"), "lease_until": _in("length")}
    return update(calendars).where(condition).values(fence=_c.fence + 1, **lease)


def _of_priority(priority: Priority, *, lock: bool) -> Any:
    # In the index's order: a backlog of any size is never sorted. The row that is found stays ours until the end.
    rows = select(_c.id, _c.priority, _c.due_at).where(_c.priority == text(str(int(priority))), _MAY_RUN)
    rows = rows.order_by(_c.due_at).limit(bindparam("room", type_=Integer))
    rows = rows.with_for_update(skip_locked=True) if lock else rows
    return select(rows.subquery(f"of_{priority.name.lower()}"))


def _all_due(*, lock: bool) -> Any:
    parts = [_of_priority(priority, lock=lock) for priority in sorted(Priority, reverse=True)]
    return union_all(*parts).limit(bindparam("room", type_=Integer))


CLAIM = _claim(_FREE)
CLAIM_IF_DUE = _claim(_MAY_RUN)
_FOUND = _all_due(lock=True).cte("found")
CLAIM_DUE = _taking(_c.id.in_(select(_FOUND.c.id))).returning(
    _c.id, _c.generation, _c.fence, _c.lease_until, _c.priority, _c.due_at
)
DUE = _all_due(lock=False)
# What is due already and did not go this time waits for the poll: a pass must not follow itself for ever.
_TIMES = union_all(
    select(_in("pause").label("at")),
    select(func.min(_w.not_before).label("at")).where(_unsettled(_HERE), _w.not_before > _NOW),
    select(func.min(_l.read_after).label("at")).where(_alive(_HERE), _l.read_after > _NOW),
).subquery("times")
_MOVED_ON = _c.generation > bindparam("seen", type_=_c.generation.type)
END_CALM = (
    update(calendars)
    .where(LEASE_IS_MINE)
    .values(
        cursor=func.coalesce(bindparam("cursor", type_=_c.cursor.type), _c.cursor),
        last_read_at=func.coalesce(bindparam("read_at", type_=Instant()), _c.last_read_at),
        due_at=case((_MOVED_ON, _NOW), else_=select(func.min(_TIMES.c.at)).scalar_subquery()),
        priority=case((_MOVED_ON, _c.priority), else_=int(Priority.POLL)),
        done_generation=bindparam("seen", type_=_c.done_generation.type),
        attempts=0,
        not_before=None,
        last_error=case((_c.state == CalendarState.ACTIVE.value, None), else_=_c.last_error),
        lease_owner=None,
        lease_until=None,
    )
    .returning(_c.id)
)
_CLAIM = Alone(CLAIM)
_CLAIM_IF_DUE = Alone(CLAIM_IF_DUE)
_CLAIM_DUE = Alone(CLAIM_DUE)
_DUE = Alone(DUE)
_GLANCE = Alone(GLANCE)
_GLANCES = Alone(GLANCES)
_END_CALM = Alone(END_CALM)
