"""HTTP as the connector needs it.

What a caller may rely on: one request is one request (a safe one is repeated once when an idle connection turned out to
be closed); a total deadline, not one per read; bodies unpacked to at most 16 MiB, headers to 64 KiB; no redirect is
followed; connections go only where the guard allows; nothing but `calsync.connector.errors` is raised, and neither a
URL nor the password is ever in a message. One instance serves one account, used by one thread at a time.
"""

from __future__ import annotations

import base64
import socket
import ssl
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse, IncompleteRead, RemoteDisconnected
from typing import Any
from urllib.parse import urlsplit

from requests.auth import HTTPDigestAuth
from requests.utils import parse_dict_header

from calsync.connector.errors import AuthRevoked, CalendarError, Forbidden, Malformed, Unavailable
from calsync_caldav.errors import error_for
from calsync_caldav.guard import AddressRefused, Guard, Origin, origin_of
from calsync_caldav.quirks import closes_unannounced
from calsync_caldav.sockets import GuardedConnection
from calsync_caldav.timing import Deadline

MAX_BODY = 16 << 20
MAX_HEADERS = 64 << 10
_CHUNK = 64 << 10
_MOST_CONNECTIONS = 2
_SAFE = {"GET", "HEAD", "OPTIONS", "PROPFIND", "REPORT"}
_ENCODINGS = {"": False, "identity": False, "gzip": True, "x-gzip": True}


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer. Header names are lower case, the body is unpacked."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def content_type(self) -> str:
        """The media type alone, lower case, "" when none is given."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True)
class Login:
    """Who logs in. The password never appears in `repr`."""

    username: str
    password: str

    @property
    def basic(self) -> str:
        """The Authorization header of Basic, in UTF-8 for whatever Latin-1 cannot say (RFC 7617 2.1)."""
        pair = f"{self.username}:{self.password}".encode()
        return f"Basic {base64.b64encode(pair).decode('ascii')}"

    def __repr__(self) -> str:
        return f"Login({self.username!r}, ...)"


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a request may take in all (seconds), and whose certificates are trusted."""

    timeout: float
    context: ssl.SSLContext


def tls_context(*, verify: bool, ca_file: str | None) -> ssl.SSLContext:
    """Return TLS 1.2 or newer with the system's certificates or the file's; OSError where the file cannot be used."""
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


