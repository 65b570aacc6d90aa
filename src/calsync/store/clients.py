"""Clients: the only table, beside `providers`, that holds people's names and addresses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select

from calsync.store.dialect import Upsert
from calsync.store.rows import Shape, chunks
from calsync.store.schema import clients


@dataclass(frozen=True, slots=True)
class ClientRow:
    """A client. `zone` None: not known."""

    id: str
    name: str = ""
    email: str = ""
    zone: str | None = None


def put(conn: Connection, client: ClientRow) -> bool:
    """Add the client, or make the known one so; True if anything changed."""
    return put_many(conn, [client]) == 1


def put_many(conn: Connection, wanted: Iterable[ClientRow]) -> int:
    """Like `put` for many; how many were added or changed."""
    changed = 0
    for part in chunks(wanted):
        known = {one.id: one for one in _SHAPE.all(conn, _BY_IDS, {"ids": [one.id for one in part]})}
        new = [one for one in part if known.get(one.id) != one]
        _PUT.run(conn, [_SHAPE.values(one) for one in new])
        changed += len(new)
    return changed


def add_unknown(conn: Connection, ids: Iterable[str]) -> None:
    """Put ids on the books that an import mentions; known clients stay as they are."""
    for part in chunks(ids):
        _ADD.run(conn, [{"id": one} for one in part])


def get(conn: Connection, client: str) -> ClientRow | None:
    """The client, or None."""
    return _SHAPE.first(conn, _GET, {"the_id": client})


def by_ids(conn: Connection, ids: Iterable[str]) -> dict[str, ClientRow]:
    """Those of the clients that are known, by id."""
    return {one.id: one for part in chunks(ids) for one in _SHAPE.all(conn, _BY_IDS, {"ids": part})}


def rows(conn: Connection) -> list[ClientRow]:
    """All clients, by id."""
    return _SHAPE.all(conn, _ALL)


def search(conn: Connection, text: str) -> list[ClientRow]:
    """Clients whose id is the text, or whose name has it as a part, whatever the case; by id."""
    wanted = text.casefold()
    return [one for one in rows(conn) if one.id == text or wanted in one.name.casefold()]


_SHAPE = Shape(clients, ClientRow)
_ALL = select(*_SHAPE.columns).order_by(clients.c.id)
_GET = select(*_SHAPE.columns).where(clients.c.id == bindparam("the_id"))
_BY_IDS = select(*_SHAPE.columns).where(clients.c.id.in_(bindparam("ids", expanding=True)))
_PUT = Upsert(clients, [clients.c.id], lambda new: {name: new[name] for name in _SHAPE.names if name != "id"})
_ADD = Upsert(clients, [clients.c.id])
