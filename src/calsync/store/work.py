"""The lease on a calendar: who may work on it, until when, and when it is due next (DESIGN 10). Tested like a lock.

The calendar's own row is the queue's slot. A push bumps its `generation`, a claim its `fence`. Whatever a pass records
is committed in transactions that began with `hold_fence`, so a worker that slept past its lease commits nothing. `now`
is always the database's time (`Database.now`). Called by the worker's dispatch and by whatever changes records.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, case, func, or_, select, text, update

from calsync.store import late
from calsync.store.dialect import larger, smaller
from calsync.store.schema import CLAIMABLE, calendars


class Priority(IntEnum):
    """How urgent a pass is; the higher number goes first."""

    POLL = 0
    CHANGE = 10
    PUSH = 20
    PERSON = 30


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on one calendar until `until`, as long as nobody has claimed it under a higher `fence`."""

    calendar: str
    generation: int
    fence: int
    owner: str
    until: datetime


@dataclass(frozen=True, slots=True)
class WorkStats:
    """How the work stands, in numbers of calendars.

    `due` may be claimed now, the first of them since `oldest_due`; `running` have a lease in force, `expired` one that
    ran out and was not given back; the last pass of `failing` ended in an error.
    """

    due: int
    oldest_due: datetime | None
    running: int
    expired: int
    failing: int


def claim(conn: Connection, owner: str, limit: int, now: datetime, lease_for: timedelta) -> list[Lease]:
    """Take up to `limit` calendars that are due, the most urgent first, then the longest due.

    Left out: stopped and paused ones, those that back off, those leased by anybody, and rows that another transaction
    is just claiming. `owner` is unique per process start.
    """
    due: list[str] = []
    for priority in sorted(Priority, reverse=True):
        if len(due) < limit:
            parameters = {"the_priority": int(priority), "now": now, "room": limit - len(due)}
            due += conn.execute(DUE, parameters).scalars()
    return [_take(conn, calendar, owner, now, lease_for) for calendar in due]


def claim_one(conn: Connection, calendar: str, owner: str, now: datetime, lease_for: timedelta) -> Lease | None:
    """Take this calendar, due or not and whatever its state; None while another holds it, or when it is unknown."""
    free = conn.execute(_ONE, {"the_id": calendar, "now": now}).first()
    return None if free is None else _take(conn, calendar, owner, now, lease_for)


def renew(conn: Connection, lease: Lease, now: datetime, lease_for: timedelta) -> bool:
    """Hold on for `lease_for` from now; False if the lease is lost."""
    return _changed(conn, _RENEW, lease, {"until": now + lease_for})


def hold_fence(conn: Connection, lease: Lease) -> bool:
    """Whether the lease still stands, and if so keep the row locked until the transaction ends, so that it stays so."""
    return conn.execute(_HOLD, _mine(lease)).first() is not None


def done(conn: Connection, lease: Lease, next_due: datetime, now: datetime) -> bool:
    """End the pass: due again at `next_due`, or at once if somebody pushed meanwhile. False if the lease is lost."""
    return _changed(conn, _DONE, lease, {"seen": lease.generation, "next_due": next_due, "now": now})


def defer(conn: Connection, lease: Lease, until: datetime, error: str, now: datetime) -> bool:
    """End a pass that failed: nothing runs before `until`, not even after a push. False if the lease is lost.

    `error` is a rule's name or a text without names of people.
    """
    return _changed(conn, _DEFER, lease, {"until": until, "error": error, "now": now})


def give_back(conn: Connection, lease: Lease) -> bool:
    """Let go of the calendar undone: it is due as it was, for anybody. False if the lease is lost."""
    return _changed(conn, _GIVE_BACK, lease, {})


def give_back_all(conn: Connection, owner: str) -> int:
    """Let go of every calendar that this process still holds; how many those were."""
    return conn.execute(_GIVE_BACK_ALL, {"the_owner": owner}).rowcount


def owners(conn: Connection) -> list[str]:
    """Everybody who holds a lease, run out or not."""
    return list(conn.execute(_OWNERS).scalars())


def push(conn: Connection, calendar: str, at: datetime, priority: Priority = Priority.POLL) -> bool:
    """Ask for a pass at `at` or before. A pass that is running now will be followed by another.

    A calendar that backs off waits until its time, however urgent the push. False if it is not on the books.
    """
    late.note_push(conn)
    return conn.execute(_PUSH, {"the_id": calendar, "at": at, "urgency": int(priority)}).rowcount == 1


def retry_now(conn: Connection, calendar: str, now: datetime) -> bool:
    """End a calendar's backing off: what held it (a lost consent) was mended. False if it is not on the books."""
    conn.execute(_FORGIVE, {"the_id": calendar})
    return push(conn, calendar, now, Priority.PERSON)