class Client:
    """One account's connection to one service."""

    def __init__(self, login: Login, guard: Guard, limits: Limits) -> None:
        self._login = login
        self._guard = guard
        self._limits = limits
        self._deadline = Deadline()
        self._digest: _Digest | None = None
        self._basic = login.basic
        self._open: dict[Origin, GuardedConnection] = {}
        self.requests = 0
        self.date: str | None = None  # what the service's clock said with its last answer

    def send(self, method: str, url: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        """Send one request and return its answer whatever the status, but for 401: AuthRevoked.

        Unavailable: no answer, or not in time (a write may have taken effect). Malformed: an answer over the limits.
        Forbidden: the guard refuses the address.
        """
        self._deadline.start(self._limits.timeout)
        answer = self._once(method, url, body, headers or {})
        if answer.status == 401 and self._learn_digest(answer):
            answer = self._once(method, url, body, headers or {})
        if answer.status == 401:
            raise AuthRevoked(f"{method} answered 401")
        return answer

    def expect(self, answer: Answer, method: str, *statuses: int) -> Answer:
        """Return the answer if it has one of the statuses, else raise what its status means for the calendar."""
        if answer.status not in statuses:
            raise error_for(method, answer.status, answer.headers)
        return answer

    def close(self) -> None:
        """Give back the connections; a later `send` opens new ones."""
        for connection in self._open.values():
            connection.close()
        self._open.clear()

    def _once(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        try:
            try:
                return self._exchange(method, url, body, headers)
            except (RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                # Some servers drop a connection now and then without a word (sheet 6, SOGo); asking again is harmless.
                if method not in _SAFE:
                    raise
                return self._exchange(method, url, body, headers)
        except CalendarError:
            raise
        except (OSError, HTTPException, ValueError, zlib.error, AddressRefused) as problem:
            raise _translated(method, problem) from None

    def _exchange(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        origin, parts = origin_of(url), urlsplit(url)
        connection = self._connection(origin)
        target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        fixed = {"User-Agent": "calsync", "Accept-Encoding": "gzip", **headers, **self._authorization(method, url)}
        self.requests += 1
        try:
            connection.request(method, target, body=body or None, headers=fixed)
            response = connection.getresponse()
            kept = _checked_headers(response)
            self.date = kept.get("date")
            answer = Answer(response.status, kept, b"".join(_unpacked(response, kept)))
        except BaseException:
            connection.close()  # what is left of the answer must not be taken for the next one
            raise
        if closes_unannounced(url):
            connection.close()
        return answer

    def _connection(self, origin: Origin) -> GuardedConnection:
        connection = self._open.get(origin)
        if connection is None:
            while len(self._open) >= _MOST_CONNECTIONS:
                self._open.pop(next(iter(self._open))).close()
            context = self._limits.context if origin.scheme == "https" else None
            connection = GuardedConnection(origin, self._guard, self._deadline, context=context)
            self._open[origin] = connection
        if not connection.is_usable():
            connection.close()
        return connection

    def _authorization(self, method: str, url: str) -> dict[str, str]:
        value = self._basic if self._digest is None else self._digest.header(method, url)
        return {"Authorization": value}

    def _learn_digest(self, answer: Answer) -> bool:
        challenge = answer.headers.get("www-authenticate", "")
        offered = challenge.lower()
        if "digest " not in offered:
            return False
        if self._digest is not None and "stale=true" not in offered.replace('"', "").replace(" ", ""):
            return False
        self._digest = _Digest(self._login, challenge[offered.index("digest ") + 7 :])
        return True


class _Digest(HTTPDigestAuth):
    """Digest (RFC 7616) from a challenge that is already there, so that each later request is one request."""

    def __init__(self, login: Login, challenge: str) -> None:
        super().__init__(login.username, login.password)
        self.init_per_thread_state()
        state: Any = vars(self)["_thread_local"]
        state.chal = parse_dict_header(challenge)  # type: ignore[no-untyped-call]

    def header(self, method: str, url: str) -> str:
        """Return the Authorization header of a request."""
        try:
            return str(self.build_digest_header(method, url) or "")  # type: ignore[no-untyped-call]
        except KeyError:
            raise Malformed("the Digest challenge is incomplete") from None


def _checked_headers(response: HTTPResponse) -> dict[str, str]:
    if response.status < 200:
        # The answer itself is still to come, and would be taken for that of the next request.
        raise Unavailable("the service sent an interim answer alone")
    headers: dict[str, str] = {}
    for key, value in response.getheaders():
        name = key.lower()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    if sum(len(key) + len(value) for key, value in headers.items()) > MAX_HEADERS:
        raise Malformed("the answer's header is larger than 64 KiB")
    if any(mark in value for value in headers.values() for mark in "\r\n\0"):
        raise Malformed("a header of the answer contains a line end")
    return headers


def _unpacked(response: HTTPResponse, headers: Mapping[str, str]) -> Iterator[bytes]:
    encoding = headers.get("content-encoding", "").strip().lower()
    if encoding not in _ENCODINGS:
        raise Malformed("the answer is packed in a way that was not asked for")
    unpacker = zlib.decompressobj(wbits=31) if _ENCODINGS[encoding] else None
    size = 0
    while chunk := response.read(_CHUNK):
        data = chunk if unpacker is None else unpacker.decompress(chunk, MAX_BODY + 1 - size)
        size += len(data)
        if size > MAX_BODY or (unpacker is not None and unpacker.unconsumed_tail):
            raise Malformed("the answer is larger than 16 MiB")
        yield data
    if response.length or (unpacker is not None and size and not unpacker.eof):
        raise Unavailable("the answer was cut off")


def _translated(method: str, problem: Exception) -> CalendarError:
    if isinstance(problem, AddressRefused):
        return Forbidden(f"{method} was not sent: {problem}")
    if isinstance(problem, IncompleteRead):
        return Unavailable(f"{method}: the answer was cut off")
    if isinstance(problem, OSError):
        return Unavailable(f"{method} was not answered: {_kind(problem)}")
    if isinstance(problem, HTTPException):
        # Header lines that are too long or too many, a status line that is none, a target that cannot be sent.
        return Malformed(f"{method}: not HTTP")
    return Malformed(f"{method}: the request or its answer cannot be put in HTTP")


def _kind(problem: OSError) -> str:
    kinds: tuple[tuple[type[OSError], str], ...] = (
        (TimeoutError, "deadline passed"),
        (socket.gaierror, "the host's name is not known"),
        (ConnectionRefusedError, "connection refused"),
        (ssl.SSLCertVerificationError, "the certificate is not trusted"),
        (ssl.SSLError, "no secure connection"),
    )
    return next((text for kind, text in kinds if isinstance(problem, kind)), "connection failed")


def check_url(url: str) -> str:
    """Return the URL if it can be one of a calendar server, else raise Malformed."""
    try:
        origin_of(url)
    except AddressRefused as refusal:
        raise Malformed(str(refusal)) from None
    return url
