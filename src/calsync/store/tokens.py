"""Tokens with which programs speak to the HTTP interface. Only their hashes are kept."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

from sqlalchemy import Connection, bindparam, or_, select

from calsync.ports import Ids
from calsync.store.rows import Shape
from calsync.store.schema_effects import tokens

_PREFIX = "calsync_"

# How exact `last_used_at` is: a write for each request would cost more than knowing the minute is worth.
_USE_EVERY = timedelta(hours=1)


class Role(StrEnum):
    """What a token may do: bring records, send claims, look after edits, or everything."""

    PLATFORM = "platform"
    BILLING = "billing"
    SUPPORT = "support"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class TokenRow:
    """One token: `hash` is the SHA-256 of its text in hex, `role` what it may do, `name` what it is for."""

    id: str
    hash: str
    role: Role
    name: str
    created_at: datetime
    created_by: str
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None


def make_token(ids: Ids) -> tuple[str, str]:
    """A fresh token and the hash under which it is kept."""
    token = _PREFIX + base64.urlsafe_b64encode(ids.token_bytes(32)).rstrip(b"=").decode("ascii")
    return token, hash_of(token.encode("ascii"))


def hash_of(token: bytes) -> str:
    """What is kept of a token. It has 256 random bits, so a plain hash is as hard to turn round as the token itself."""
    return sha256(token).hexdigest()


def insert(conn: Connection, token: TokenRow) -> None:
    """Put a new token on the books."""
    conn.execute(_ADD, _SHAPE.values(token))


def by_hash(conn: Connection, token_hash: str) -> TokenRow | None:
    """The token that is in force with this hash, or None."""
    return _SHAPE.first(conn, _BY_HASH, {"the_hash": token_hash})


def rows(conn: Connection) -> list[TokenRow]:
    """All tokens, revoked ones as well, the first one first."""
    return _SHAPE.all(conn, _ALL)


def revoke(conn: Connection, token_id: str, at: datetime) -> bool:
    """End a token; False if there is none of that id in force."""
    return conn.execute(_REVOKE, {"the_id": token_id, "at": at}).rowcount == 1


def is_use_worth_noting(token: TokenRow, now: datetime) -> bool:
    """Whether the last noted use lies long enough back."""
    return token.last_used_at is None or now - token.last_used_at >= _USE_EVERY


def note_use(conn: Connection, token_id: str, at: datetime) -> None:
    """Remember that the token was used; an earlier use than the noted one is not noted."""
    conn.execute(_USED, {"the_id": token_id, "at": at})


_c = tokens.c
_SHAPE = Shape(tokens, TokenRow, role=Role)
_ADD = tokens.insert()
_ALL = select(*_SHAPE.columns).order_by(_c.created_at, _c.id)
_BY_HASH = select(*_SHAPE.columns).where(_c.hash == bindparam("the_hash"), _c.revoked_at.is_(None))
_AT = bindparam("at", type_=_c.revoked_at.type)
_REVOKE = tokens.update().where(_c.id == bindparam("the_id"), _c.revoked_at.is_(None)).values(revoked_at=_AT)
_USED = (
    tokens.update()
    .where(_c.id == bindparam("the_id"), or_(_c.last_used_at.is_(None), _c.last_used_at < _AT))
    .values(last_used_at=_AT)
)
