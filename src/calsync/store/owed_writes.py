"""Writes that calsync owes to calendars: on the books before they go out, and until their answer is known.

`owed`: to be sent. `sent`: gone out, answer unknown; found so by a later pass, it is asked about and sent again.
`done`, `superseded`, `rejected`: settled. Every unanswered write is kept, not only the latest, so that our own event
is recognised whichever of them arrived.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Executable, bindparam, delete, func, insert, literal, or_, select, update

from calsync.domain.event import Event, OriginalStart
from calsync.domain.write import Cause, WriteKind
from calsync.store.rows import Shape, chunks
from calsync.store.schema import owed_writes


@dataclass(frozen=True, slots=True)
class OwedWrite:
    """One write. `id` is the effect's idempotency key, `content` the hash that its marker carries.

    `target` None: removal. `reverts`: the original starts whose drifts it puts back.
    """

    id: str
    calendar: str
    link: str
    kind: WriteKind
    remote_id: str
    target: Event | None
    content: str | None
    version: str | None
    cause: Cause
    reverts: tuple[OriginalStart, ...]
    not_before: datetime
    created_at: datetime
    state: str = "owed"
    attempts: int = 0
    sent_at: datetime | None = None
    settled_at: datetime | None = None
    reason: str | None = None


def owe(conn: Connection, write: OwedWrite) -> None:
    """Put the write on the books; an earlier one to the same event that has not gone out yet is superseded."""
    conn.execute(_SUPERSEDE, {"the_link": write.link, "the_remote_id": write.remote_id, "at": write.created_at})
    owe_first(conn, [write])


def owe_first(conn: Connection, writes: Sequence[OwedWrite]) -> None:
    """Put writes on the books whose links are new, so that there cannot be an earlier one to the same event."""
    if writes:
        conn.execute(_ADD, [{**_SHAPE.values(write), "reverts": write.reverts} for write in writes])


def due(conn: Connection, calendar: str, now: datetime, limit: int) -> list[OwedWrite]:
    """Writes to send now, those to be repeated included, in the order in which they were decided on."""
    return _SHAPE.all(conn, DUE, {"the_calendar": calendar, "now": now, "room": limit})


def next_due(conn: Connection, calendar: str) -> datetime | None:
    """When the first unsettled write may go out, or None."""
    at: datetime | None = conn.execute(_NEXT_DUE, {"the_calendar": calendar}).scalar_one()
    return at


def mark_sent(conn: Connection, ids: Iterable[str], at: datetime) -> None:
    """These writes are about to go out. Commit this before they do."""
    for part in chunks(ids):
        conn.execute(_MARK_SENT, {"ids": part, "at": at})


def settle(conn: Connection, write_id: str, state: str, at: datetime, reason: str | None = None) -> None:
    """The write's end is known: `done`, `superseded` or `rejected`, with the service's rule where it gave one."""
    if state not in _SETTLED:
        raise ValueError(f"a write does not end as {state!r}")
    conn.execute(_SETTLE, {"the_id": write_id, "to_state": state, "at": at, "to_reason": reason})


def settle_all(conn: Connection, ids: Iterable[str], state: str, at: datetime) -> None:
    """Like `settle`, for many writes that ended alike."""
    if state not in _SETTLED:
        raise ValueError(f"a write does not end as {state!r}")
    for part in chunks(ids):
        conn.execute(_SETTLE_ALL, {"ids": part, "to_state": state, "at": at})


def postpone(conn: Connection, ids: Iterable[str], until: datetime) -> None:
    """Send these writes not before `until`."""
    for part in chunks(ids):
        conn.execute(_POSTPONE, {"ids": part, "until": until})


def put_off(conn: Connection, calendar: str, remote_ids: Iterable[str], until: datetime) -> None:
    """Send nothing to these events before `until`."""
    for part in chunks(remote_ids):
        conn.execute(_PUT_OFF, {"the_calendar": calendar, "ids": part, "until": until})


def sent(conn: Connection, calendar: str) -> list[OwedWrite]:
    """All writes of the calendar whose answer is unknown, in the order in which they were decided on."""
    return _SHAPE.all(conn, _SENT, {"the_calendar": calendar})


def sent_of_links(conn: Connection, link_ids: Iterable[str]) -> dict[str, tuple[OwedWrite, ...]]:
    """The writes of these links whose answer is unknown, by link; links without any are left out."""
    return _of_links(conn, link_ids, _SENT_OF_LINKS)


def given_up_of_links(conn: Connection, link_ids: Iterable[str]) -> dict[str, tuple[OwedWrite, ...]]:
    """The writes of these links that went out, and were given up as they were not found, by link.

    One that was on its way all the while may yet arrive.
    """
    return _of_links(conn, link_ids, _GIVEN_UP)


def owed_of_links(conn: Connection, link_ids: Iterable[str]) -> dict[str, tuple[OwedWrite, ...]]:
    """The unsettled writes of these links, sent or not, by link; links without any are left out."""
    return _of_links(conn, link_ids, _UNSETTLED_OF_LINKS)


def withdraw(conn: Connection, link_id: str, remote_id: str | None = None, at: datetime | None = None) -> int:
    """Supersede what has not gone out yet for this link (and this event); how many writes that were.

    Without an event's name, what a person asked to have restored stays owed: no later decision overrules them.
    """
    if remote_id is None:
        return conn.execute(_WITHDRAW_DECIDED, {"the_link": link_id, "at": at}).rowcount
    return conn.execute(_SUPERSEDE, {"the_link": link_id, "the_remote_id": remote_id, "at": at}).rowcount


def count_owed(conn: Connection, calendar: str) -> int:
    """How many writes of the calendar are not settled."""
    return int(conn.execute(_COUNT, {"the_calendar": calendar}).scalar_one())


def counts_owed(conn: Connection) -> dict[str, int]:
    """How many writes are not settled, by calendar; calendars without any are left out."""
    return {row[0]: row[1] for row in conn.execute(_COUNTS)}


def thin(conn: Connection, before: datetime) -> int:
    """Forget writes that were decided on and settled before this instant; how many those were."""
    return conn.execute(_THIN, {"before": before}).rowcount


def _of_links(conn: Connection, link_ids: Iterable[str], statement: Executable) -> dict[str, tuple[OwedWrite, ...]]:
    found: dict[str, tuple[OwedWrite, ...]] = {}
    for part in chunks(sorted(set(link_ids))):
        for write in _SHAPE.all(conn, statement, {"ids": part}):
            found[write.link] = (*found.get(write.link, ()), write)
    return found


_c = owed_writes.c
_SETTLED = ("done", "superseded", "rejected")
_SHAPE = Shape(owed_writes, OwedWrite, kind=WriteKind, cause=Cause)
_HERE = _c.calendar == bindparam("the_calendar")
_UNSETTLED = _c.state.in_(["owed", "sent"])
_IDS: Any = bindparam("ids", expanding=True)
_AT = bindparam("at", type_=_c.settled_at.type)
_ADD = insert(owed_writes)
_OVERTAKEN = {"state": "superseded", "settled_at": _AT}
_WITHDRAW = update(owed_writes).where(_c.link == bindparam("the_link"), _c.state == "owed").values(**_OVERTAKEN)
_WITHDRAW_DECIDED = _WITHDRAW.where(_c.cause != Cause.RESTORE.value)
_SUPERSEDE = _WITHDRAW.where(_c.remote_id == bindparam("the_remote_id"))
DUE = (
    select(*_SHAPE.columns)
    .where(_HERE, _UNSETTLED, _c.not_before <= bindparam("now", type_=_c.not_before.type))
    .order_by(_c.not_before, _c.created_at, _c.id)
    .limit(bindparam("room"))
)
_NEXT_DUE = select(func.min(_c.not_before)).where(_HERE, _UNSETTLED)
_MARK_SENT = update(owed_writes).where(_c.id.in_(_IDS)).values(state="sent", attempts=_c.attempts + 1, sent_at=_AT)
_SETTLE = (
    update(owed_writes)
    .where(_c.id == bindparam("the_id"))
    .values(state=bindparam("to_state"), settled_at=_AT, reason=bindparam("to_reason"))
)
_SETTLE_ALL = (
    update(owed_writes).where(_c.id.in_(_IDS)).values(state=bindparam("to_state"), settled_at=_AT, reason=None)
)
_POSTPONE = update(owed_writes).where(_c.id.in_(_IDS)).values(not_before=bindparam("until"))
_PUT_OFF = (
    update(owed_writes)
    .where(_HERE, _UNSETTLED, _c.remote_id.in_(_IDS), _c.not_before < bindparam("until", type_=_c.not_before.type))
    .values(not_before=bindparam("until"))
)
_SENT = select(*_SHAPE.columns).where(_HERE, _c.state == "sent").order_by(_c.created_at, _c.id)
_BY_LINKS = select(*_SHAPE.columns).where(_c.link.in_(_IDS)).order_by(_c.created_at, _c.id)
_SENT_OF_LINKS = _BY_LINKS.where(_c.state == "sent")
_GIVEN_UP = _BY_LINKS.where(_c.state == "superseded", _c.reason.is_(None), _c.sent_at.is_not(None))
_UNSETTLED_OF_LINKS = _BY_LINKS.where(_UNSETTLED)
_COUNT = select(func.count(literal(1))).where(_HERE, _UNSETTLED)
_COUNTS = select(_c.calendar, func.count(literal(1))).where(_UNSETTLED).group_by(_c.calendar)
_BEFORE = bindparam("before", type_=_c.created_at.type)
_THIN = delete(owed_writes).where(
    _c.state.in_(_SETTLED), _c.created_at < _BEFORE, or_(_c.settled_at.is_(None), _c.settled_at < _BEFORE)
)
