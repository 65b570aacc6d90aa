"""What every request and answer goes through: limits before anything is read, headers on whatever is said.

Plain ASGI, so that nothing is buffered and hostile requests end before they cost anything.
"""

from __future__ import annotations

import json
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from calsync.web.nesting import Nesting

MAX_BODY: Final = 1024 * 1024
MAX_TARGET: Final = 4096
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_TYPES: Final = {
    "/api/": frozenset({b"application/json"}),
    "/a/": frozenset({b"application/x-www-form-urlencoded"}),
    "/connect/": frozenset({b"application/x-www-form-urlencoded"}),
    "/support": frozenset({b"application/x-www-form-urlencoded"}),
}
_JSON: Final = ("/api/", "/hooks/")


def content_policy(forms_to: str = "") -> str:
    """The content security policy of a page whose forms go to us, and may be sent on to one other origin."""
    forms = f"'self' {forms_to}".strip()
    return f"default-src 'none'; style-src 'self'; form-action {forms}; base-uri 'none'; frame-ancestors 'none'"


_HEADERS: Final = {
    "Content-Security-Policy": content_policy(),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Addresses of pages are secrets; no other site may learn them from a click.
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "X-Robots-Tag": "noindex, nofollow",
}


class Headers:
    """Puts the security headers on every answer, errors included."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self._app = app
        self._headers = _HEADERS | ({"Strict-Transport-Security": "max-age=31536000"} if https else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)


class Limits:
    """Turns away odd paths, JSON nested beyond use (both 400), wrong types (415), bodies beyond a mebibyte (413)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass it on, or answer at once."""
        refusal = _refusal(scope) if scope["type"] == "http" else None
        if refusal is not None:
            await _answer(send, *refusal)
            return
        await self._app(scope, _Metered(receive, is_json=scope.get("path", "").startswith(_JSON)), send)


class BodyTooLarge(Exception):
    """More came in than any request needs. Raised while a body is read; `app` answers 413."""


class BodyTooDeep(Exception):
    """JSON in JSON in JSON, deeper than anything that is sent here. Raised while a body is read; `app` answers 400."""


class _Metered:
    """Counts a body while it is read: what a header says about its length is only a claim."""

    def __init__(self, receive: Receive, *, is_json: bool) -> None:
        self._receive = receive
        self._read = 0
        self._nesting = Nesting() if is_json else None

    async def __call__(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._read += len(message.get("body", b""))
            if self._read > MAX_BODY:
                raise BodyTooLarge
            if self._nesting is not None and self._nesting.feed(message.get("body", b"")):
                raise BodyTooDeep
        return message


def _refusal(scope: Scope) -> tuple[int, str, str] | None:
    raw = bytes(scope.get("raw_path") or b"")
    if len(raw) + len(scope.get("query_string", b"")) > MAX_TARGET:
        return 400, "bad-path", "The address is too long."
    path = scope["path"]
    if any(ord(character) < 32 or ord(character) == 127 for character in path) or ".." in path.split("/"):
        return 400, "bad-path", "The address cannot be used."
    headers = {name: value for name, value in scope["headers"] if name in (b"content-length", b"content-type")}
    length = headers.get(b"content-length", b"0")
    if not length.isdigit() or len(length) > 12:
        return 400, "bad-length", "The length of the body is not a number."
    if int(length) > MAX_BODY:
        return 413, "too-large", "The body is larger than 1 MiB."
    return _refused_type(scope["method"], path, headers.get(b"content-type", b""))


def _refused_type(method: str, path: str, content_type: bytes) -> tuple[int, str, str] | None:
    wanted = next((types for prefix, types in _TYPES.items() if path.startswith(prefix)), None)
    if method not in _WITH_BODY or wanted is None:
        return None
    if content_type.partition(b";")[0].strip().lower() in wanted:
        return None
    names = " or ".join(sorted(one.decode() for one in wanted))
    return 415, "content-type", f"Send {names}."


async def _answer(send: Send, status: int, code: str, text: str) -> None:
    body = json.dumps({"error": {"code": code, "message": text, "fields": []}}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
