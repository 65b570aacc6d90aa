"""Booking links: one for each client and provider, for ever the same, sealed so that it can be shown again (GT-8)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, select

from calsync.store.dialect import Upsert
from calsync.store.rows import Shape
from calsync.store.schema_slots import booking_links


@dataclass(frozen=True, slots=True)
class BookingLinkRow:
    """One link. `sealed` holds its token, encrypted with the key `key_id`; `hash` finds it in `action_links`."""

    client: str
    provider: str
    hash: str
    key_id: str
    sealed: str
    made_at: datetime
    made_by: str


def get(conn: Connection, client: str, provider: str) -> BookingLinkRow | None:
    """The link of a client for a provider, or None."""
    return _SHAPE.first(conn, _GET, {"the_client": client, "the_provider": provider})


def add(conn: Connection, link: BookingLinkRow) -> bool:
    """Put a new link on the books; False if there is one already, which stays."""
    return _ADD.run(conn, _SHAPE.values(link)) == 1


def sealed_by_others(conn: Connection, key_id: str) -> list[BookingLinkRow]:
    """The links that another key than this one sealed, by client and provider."""
    return _SHAPE.all(conn, _OTHERS, {"the_key": key_id})


def reseal(conn: Connection, link: BookingLinkRow) -> None:
    """Keep the same link under its new seal."""
    conn.execute(
        _RESEAL,
        {"the_client": link.client, "the_provider": link.provider, "new_key": link.key_id, "new_seal": link.sealed},
    )


def forget(conn: Connection, link_hash: str) -> None:
    """Take a revoked link off the books, so that the next one that is asked for is a fresh one."""
    conn.execute(_FORGET, {"the_hash": link_hash})


_c = booking_links.c
_SHAPE = Shape(booking_links, BookingLinkRow)
_THIS = (_c.client == bindparam("the_client"), _c.provider == bindparam("the_provider"))
_GET = select(*_SHAPE.columns).where(*_THIS)
_ADD = Upsert(booking_links, [_c.client, _c.provider])
_OTHERS = select(*_SHAPE.columns).where(_c.key_id != bindparam("the_key")).order_by(_c.client, _c.provider)
_RESEAL = booking_links.update().where(*_THIS).values(key_id=bindparam("new_key"), sealed=bindparam("new_seal"))
_FORGET = booking_links.delete().where(_c.hash == bindparam("the_hash"))
