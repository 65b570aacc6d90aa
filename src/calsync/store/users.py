"""People with an account at the support pages, and their sessions there. Only hashes of what opens a door are kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, bindparam, select

from calsync.store.dialect import Upsert
from calsync.store.rows import Shape
from calsync.store.schema_support import user_sessions, users
from calsync.store.tokens import Role


@dataclass(frozen=True, slots=True)
class UserRow:
    """One person. `password` is a salted hash with its parameters; one who was removed keeps the name in the books."""

    name: str
    role: Role
    password: str
    created_at: datetime
    created_by: str
    removed_at: datetime | None = None
    last_seen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SessionRow:
    """Someone's session at the pages, by the hash of what their browser keeps."""

    hash: str
    user_name: str
    created_at: datetime
    seen_at: datetime
    ended_at: datetime | None = None


def hash_of(token: str) -> str:
    """What is kept of a session's token: it is random and long, so a plain hash is enough."""
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def put(conn: Connection, user: UserRow) -> None:
    """Add the person, or give a removed one of that name a new account."""
    _PUT.run(conn, _USER.values(user))


def get(conn: Connection, name: str) -> UserRow | None:
    """The person, removed or not; None if there never was one of that name."""
    return _USER.first(conn, _GET, {"the_name": name})


def rows(conn: Connection) -> list[UserRow]:
    """Everybody who has an account now, by name."""
    return _USER.all(conn, _ALL)


def remove(conn: Connection, name: str, at: datetime) -> bool:
    """End the account and every session of it; False if there is none."""
    conn.execute(_END_ALL, {"the_name": name, "at": at})
    return conn.execute(_REMOVE, {"the_name": name, "at": at}).rowcount == 1


def start_session(conn: Connection, session: SessionRow) -> None:
    """Put a session on the books, and forget those that nobody can use any more."""
    conn.execute(_START, _SESSION.values(session))
    conn.execute(_SEEN_USER, {"the_name": session.user_name, "at": session.seen_at})


def session(conn: Connection, session_hash: str) -> tuple[SessionRow, UserRow] | None:
    """The session that has not been ended, with its person; None if either is gone."""
    row = conn.execute(_OF_SESSION, {"the_hash": session_hash}).first()
    width = len(_SESSION.names)
    return None if row is None else (_SESSION.of(row[:width]), _USER.of(row[width:]))


def note_seen(conn: Connection, session_hash: str, at: datetime) -> None:
    """Remember that the session was used."""
    conn.execute(_SEEN, {"the_hash": session_hash, "at": at})


def end_session(conn: Connection, session_hash: str, at: datetime) -> bool:
    """End a session; False if it had ended."""
    return conn.execute(_END, {"the_hash": session_hash, "at": at}).rowcount == 1


def end_sessions(conn: Connection, name: str, at: datetime) -> None:
    """End every session of a person."""
    conn.execute(_END_ALL, {"the_name": name, "at": at})


def forget_sessions(conn: Connection, before: datetime) -> int:
    """Take sessions off the books that were last used before; how many those were."""
    return conn.execute(_FORGET, {"before": before}).rowcount


_u, _s = users.c, user_sessions.c
_USER = Shape(users, UserRow, role=Role)
_SESSION = Shape(user_sessions, SessionRow)
_AT: Any = bindparam("at", type_=_u.removed_at.type)
_NAMED = _u.name == bindparam("the_name")
_THIS = _s.hash == bindparam("the_hash")
_PUT = Upsert(users, [_u.name], lambda new: {name: new[name] for name in _USER.names if name != "name"})
_GET = select(*_USER.columns).where(_NAMED)
_ALL = select(*_USER.columns).where(_u.removed_at.is_(None)).order_by(_u.name)
_REMOVE = users.update().where(_NAMED, _u.removed_at.is_(None)).values(removed_at=_AT)
_SEEN_USER = users.update().where(_NAMED).values(last_seen_at=_AT)
_START = user_sessions.insert()
_OF_SESSION = (
    select(*_SESSION.columns, *_USER.columns)
    .join(users, _u.name == _s.user_name)
    .where(_THIS, _s.ended_at.is_(None), _u.removed_at.is_(None))
)
_SEEN = user_sessions.update().where(_THIS).values(seen_at=_AT)
_END = user_sessions.update().where(_THIS, _s.ended_at.is_(None)).values(ended_at=_AT)
_END_ALL = (
    user_sessions.update().where(_s.user_name == bindparam("the_name"), _s.ended_at.is_(None)).values(ended_at=_AT)
)
_FORGET = user_sessions.delete().where(_s.seen_at < bindparam("before", type_=_s.seen_at.type))
