"""HTTP to Graph: the only import of httpx. One exchange per call, within a deadline and a size; no redirects.

Every request carries the three preferences of the contract sheet (immutable ids, UTC, text bodies). A 401 is answered
once with a fresh token; a second one is an account error. Links of the service are followed only on its own origin.
"""

from __future__ import annotations

import base64
import logging
import re
import ssl
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

from calsync.connector import strict_json
from calsync.connector.errors import Malformed, Unavailable
from calsync.connector.retry_after import retry_after
from calsync_outlook.errors import Refused, code_of
from calsync_outlook.gate import Gate
from calsync_outlook.timing import elapsed
from calsync_outlook.tokens import TokenSource

Json = dict[str, Any]

PREFER = 'IdType="ImmutableId", outlook.timezone="UTC", outlook.body-content-type="text"'
PREFER_HTML = 'IdType="ImmutableId", outlook.timezone="UTC"'
_LARGEST = 16 * 1024 * 1024
# Its lines hold whole addresses, and with them the names of mailboxes.
logging.getLogger("httpx").setLevel(logging.WARNING)
_CLAIMS = re.compile(r'claims="([A-Za-z0-9+/=_-]{1,4000})"')


@dataclass(frozen=True, slots=True)
class Answer:
    """A status below 300 with what came: `json` is None where there was no body. Header names are in lower case."""

    status: int
    json: Any
    headers: Mapping[str, str] = field(default_factory=dict)

    def object(self) -> Json:
        """The body as an object; Malformed for anything else, an `error` body with a good status included."""
        if not isinstance(self.json, dict) or "error" in self.json:
            raise Malformed("the answer is no object of the calendar's")
        return self.json


class Pool:
    """Connections that are shared by all mailboxes: as many as there are requests at one time, kept for a minute.

    A deque hands out and takes back without a lock. When the last client is closed, so are all connections.
    """

    def __init__(self, tls: ssl.SSLContext, timeout: float) -> None:
        self._tls = tls
        self._timeout = httpx.Timeout(min(timeout, 30.0))
        self._idle: deque[httpx.Client] = deque()
        self.clients = 0

    @contextmanager
    def taken(self) -> Iterator[httpx.Client]:
        """Hold a connection that nobody uses."""
        try:
            http = self._idle.pop()
        except IndexError:
            limits = httpx.Limits(max_connections=1, keepalive_expiry=60.0)
            http = httpx.Client(
                verify=self._tls, timeout=self._timeout, limits=limits, follow_redirects=False, trust_env=False
            )
        try:
            yield http
        finally:
            self._idle.append(http)

    def leave(self) -> None:
        """One client less."""
        self.clients -= 1
        while self.clients <= 0 and self._idle:
            self._idle.pop().close()


@dataclass(frozen=True, slots=True)
class Line:
    """How to reach Graph: its root, patience (seconds in all per request), connections, the gate of the application."""

    root: str
    timeout: float
    gate: Gate
    pool: Pool


class Client:
    """Talks to Graph for one calendar."""

    def __init__(self, line: Line, tokens: TokenSource) -> None:
        self.line = line
        self.tokens = tokens
        self.requests = 0
        self.date: str | None = None  # what Graph's clock said with its last answer
        self._is_open = True
        line.pool.clients += 1

    def close(self) -> None:
        """Give back connections."""
        if self._is_open:
            self._is_open = False
            self.line.pool.leave()

    def call(
        self, method: str, path: str, *, body: Json | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer | Refused:
        """Send one request and return what was answered, or how it was refused; raises for everything else.

        `path` begins with a slash, or is a whole link that the service gave.
        """
        url = self.address(path)
        answer = self._once(method, url, body, headers or {}, self.tokens.token())
        if answer.status_code == 401:
            challenge = _CLAIMS.search(answer.headers.get("www-authenticate", ""))
            claims = _decoded(challenge[1]) if challenge else None
            answer = self._once(method, url, body, headers or {}, self.tokens.token(force=True, claims=claims))
        return _read(method, answer)

    def get(self, path: str, *, headers: Mapping[str, str] | None = None) -> Json:
        """GET an object; raises what a refusal means for the calendar."""
        answer = self.call("GET", path, headers=headers)
        if isinstance(answer, Refused):
            raise answer.error()
        return answer.object()

    def address(self, path: str) -> str:
        """Return the whole address of a path or of a link that the service gave; Malformed if that is elsewhere."""
        if path.startswith("/"):
            return self.line.root + path
        ours, theirs = urlsplit(self.line.root), urlsplit(path)
        if (ours.scheme, ours.netloc) != (theirs.scheme, theirs.netloc):
            raise Malformed("a link leads to another host")
        return path

    def _once(self, method: str, url: str, body: Json | None, headers: Mapping[str, str], token: str) -> httpx.Response:
        whole = {"Prefer": PREFER, "Accept": "application/json", **headers, "Authorization": f"Bearer {token}"}
        end = elapsed() + self.line.timeout
        self.requests += 1
        try:
            with (
                self.line.gate.entered(self.line.timeout),
                self.line.pool.taken() as http,
                http.stream(method, url, json=body, headers=whole) as answer,
            ):
                self.date = answer.headers.get("date")
                content = bytearray()
                for chunk in answer.iter_bytes():
                    content += chunk
                    if len(content) > _LARGEST:
                        raise Malformed(f"{method} answered more than {_LARGEST} bytes")
                    if elapsed() > end:
                        raise Unavailable(f"{method} took longer than {self.line.timeout:.0f} s")
                return httpx.Response(answer.status_code, headers=_plain_headers(answer), content=bytes(content))
        except httpx.DecodingError:
            raise Malformed(f"{method} answered in a broken encoding") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as problem:
            raise Unavailable(f"{method}: {type(problem).__name__}") from None


def _plain_headers(answer: httpx.Response) -> list[tuple[str, str]]:
    # The content is unpacked already.
    return [
        (name, value)
        for name, value in answer.headers.multi_items()
        if name.lower() not in ("content-encoding", "content-length", "transfer-encoding")
    ]


def _read(method: str, answer: httpx.Response) -> Answer | Refused:
    status, headers = answer.status_code, {name.lower(): value for name, value in answer.headers.items()}
    try:
        value = strict_json.parse(answer.content) if answer.content else None
    except strict_json.BadJson as problem:
        if status < 300:
            raise Malformed(f"{method} answered {status} with {problem.reason}") from None
        value = None
    if 200 <= status < 300:
        return Answer(status, value, headers)
    if status < 400:
        raise Malformed(f"{method} answered {status}, a redirect")
    return Refused(method, status, code_of(value), retry_after(headers))


def _decoded(text: str) -> str | None:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_").decode()
    except ValueError:
        return None
