"""Connections: a provider's account at a calendar service, and its credential, which is stored sealed.

What seals is not here: `calsync.store.credentials` seals and opens, this module keeps the bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, func, select

from calsync.store.dialect import Upsert
from calsync.store.rows import Shape
from calsync.store.schema import calendars, connections


@dataclass(frozen=True, slots=True)
class ConnectionRow:
    """One connection without its credential. `source` is "config" or "database"."""

    id: str
    provider: str
    connector: str
    source: str
    settings: dict[str, Any]
    created_at: datetime | None = None
    key_id: str | None = None


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed credential, and the id of the key that sealed it."""

    connection: str
    key_id: str
    credential: bytes


def put(conn: Connection, row: ConnectionRow) -> None:
    """Add the connection, or make the known one so; its credential stays."""
    columns = {name: value for name, value in _SHAPE.values(row).items() if name != "key_id"}
    _PUT.run(conn, columns)


def get(conn: Connection, connection: str) -> ConnectionRow | None:
    """The connection, or None."""
    return _SHAPE.first(conn, _GET, {"the_id": connection})


def rows(conn: Connection, provider: str | None = None) -> list[ConnectionRow]:
    """All connections, or one provider's, by id."""
    query = select(*_SHAPE.columns).order_by(_c.id)
    return _SHAPE.all(conn, query if provider is None else query.where(_c.provider == provider))


def lost_after(conn: Connection, connector: str, shortest: timedelta, longest: timedelta) -> int:
    """How many calendars need a new login that ended so long after it was given."""
    found = conn.execute(_LOST, {"connector": connector}).all()
    return sum(1 for since, made in found if shortest <= since - made <= longest)


def remove(conn: Connection, connection: str) -> bool:
    """Forget the connection and its credential; False if there was none."""
    return conn.execute(_REMOVE, {"the_id": connection}).rowcount == 1


def sealed(conn: Connection, connection: str) -> Sealed | None:
    """The connection's sealed credential, or None."""
    row = conn.execute(_SEALED, {"the_id": connection}).first()
    return None if row is None else Sealed(row.id, row.key_id, bytes(row.credential))


def set_sealed(conn: Connection, one: Sealed) -> bool:
    """Keep a sealed credential in place of the former one; False if there is no such connection."""
    parameters = {"the_id": one.connection, "to_key": one.key_id, "to_credential": one.credential}
    return conn.execute(_SET_SEALED, parameters).rowcount == 1


def forget_credential(conn: Connection, connection: str) -> bool:
    """Keep no credential of the connection any more; False if there was none."""
    return conn.execute(_FORGET, {"the_id": connection}).rowcount == 1


def replace_sealed(conn: Connection, before: Sealed, after: Sealed) -> bool:
    """Like `set_sealed`, but only while the former credential is still `before`."""
    parameters = {"the_id": after.connection, "to_key": after.key_id, "to_credential": after.credential}
    return conn.execute(_REPLACE_SEALED, {**parameters, "from_credential": before.credential}).rowcount == 1


def sealed_by_others(conn: Connection, key_id: str) -> Iterator[str]:
    """Ids of the connections whose credential another key sealed, in order."""
    yield from conn.execute(_BY_OTHERS, {"the_key": key_id}).scalars().all()


def count_by_key(conn: Connection) -> dict[str, int]:
    """How many credentials each key sealed; keys without any are left out."""
    return {row[0]: row[1] for row in conn.execute(_BY_KEY)}


_c = connections.c
_SHAPE = Shape(connections, ConnectionRow)
_THIS = _c.id == bindparam("the_id")
_HAS_ONE = _c.credential.is_not(None)
_GET = select(*_SHAPE.columns).where(_THIS)
_PUT = Upsert(
    connections,
    [_c.id],
    lambda new: {name: new[name] for name in ("provider", "connector", "source", "settings")},
)
_REMOVE = connections.delete().where(_THIS)
_SEALED = select(_c.id, _c.key_id, _c.credential).where(_THIS, _HAS_ONE)
_SET_SEALED = (
    connections.update().where(_THIS).values(key_id=bindparam("to_key"), credential=bindparam("to_credential"))
)
_FORGET = connections.update().where(_THIS, _HAS_ONE).values(key_id=None, credential=None)
_REPLACE_SEALED = _SET_SEALED.where(_c.credential == bindparam("from_credential"))
_BY_OTHERS = select(_c.id).where(_HAS_ONE, _c.key_id != bindparam("the_key")).order_by(_c.id)
_BY_KEY = select(_c.key_id, func.count()).where(_HAS_ONE).group_by(_c.key_id)
_LOST = (
    select(calendars.c.state_since, _c.created_at)
    .select_from(calendars.join(connections, calendars.c.connection == _c.id))
    .where(
        calendars.c.connector == bindparam("connector"),
        calendars.c.state == "needs-reconnect",
        calendars.c.state_since.is_not(None),
        _c.created_at.is_not(None),
    )
)
