"""Requests to clients to choose another time, with when they lapse."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, select

from calsync.store.rows import Shape, chunks
from calsync.store.schema_lifecycle import requests


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `state`: open, answered, expired or withdrawn. `block`: the out-of-office time put up with it."""

    id: str
    appointment: str
    state: str
    asked_at: datetime
    asked_by: str
    reason: str | None
    expires_at: datetime
    block: str | None = None
    closed_at: datetime | None = None
    closed_by: str | None = None


def insert(conn: Connection, request: Request) -> None:
    """Put a new request on the books."""
    conn.execute(_ADD, _SHAPE.values(request))


def get(conn: Connection, request: str) -> Request | None:
    """The request, or None. Whoever acts on it must `close` it first: only one can."""
    return _SHAPE.first(conn, _GET, {"the_id": request})


def lapsed(conn: Connection, now: datetime) -> list[Request]:
    """Open requests whose time is over, the longest over first."""
    return _SHAPE.all(conn, _LAPSED, {"now": now})


def of_appointment(conn: Connection, appointment: str) -> list[Request]:
    """All requests about a session, the first one first."""
    return _SHAPE.all(conn, _OF, {"the_id": appointment})


def close(conn: Connection, request: str, state: str, at: datetime, by: str) -> bool:
    """End an open request; False if it was not open any more."""
    told = {"the_id": request, "to_state": state, "to_at": at, "to_by": by}
    return conn.execute(_CLOSE, told).rowcount == 1


def withdraw(conn: Connection, appointments: Iterable[str], at: datetime, by: str) -> None:
    """End the open requests about sessions that were changed otherwise."""
    for part in chunks(sorted(set(appointments))):
        conn.execute(_WITHDRAW, {"ids": part, "to_at": at, "to_by": by})


_c = requests.c
_SHAPE = Shape(requests, Request)
_OPEN = _c.state == "open"
_ADD = requests.insert()
_GET = select(*_SHAPE.columns).where(_c.id == bindparam("the_id"))
_LAPSED = select(*_SHAPE.columns).where(_OPEN, _c.expires_at <= bindparam("now")).order_by(_c.expires_at, _c.id)
_OF = select(*_SHAPE.columns).where(_c.appointment == bindparam("the_id")).order_by(_c.asked_at, _c.id)
_CLOSED = {"closed_at": bindparam("to_at", type_=_c.closed_at.type), "closed_by": bindparam("to_by")}
_CLOSE = requests.update().where(_c.id == bindparam("the_id"), _OPEN).values(state=bindparam("to_state"), **_CLOSED)
_WITHDRAW = (
    requests.update()
    .where(_c.appointment.in_(bindparam("ids", expanding=True)), _OPEN)
    .values(state="withdrawn", **_CLOSED)
)