def stats(conn: Connection, now: datetime) -> WorkStats:
    """How the work stands at `now`."""
    return WorkStats(*conn.execute(_STATS, {"now": now}).one())


def _take(conn: Connection, calendar: str, owner: str, now: datetime, lease_for: timedelta) -> Lease:
    until = now + lease_for
    row = conn.execute(_TAKE, {"the_id": calendar, "owner": owner, "until": until}).one()
    return Lease(calendar=calendar, generation=row.generation, fence=row.fence, owner=owner, until=until)


def _changed(conn: Connection, statement: Any, lease: Lease, parameters: dict[str, Any]) -> bool:
    return conn.execute(statement, {**_mine(lease), **parameters}).rowcount == 1


def _mine(lease: Lease) -> dict[str, Any]:
    return {"the_id": lease.calendar, "the_fence": lease.fence, "the_owner": lease.owner}


_c = calendars.c
_NOW: Any = bindparam("now", type_=_c.due_at.type)
_FREE = or_(_c.lease_until.is_(None), _c.lease_until <= _NOW)
_MAY_RUN = and_(or_(_c.not_before.is_(None), _c.not_before <= _NOW), _FREE)
LEASE_IS_MINE = and_(
    _c.id == bindparam("the_id"), _c.fence == bindparam("the_fence"), _c.lease_owner == bindparam("the_owner")
)
_NO_LEASE: dict[str, Any] = {"lease_owner": None, "lease_until": None}


def _due() -> Select[Any]:
    # One statement per priority, in the index's order: a backlog of any size is never sorted. The states stand in the
    # statement as they stand in the index, so that calendars nobody may work on are not even looked at.
    return (
        select(_c.id)
        .where(_c.priority == bindparam("the_priority"), _c.due_at <= _NOW, text(CLAIMABLE), _MAY_RUN)
        .order_by(_c.due_at)
        .limit(bindparam("room"))
        .with_for_update(skip_locked=True)
    )


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


DUE = _due()
_ONE = select(_c.id).where(_c.id == bindparam("the_id"), _FREE).with_for_update(skip_locked=True)
_TAKE = (
    update(calendars)
    .where(_c.id == bindparam("the_id"))
    .values(fence=_c.fence + 1, lease_owner=bindparam("owner"), lease_until=bindparam("until"))
    .returning(_c.generation, _c.fence)
)
_RENEW = update(calendars).where(LEASE_IS_MINE).values(lease_until=bindparam("until"))
_HOLD = select(_c.id).where(LEASE_IS_MINE).with_for_update()
_GIVE_BACK = update(calendars).where(LEASE_IS_MINE).values(**_NO_LEASE)
_GIVE_BACK_ALL = update(calendars).where(_c.lease_owner == bindparam("the_owner")).values(**_NO_LEASE)
_MOVED_ON = _c.generation > bindparam("seen")
_DONE = (
    update(calendars)
    .where(LEASE_IS_MINE)
    .values(
        due_at=case((_MOVED_ON, _NOW), else_=bindparam("next_due", type_=_c.due_at.type)),
        priority=case((_MOVED_ON, _c.priority), else_=int(Priority.POLL)),
        done_generation=bindparam("seen"),
        attempts=0,
        not_before=None,
        last_error=case((_c.state == "active", None), else_=_c.last_error),
        **_NO_LEASE,
    )
)
_DEFER = (
    update(calendars)
    .where(LEASE_IS_MINE)
    .values(
        # Due when it may run again, so that rows that back off do not stand at the head of the index.
        due_at=bindparam("until"),
        not_before=bindparam("until"),
        attempts=_c.attempts + 1,
        last_error=bindparam("error"),
        **_NO_LEASE,
    )
)
_OWNERS = select(_c.lease_owner).where(_c.lease_owner.is_not(None)).distinct()
_FORGIVE = update(calendars).where(_c.id == bindparam("the_id")).values(not_before=None, attempts=0)
_PUSH = (
    update(calendars)
    .where(_c.id == bindparam("the_id"))
    .values(
        due_at=smaller(_c.due_at, bindparam("at", type_=_c.due_at.type)),
        priority=larger(_c.priority, bindparam("urgency", type_=_c.priority.type)),
        generation=_c.generation + 1,
    )
)
_STATS = select(
    _count(and_(_c.due_at <= _NOW, text(CLAIMABLE), _MAY_RUN)),
    func.min(case((and_(_c.due_at <= _NOW, text(CLAIMABLE), _MAY_RUN), _c.due_at))),
    _count(_c.lease_until > _NOW),
    _count(_c.lease_until <= _NOW),
    _count(_c.attempts > 0),
)
