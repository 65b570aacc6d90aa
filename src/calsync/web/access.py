"""Who may call the interface for programs: bearer tokens with roles.

A token is looked up by its hash, so that the books hold nothing that opens a door; the found hash is compared in
constant time as well. Wrong tokens are answered alike and, past a thousand a minute, with 429.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from calsync.store import budgets, tokens
from calsync.store.budgets import Rate
from calsync.store.database import Database
from calsync.store.tokens import Role, TokenRow
from calsync.web.problems import ApiProblem
from calsync.web.site import Site, site_of

WRONG_A_MINUTE: Final = 1000
_MAX_TOKEN: Final = 200
_BUDGET: Final = "wrong-tokens"
_WRONG: Final = Rate(WRONG_A_MINUTE / 60, WRONG_A_MINUTE)
_HANDFUL: Final = 50
_LONGEST_SHUT: Final = timedelta(minutes=1)
_bearer = HTTPBearer(auto_error=False, description="A token made by `calsync tokens add --role ROLE`.")


@dataclass(frozen=True, slots=True)
class Caller:
    """The program that calls, by its token."""

    token: str
    role: Role

    @property
    def actor(self) -> str:
        """How audit rows and records name it."""
        return f"token:{self.token}"


@dataclass(slots=True)
class Door:
    """Counts wrong tokens over all callers of all processes.

    A process takes its share of what a minute allows from the books, a handful at a time, and asks no more until there
    can be some again: a flood of wrong tokens costs the books a few transactions a second and no more.
    """

    left: int = 0
    shut_until: datetime | None = None

    def note_wrong(self, database: Database, now: datetime) -> bool:
        """Count one more; True if there were too many in the last minute."""
        if self.shut_until is not None and timedelta() < self.shut_until - now <= _LONGEST_SHUT:
            return True
        if self.left <= 0:
            with database.transaction() as conn:
                self.shut_until = budgets.take(conn, _BUDGET, now, _WRONG, _HANDFUL)
            if self.shut_until is not None:
                return True
            self.left = _HANDFUL
        self.left -= 1
        return False


def require(*roles: Role) -> Callable[..., Caller]:
    """A dependency that lets callers with one of the roles in; admins always."""
    allowed = frozenset(roles) | {Role.ADMIN}

    def caller(request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]) -> Caller:
        site = site_of(request)
        found = _find(site, given.credentials) if given is not None else None
        if found is None:
            raise _wrong(request, site, was_given=given is not None)
        if found.role not in allowed:
            site.tallies.tokens["wrong-role"] += 1
            raise ApiProblem(403, "forbidden", f"A token of role {found.role} may not do this.")
        site.tallies.tokens["fine"] += 1
        return Caller(found.id, Role(found.role))

    return caller


PlatformCaller = Annotated[Caller, Depends(require(Role.PLATFORM))]
"""The platform that keeps the records."""
BillingCaller = Annotated[Caller, Depends(require(Role.BILLING))]
"""Whoever sends claims."""
ReadingCaller = Annotated[Caller, Depends(require(Role.BILLING, Role.SUPPORT, Role.PLATFORM))]
"""Whoever may see how a claim stands."""


def _find(site: Site, text: str) -> TokenRow | None:
    # Header values arrive as Latin-1, so that every byte that was sent is one character of the text.
    given = tokens.hash_of(text.encode("latin-1", "replace")[:_MAX_TOKEN])
    now = site.clock.now()
    with site.database.reading() as conn:
        found = tokens.by_hash(conn, given)
    if found is None or not hmac.compare_digest(found.hash.encode(), given.encode()):
        return None
    if tokens.is_use_worth_noting(found, now):
        with site.database.transaction() as conn:
            tokens.note_use(conn, found.id, now)
    return found


def _wrong(request: Request, site: Site, *, was_given: bool) -> ApiProblem:
    door = request.app.state.door
    assert isinstance(door, Door)
    if was_given and door.note_wrong(site.database, site.clock.now()):
        site.tallies.tokens["too-many"] += 1
        return ApiProblem(429, "too-many", "Too many wrong tokens. Wait a minute.")
    site.tallies.tokens["wrong"] += 1
    return ApiProblem(401, "unauthorised", "A valid bearer token is needed.")
