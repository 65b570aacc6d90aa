"""Providers as the database knows them, from the config or from commands. Names live here and in `clients` only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, bindparam, select

from calsync.store.dialect import Upsert
from calsync.store.rows import Shape, chunks
from calsync.store.schema import providers


@dataclass(frozen=True, slots=True)
class ProviderRow:
    """A provider. `calendars` is "none" where a person declared that there is none, with why, since and by whom."""

    id: str
    name: str
    email: str
    zone: str
    practice: str = "default"
    source: str = "database"
    paused: bool = False
    calendars: str | None = None
    calendars_reason: str | None = None
    calendars_since: date | None = None
    calendars_declared_by: str | None = None


def put(conn: Connection, provider: ProviderRow) -> bool:
    """Add the provider, or make the known one so; True if anything changed."""
    return put_many(conn, [provider]) == 1


def put_many(conn: Connection, wanted: Iterable[ProviderRow]) -> int:
    """Like `put` for many; how many were added or changed."""
    changed = 0
    for part in chunks(wanted):
        known = {one.id: one for one in _SHAPE.all(conn, _BY_IDS, {"ids": [one.id for one in part]})}
        new = [one for one in part if known.get(one.id) != one]
        _PUT.run(conn, [_columns(one) for one in new])
        changed += len(new)
    return changed


def get(conn: Connection, provider: str) -> ProviderRow | None:
    """The provider, or None."""
    return _SHAPE.first(conn, _GET, {"the_id": provider})


def by_ids(conn: Connection, ids: Iterable[str]) -> dict[str, ProviderRow]:
    """Those of the providers that are known, by id."""
    return {one.id: one for part in chunks(ids) for one in _SHAPE.all(conn, _BY_IDS, {"ids": part})}


def rows(conn: Connection) -> list[ProviderRow]:
    """All providers, by id."""
    return _SHAPE.all(conn, _ALL)


def search(conn: Connection, text: str) -> list[ProviderRow]:
    """Providers whose id is the text, or whose name has it as a part, whatever the case; by id."""
    wanted = text.casefold()
    return [one for one in rows(conn) if one.id == text or wanted in one.name.casefold()]


def _date(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _columns(provider: ProviderRow) -> dict[str, object]:
    since = provider.calendars_since
    return _SHAPE.values(provider) | {"calendars_since": None if since is None else since.isoformat()}


_SHAPE = Shape(providers, ProviderRow, calendars_since=_date)
_ALL = select(*_SHAPE.columns).order_by(providers.c.id)
_GET = select(*_SHAPE.columns).where(providers.c.id == bindparam("the_id"))
_BY_IDS = select(*_SHAPE.columns).where(providers.c.id.in_(bindparam("ids", expanding=True)))
_PUT = Upsert(providers, [providers.c.id], lambda new: {name: new[name] for name in _SHAPE.names if name != "id"})
