"""Links by which people act without a login. Only the hash of what stands in the mail is kept; each acts once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, bindparam, select

from calsync.store.rows import Shape
from calsync.store.schema_effects import action_links


@dataclass(frozen=True, slots=True)
class ActionLink:
    """One link. `kind` names what it may do, `recipient` whose it is (provider:ID, client:ID), `payload` holds ids."""

    hash: str
    kind: str
    recipient: str
    payload: dict[str, Any]
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
    revoked_at: datetime | None = None

    def is_usable(self, now: datetime) -> bool:
        """Whether it may still act."""
        return self.used_at is None and self.revoked_at is None and now < self.expires_at


def hash_of(token: str) -> str:
    """What is kept of the text that stands in the mail."""
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def insert(conn: Connection, link: ActionLink) -> None:
    """Put a new link on the books."""
    conn.execute(_ADD, _SHAPE.values(link))


def get(conn: Connection, link_hash: str) -> ActionLink | None:
    """The link with this hash, usable or not; None if there is none."""
    return _SHAPE.first(conn, _GET, {"the_hash": link_hash})


def note_opened(conn: Connection, link_hash: str, now: datetime) -> bool:
    """Remember when a person first opened the link; False if that is known already."""
    return conn.execute(_OPENED, {"the_hash": link_hash, "now": now}).rowcount == 1


def use(conn: Connection, link_hash: str, now: datetime) -> bool:
    """Take the link's one use, in the transaction of what it does; False if it has none left."""
    return conn.execute(_USE, {"the_hash": link_hash, "now": now}).rowcount == 1


def revoke(conn: Connection, link_hash: str, now: datetime) -> bool:
    """Make the link useless; False if it was already."""
    return conn.execute(_REVOKE, {"the_hash": link_hash, "now": now}).rowcount == 1


_c = action_links.c
_SHAPE = Shape(action_links, ActionLink)
_THIS = _c.hash == bindparam("the_hash")
_USABLE = (_c.used_at.is_(None), _c.revoked_at.is_(None), _c.expires_at > bindparam("now"))
_ADD = action_links.insert()
_GET = select(*_SHAPE.columns).where(_THIS)
_USE = action_links.update().where(_THIS, *_USABLE).values(used_at=bindparam("now", type_=_c.used_at.type))
_REVOKE = action_links.update().where(_THIS, *_USABLE).values(revoked_at=bindparam("now", type_=_c.revoked_at.type))
_OPENED = (
    action_links.update()
    .where(_THIS, _c.opened_at.is_(None))
    .values(opened_at=bindparam("now", type_=_c.opened_at.type))
)
