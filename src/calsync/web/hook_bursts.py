"""The short way for Google's hooks in a burst: answered from memory, before anything takes the request apart.

Only what changes nothing goes this way: strays, and messages that add to a burst that was rung for. Whatever has to be
read from the books or written to them goes on to `hooks`, and so does all that is not quite such a message. Of many
that come at once for one channel the first goes on, and the others wait for what it brings into memory.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from calsync.web.hooks import MAX_ID, heard
from calsync.web.problems import of_status
from calsync.web.site import Site

_PATH: Final = "/hooks/google"
_NAMES: Final = (b"x-goog-channel-id", b"x-goog-channel-token", b"x-goog-resource-id")


@dataclass(frozen=True, slots=True)
class _Call:
    """What a message says: whose channel, and what only that channel's service knows."""

    channel: str
    secret: bytes
    resource: str


class HookBursts:
    """Answers what it can; passes the rest on."""

    def __init__(self, app: ASGIApp, *, site: Site) -> None:
        self._app = app
        self._site = site
        self._asking: dict[str, asyncio.Event] = {}
        stray = of_status(404)
        self._stray = (stray.status_code, stray.raw_headers, bytes(stray.body))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass it on."""
        call = _call_of(scope)
        if call is None:
            await self._app(scope, receive, send)
            return
        asking = self._asking.get(call.channel)
        if asking is not None:
            await asking.wait()
        if not await self._answered(call, send):
            await self._ask(call, scope, receive, send)

    async def _answered(self, call: _Call, send: Send) -> bool:
        site = self._site
        meant = site.targets.at_hand("google", call.channel, call.secret, call.resource)
        if meant is None or (meant.calendar and site.bell.would_ring(meant.calendar, site.clock.now())):
            return False
        site.tallies.hooks["google", "taken" if meant.calendar else "stray"] += 1
        if meant.calendar is None:
            await _send(send, *self._stray)
        else:
            await heard(site, meant.calendar)
            await _send(send, 204, [], b"")
        return True

    async def _ask(self, call: _Call, scope: Scope, receive: Receive, send: Send) -> None:
        answered = self._asking.setdefault(call.channel, asyncio.Event())
        try:
            await self._app(scope, receive, send)
        finally:
            answered.set()
            if self._asking.get(call.channel) is answered:
                del self._asking[call.channel]


def _call_of(scope: Scope) -> _Call | None:
    """What a request says, where it is such a message and nothing else."""
    if scope["type"] != "http" or scope["path"] != _PATH or scope["method"] != "POST":
        return None
    headers = dict(scope["headers"])
    if headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in headers:
        return None
    channel, secret, resource = (headers.get(name, b"") for name in _NAMES)
    if not 0 < len(channel) <= MAX_ID or len(secret) > MAX_ID:
        return None
    return _Call(channel.decode("latin-1"), secret, resource.decode("latin-1"))


async def _send(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
