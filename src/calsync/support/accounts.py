"""Accounts of people at the support pages: made and ended by an admin, opened with a password, ended by idleness."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from calsync.answers.words import Desk
from calsync.errors import CalsyncError, NotFoundError, Problem, Refused
from calsync.store import audit, users
from calsync.store.tokens import Role
from calsync.store.users import SessionRow, UserRow
from calsync.support import tries
from calsync.support.passwords import hash_password, is_password
from calsync.support.roles import PEOPLE

LONGEST_SESSION: Final = timedelta(hours=12)
"""However busy somebody is: after this they log in again."""

_NAME: Final = re.compile(r"[a-z][a-z0-9._-]{1,39}")
_NOTE_SEEN_EVERY: Final = timedelta(minutes=1)
_TOKEN_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Agent:
    """Somebody of the practice who is logged in."""

    name: str
    role: Role

    @property
    def actor(self) -> str:
        """How audit rows and statements name them, whatever their role."""
        return f"support:{self.name}"


class TooManyTries(CalsyncError):
    """Too many wrong passwords came for this name, or in all."""


def add_user(desk: Desk, name: str, role: Role, password: str, *, by: str) -> None:
    """Make an account. Refused for a name that is none or is taken, a role that is not a person's, a weak password."""
    problems = []
    if not _NAME.fullmatch(name):
        problems.append(
            Problem("this cannot be a name", f"name {name[:40]!r}", "Use lower-case letters, digits, dots and hyphens")
        )
    if role not in PEOPLE:
        problems.append(Problem("this role is for programs", f"role {role}", "Use support, billing or admin"))
    if problems:
        raise Refused(problems, code="bad-user")
    now = desk.clock.now()
    kept = hash_password(password, desk.ids)
    with desk.database.transaction() as conn:
        known = users.get(conn, name)
        if known is not None and known.removed_at is None:
            remedy = "Remove it first, or choose another name"
            raise Refused([Problem("there is an account of that name", f"name {name}", remedy)], code="taken")
        users.put(conn, UserRow(name, role, kept, now, by))
        audit.append(conn, at=now, actor=by, what="user-added", subject=f"user:{name}", detail={"role": role.value})


def remove_user(desk: Desk, name: str, *, by: str) -> None:
    """End an account and whatever its person has open. Raises NotFoundError."""
    now = desk.clock.now()
    with desk.database.transaction() as conn:
        if not users.remove(conn, name, now):
            raise NotFoundError("user", name)
        audit.append(conn, at=now, actor=by, what="user-removed", subject=f"user:{name}", detail={})


def log_in(desk: Desk, name: str, password: str) -> str | None:
    """Open a session; the token that the browser keeps, or None if name or password is wrong.

    Raises TooManyTries without looking at the password.
    """
    now = desk.clock.now()
    with desk.database.transaction() as conn:
        if not tries.take_try(conn, name, now):
            raise TooManyTries
        known = users.get(conn, name[:64])
    kept = known.password if known is not None and known.removed_at is None else None
    if not is_password(password, kept):
        with desk.database.transaction() as conn:
            who = name if known is not None else "unknown"
            audit.append(conn, at=now, actor="system", what="login-refused", subject=f"user:{who}", detail={})
        return None
    token = base64.urlsafe_b64encode(desk.ids.token_bytes(_TOKEN_BYTES)).rstrip(b"=").decode("ascii")
    with desk.database.transaction() as conn:
        tries.give_back(conn, name)
        users.forget_sessions(conn, now - 2 * LONGEST_SESSION)
        users.start_session(conn, SessionRow(users.hash_of(token), name, now, now))
        audit.append(conn, at=now, actor=f"support:{name}", what="logged-in", subject=f"user:{name}", detail={})
    return token


def log_out(desk: Desk, token: str) -> None:
    """End the session, if it is one."""
    now = desk.clock.now()
    with desk.database.transaction() as conn:
        found = users.session(conn, users.hash_of(token))
        if found is not None and users.end_session(conn, found[0].hash, now):
            name = found[1].name
            audit.append(conn, at=now, actor=f"support:{name}", what="logged-out", subject=f"user:{name}", detail={})


def find_agent(desk: Desk, token: str) -> Agent | None:
    """Whose session this is; None if it is none, was ended, was left alone for too long, or is too old."""
    now = desk.clock.now()
    with desk.database.reading() as conn:
        found = users.session(conn, users.hash_of(token))
    if found is None or not _is_alive(found[0], now, desk.settings.web.session_idle):
        return None
    session, user = found
    if now - session.seen_at >= _NOTE_SEEN_EVERY:
        with desk.database.transaction() as conn:
            users.note_seen(conn, session.hash, now)
    return Agent(user.name, user.role)


def _is_alive(session: SessionRow, now: datetime, idle: timedelta) -> bool:
    return now - session.seen_at < idle and now - session.created_at < LONGEST_SESSION
