"""Push channels that calendar services were asked for: which calendar each is for, until when, and whether it lives.

Of a channel's secret only a hash is kept. A refused attempt is a row as well, so that nobody asks again too soon.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import Connection, bindparam, or_, select

from calsync.store.rows import Shape
from calsync.store.schema import calendars
from calsync.store.schema_effects import watches

REFUSED = "refused"
OPEN = "open"
_NOTE_EVERY = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class WatchRow:
    """One channel. `service` is "google" or "graph"; `secret_hash` is "" for a refused attempt."""

    id: str
    service: str
    calendar: str
    resource: str
    secret_hash: str
    state: str
    opened_at: datetime
    expires_at: datetime
    last_push_at: datetime | None = None

    @property
    def renew_at(self) -> datetime:
        """When the next one is opened, while this one still runs; for a refused attempt, when to try again."""
        return self.expires_at if self.state == REFUSED else self.opened_at + (self.expires_at - self.opened_at) * 0.8

    def wants_note(self, now: datetime) -> bool:
        """Whether a message is news for `last_push_at`, which is only so exact: bursts must not cost a write each."""
        return self.last_push_at is None or self.last_push_at < now - _NOTE_EVERY


def hash_of(secret: bytes) -> str:
    """What is kept of a secret; it has 256 random bits, so a plain hash is enough."""
    return sha256(secret).hexdigest()


def insert(conn: Connection, row: WatchRow) -> None:
    """Put a channel on the books."""
    conn.execute(_ADD, _SHAPE.values(row))


def of_calendar(conn: Connection, calendar: str) -> list[WatchRow]:
    """A calendar's channels, the youngest first."""
    return _SHAPE.all(conn, _OF_CALENDAR, {"the_calendar": calendar})


def remove(conn: Connection, watch: str) -> None:
    """Forget a channel: whoever calls on it from now on is a stray."""
    conn.execute(_REMOVE, {"the_id": watch})


def get(conn: Connection, watch: str) -> WatchRow | None:
    """A channel; None for one that is not on the books."""
    return _SHAPE.first(conn, _GET, {"the_id": watch})


def fits(row: WatchRow | None, service: str, secret: bytes, *, now: datetime, resource: str | None = None) -> bool:
    """Whether a message came through this channel.

    Not where there is none, where it ended or is of another service, nor where its secret or resource (where the
    message names one) is another; comparing takes the same time for all of these.
    """
    expected = row.secret_hash if row is not None else hash_of(b"")
    is_right = hmac.compare_digest(expected.encode(), hash_of(secret).encode())
    if row is None or not is_right or row.service != service or row.state != OPEN or row.expires_at <= now:
        return False
    return resource is None or resource == row.resource


def note_push(conn: Connection, watch: str, now: datetime) -> None:
    """Note that a channel lives."""
    conn.execute(_NOTE, {"the_id": watch, "now": now, "before": now - _NOTE_EVERY})


def at_rest(conn: Connection) -> list[str]:
    """Calendars that are paused or removed and still have an open channel."""
    return list(conn.execute(_AT_REST).scalars())


def is_alive(conn: Connection, calendar: str, now: datetime) -> bool:
    """Whether a channel is open that has been heard: polling may slow down (R-21)."""
    return any(
        row.state == OPEN and row.last_push_at is not None and now < row.expires_at
        for row in of_calendar(conn, calendar)
    )


def doubt(conn: Connection, calendar: str, since: datetime) -> int:
    """A poll found what no channel had told: those not heard since then count as dead until they are heard again."""
    return conn.execute(_DOUBT, {"the_calendar": calendar, "since": since}).rowcount


_c = watches.c
_SHAPE = Shape(watches, WatchRow)
_ADD = watches.insert()
_GET = select(*_SHAPE.columns).where(_c.id == bindparam("the_id"))
_OF_CALENDAR = (
    select(*_SHAPE.columns).where(_c.calendar == bindparam("the_calendar")).order_by(_c.opened_at.desc(), _c.id)
)
_AT_REST = (
    select(_c.calendar)
    .join(calendars, calendars.c.id == _c.calendar)
    .where(_c.state == OPEN, or_(calendars.c.state == "paused", calendars.c.removed_at.is_not(None)))
    .distinct()
    .order_by(_c.calendar)
)
_REMOVE = watches.delete().where(_c.id == bindparam("the_id"))
_NOTE = (
    watches.update()
    .where(
        _c.id == bindparam("the_id"),
        or_(_c.last_push_at.is_(None), _c.last_push_at < bindparam("before", type_=_c.last_push_at.type)),
    )
    .values(last_push_at=bindparam("now", type_=_c.last_push_at.type))
)
_DOUBT = (
    watches.update()
    .where(_c.calendar == bindparam("the_calendar"), _c.last_push_at < bindparam("since", type_=_c.last_push_at.type))
    .values(last_push_at=None)
)
