"""What every command of the interface for programs has in common: who calls for whom, once, whatever is repeated.

A command is one transaction: its effect, the answer kept under its Idempotency-Key, and the audit row that names the
token. A repeat with the same key and body is given the kept answer; one that runs at the same time waits for it. A
refused command has changed nothing and keeps no answer: repeated, it is judged anew.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Annotated, Any, Final

from fastapi import Depends, Header, Request
from fastapi.responses import JSONResponse
from sqlalchemy import Connection
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

from calsync.booking.command import Overtaken
from calsync.booking.commands import Command, Rulebook
from calsync.booking.slots import SlotTaken
from calsync.records.json_rows import span_row
from calsync.store import api_answers, audit
from calsync.store.dialect import take_turns
from calsync.store.sealed_texts import SEALED_ANSWER, bound_to_answer
from calsync.store.tokens import Role
from calsync.web.access import Caller, require
from calsync.web.problems import ApiProblem
from calsync.web.site import Site, site_of

KEPT_FOR: Final = timedelta(days=7)
_TRIES: Final = 10

_CLAIMABLE: Final[Mapping[Role, frozenset[str]]] = {
    Role.PLATFORM: frozenset({"provider", "client", "support"}),
    Role.SUPPORT: frozenset({"support"}),
    Role.BILLING: frozenset({"support"}),
    Role.ADMIN: frozenset({"provider", "client", "support", "system"}),
}
"""On whose behalf a token of each role may act: the platform vouches for the people whom it has logged in."""

_KEY: Final = Header(
    alias="Idempotency-Key",
    min_length=1,
    max_length=200,
    pattern=r"^[!-~]+$",
    description="Any text of yours that names this one command. Repeat the request with it as often as you like: it "
    "takes effect once, and later ones get the first answer. The same key with another request is 422 `key-reused`. "
    "Keys are kept for 7 days, for each token apart.",
    examples=["3f0c6a52-cancel-4821"],
)


@dataclass(frozen=True, slots=True)
class Call:
    """One command that a program sent."""

    site: Site
    caller: Caller
    key: str | None
    fingerprint: str
    name: str

    @property
    def now(self) -> datetime:
        """The present instant."""
        return self.site.clock.now()

    def actor(self, by: str | None) -> str:
        """On whose behalf it is.

        `ApiProblem` 403 where the token's role may not say so, and 422 where it must say so and does not.
        """
        allowed = _CLAIMABLE[self.caller.role]
        if by is None:
            if self.caller.role is Role.PLATFORM:
                words = "Say on whose behalf: provider:ID, client:ID or support:NAME."
                raise ApiProblem(422, "invalid", "Something in the request cannot be used.", [("by", words)])
            return f"support:{self.caller.token}"
        if by.partition(":")[0] not in allowed:
            raise ApiProblem(
                403,
                "actor-not-allowed",
                f"A token of role {self.caller.role} acts for {', '.join(sorted(allowed))} only.",
                [("by", "not for this token")],
            )
        return by

    def staff(self, by: str | None, note: str | None = None) -> Command:
        """The same for what clients do not say of themselves; `ApiProblem` 403 for them."""
        command = self.command(by, note=note)
        if command.role == "client":
            words = "Clients do not do this: say which provider or who of support does."
            raise ApiProblem(403, "actor-not-allowed", words, [("by", "not a client")])
        return command

    def command(self, by: str | None, reason: str | None = None, note: str | None = None) -> Command:
        """The command for the book."""
        rulebook = Rulebook.of_settings(self.site.settings)
        return Command(actor=self.actor(by), now=self.now, reason=reason, note=note, rulebook=rulebook)

    def once(self, act: Callable[[Connection], Any], status: int = 200, *, secret: bool = False) -> JSONResponse:
        """Carry it out in one transaction, or give the answer that an earlier one was given under the same key.

        `secret`: the answer opens something, so it is kept sealed. Where another command comes in between, it is
        carried out on what that one left: programs may send in any order and at any moment.
        """
        again = Retrying(retry=retry_if_exception_type(Overtaken), stop=stop_after_attempt(_TRIES), reraise=True)
        try:
            return again(self._once, act, status, secret=secret)
        except SlotTaken as refusal:
            return _with_slots(refusal)

    def _once(self, act: Callable[[Connection], Any], status: int, *, secret: bool) -> JSONResponse:
        with self.site.database.transaction() as conn:
            # Without a key too: what is sent twice at the same moment is judged one after the other.
            take_turns(conn, self.fingerprint)
            kept = self._kept(conn)
            if kept is not None:
                return kept
            body = act(conn)
            self._note(conn)
            if self.key is not None:
                api_answers.keep(conn, self.caller.token, self.key, status, self._sealed(body) if secret else body)
        return JSONResponse(body, status_code=status)

    def _kept(self, conn: Connection) -> JSONResponse | None:
        if self.key is None:
            return None
        token, now = self.caller.token, self.now
        api_answers.forget(conn, now - KEPT_FOR)
        if api_answers.claim(conn, token, self.key, self.fingerprint, now):
            return None
        known = api_answers.get(conn, token, self.key)
        assert known is not None
        if known.fingerprint != self.fingerprint:
            raise ApiProblem(422, "key-reused", "This Idempotency-Key was used for another request. Take a new one.")
        body = self._opened(known.body[SEALED_ANSWER]) if SEALED_ANSWER in known.body else known.body
        return JSONResponse(body, status_code=known.status, headers={"Idempotency-Replayed": "true"})

    def _sealed(self, body: Any) -> dict[str, str]:
        text = json.dumps(body).encode()
        return {SEALED_ANSWER: self.site.keys().encrypt(text, bound_to=self._place, ids=self.site.ids)}

    def _opened(self, text: str) -> Any:
        return json.loads(self.site.keys().decrypt(text, bound_to=self._place))

    @property
    def _place(self) -> str:
        return bound_to_answer(self.caller.token, self.key or "")

    def _note(self, conn: Connection) -> None:
        audit.append(conn, at=self.now, actor=self.caller.actor, what="api-command", subject=self.name, detail={})


def _with_slots(refusal: SlotTaken) -> JSONResponse:
    fields = [{"field": one.where, "message": one.what} for one in refusal.problems if one.where]
    slots = [span_row(slot.span) for slot in refusal.slots]
    detail = {"code": refusal.code, "message": str(refusal), "fields": fields, "slots": slots}
    return JSONResponse({"error": detail}, status_code=409)


def call_of(*roles: Role) -> Callable[..., Any]:
    """A dependency that makes the call, for callers of these roles."""
    allowed = Depends(require(*roles))

    async def call(request: Request, key: Annotated[str | None, _KEY] = None, *, caller: Caller = allowed) -> Call:
        body = await request.body()
        told = f"{request.method}\n{request.url.path}\n{request.url.query}\n".encode() + body
        return Call(site_of(request), caller, key, sha256(told).hexdigest(), _name(request))

    return call


def _name(request: Request) -> str:
    # The route's own words: ids of the path stand in the rows of the command itself.
    route = request.scope.get("route")
    return f"{request.method} {getattr(route, 'path', '')}"


SiteHere = Annotated[Site, Depends(site_of)]
"""The installation, for those who only look."""
BookCall = Annotated[Call, Depends(call_of(Role.PLATFORM, Role.SUPPORT))]
"""A change to the book: by the platform, or by support."""
PlatformCall = Annotated[Call, Depends(call_of(Role.PLATFORM))]
"""What only the platform that keeps the records says."""
SupportCall = Annotated[Call, Depends(call_of(Role.SUPPORT))]
"""What only support decides."""
BillingCall = Annotated[Call, Depends(call_of(Role.BILLING))]
"""What whoever sends claims says."""
