"""HTTP as the connector needs it: the only module that knows the HTTP library (requests).

What a caller may rely on: one request is one request (a safe one is repeated once when an idle connection turned out
to be closed); a total deadline, not one per read; bodies unpacked to at most 16 MiB, headers to 64 KiB; no redirect is
followed; connections go only where the guard allows; nothing but `calsync.connector.errors` is raised, and neither a
URL nor the password is ever in a message. One instance serves one account, used by one thread at a time.
"""

from __future__ import annotations

import io
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.auth import HTTPDigestAuth, _basic_auth_str
from requests.utils import parse_dict_header
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, NameResolutionError

from calsync.connector.errors import AuthRevoked, CalendarError, Forbidden, Malformed, Unavailable
from calsync_caldav.errors import error_for
from calsync_caldav.guard import AddressRefused, Guard, origin_of
from calsync_caldav.timing import Deadline

MAX_BODY = 16 << 20
MAX_HEADERS = 64 << 10
_CHUNK = 64 << 10
_SAFE = {"GET", "HEAD", "OPTIONS", "PROPFIND", "REPORT"}

urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)  # `verify_tls = false` is the admin's own word


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

    def __repr__(self) -> str:
        return f"Login({self.username!r}, ...)"


@dataclass(frozen=True, slots=True)
class Limits:
    """How long, and with what trust in certificates (`verify`: True, False, or the name of a CA file)."""

    timeout: float = 30.0
    verify: bool | str = True


class Client:
    """One account's connection to one service."""

    def __init__(self, login: Login, guard: Guard, limits: Limits) -> None:
        self._login = login
        self._limits = limits
        self._deadline = Deadline()
        self._digest: _Digest | None = None
        self._session = requests.Session()
        self._session.trust_env = False
        adapter = _GuardedAdapter(guard, self._deadline)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)
        self.requests = 0

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
        self._session.close()

    def _once(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        try:
            return self._exchange(method, url, body, headers)
        except (requests.ConnectionError, HTTPError) as problem:
            if method not in _SAFE or not _was_idle(problem):
                raise _translated(method, problem) from None
        except (requests.RequestException, OSError, HTTPException, ValueError) as problem:
            raise _translated(method, problem) from None
        try:
            return self._exchange(method, url, body, headers)
        except (requests.RequestException, HTTPError, OSError, HTTPException, ValueError) as problem:
            raise _translated(method, problem) from None

    def _exchange(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        left = self._deadline.left()
        self.requests += 1
        response = self._session.request(
            method,
            url,
            data=body or None,
            headers={"User-Agent": "calsync", "Accept-Encoding": "gzip", **headers, **self._authorization(method, url)},
            timeout=(left, left),
            verify=self._limits.verify,
            allow_redirects=False,
            stream=True,
        )
        try:
            kept = _checked_headers(response.headers.items())
            return Answer(response.status_code, kept, b"".join(self._chunks(response.raw)))
        except BaseException:
            response.close()  # what is left of the answer must not be taken for the next one
            raise

    def _chunks(self, raw: Any) -> Iterator[bytes]:
        size = 0
        while chunk := raw.read(_CHUNK, decode_content=True):
            self._deadline.left()
            size += len(chunk)
            if size > MAX_BODY:
                raise Malformed("the answer is larger than 16 MiB")
            yield chunk

    def _authorization(self, method: str, url: str) -> dict[str, str]:
        if self._digest is not None:
            return {"Authorization": self._digest.header(method, url)}
        # As bytes: a password outside Latin-1 is sent in UTF-8 (RFC 7617 2.1).
        login = self._login
        return {"Authorization": _basic_auth_str(login.username.encode(), login.password.encode())}

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


def _checked_headers(items: Any) -> dict[str, str]:
    headers = {str(key).lower(): str(value) for key, value in items}
    if sum(len(key) + len(value) for key, value in headers.items()) > MAX_HEADERS:
        raise Malformed("the answer's header is larger than 64 KiB")
    if any(mark in value for value in headers.values() for mark in "\r\n\0"):
        raise Malformed("a header of the answer contains a line end")
    return headers


def _chain(problem: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    todo: list[BaseException] = [problem]
    while todo:
        one = todo.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        inner = (one.__cause__, one.__context__, *one.args, getattr(one, "reason", None))
        todo.extend(part for part in inner if isinstance(part, BaseException))


def _was_idle(problem: BaseException) -> bool:
    return any(isinstance(part, ConnectionResetError | BrokenPipeError) for part in _chain(problem))


def _translated(method: str, problem: BaseException) -> CalendarError:
    for part in _chain(problem):
        if isinstance(part, CalendarError):
            return part
        if isinstance(part, AddressRefused):
            return Forbidden(f"{method} was not sent: {part}")
    for part in _chain(problem):
        if isinstance(part, urllib3.exceptions.DecodeError):
            return Malformed(f"{method}: the answer could not be unpacked")
        if isinstance(part, HTTPException) and not isinstance(part, ConnectionError):
            # Header lines that are too long or too many, a status line that is none, a body cut short.
            cut = type(part).__name__ == "IncompleteRead"
            return Unavailable(f"{method}: cut off") if cut else Malformed(f"{method}: not HTTP")
    if isinstance(problem, ValueError) and not isinstance(problem, requests.RequestException):
        return Malformed(f"{method}: the URL or a header cannot be sent")
    return Unavailable(f"{method} was not answered: {_kind(problem)}")


def _kind(problem: BaseException) -> str:
    for part in _chain(problem):
        if isinstance(part, TimeoutError | requests.Timeout):
            return "deadline passed"
        if isinstance(part, socket.gaierror | NameResolutionError):
            return "the host's name is not known"
        if isinstance(part, ConnectionRefusedError):
            return "connection refused"
        if "CERTIFICATE_VERIFY_FAILED" in str(part):
            return "the certificate is not trusted"
    return "connection failed"


class _DeadlineSocket:
    """A connected socket whose every wait is cut to what is left of the request's time."""

    def __init__(self, sock: Any, deadline: Deadline) -> None:
        self._sock = sock
        self._deadline = deadline

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def settimeout(self, value: float | None) -> None:
        """Ignored: the deadline decides."""

    def sendall(self, data: Any) -> None:
        """Send all, within what is left in all."""
        self._sock.settimeout(self._deadline.left())
        self._sock.sendall(data)

    def makefile(self, mode: str = "rb", buffering: int | None = None) -> io.BufferedReader:
        """Return the reader of one answer."""
        del mode, buffering
        return io.BufferedReader(_DeadlineReader(self._sock, self._deadline))


class _DeadlineReader(io.RawIOBase):
    def __init__(self, sock: Any, deadline: Deadline) -> None:
        self._raw = sock.makefile("rb", buffering=0)
        self._sock = sock
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._deadline.left())
        count: int | None = self._raw.readinto(buffer)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _GuardedConnecting:
    """What both kinds of connection share: the guard before, the deadline after connecting."""

    guard: Guard
    deadline: Deadline

    def _new_conn(self: Any) -> socket.socket:
        problem: OSError = OSError("no address")
        for address in self.guard.addresses(self.host.strip("[]"), self.port):
            try:
                return socket.create_connection((address, self.port), timeout=self.deadline.left())
            except OSError as failure:
                problem = failure
        raise problem

    def connect(self: Any) -> None:
        super().connect()  # type: ignore[misc]
        self.sock = _DeadlineSocket(self.sock, self.deadline)


class _GuardedAdapter(HTTPAdapter):
    def __init__(self, guard: Guard, deadline: Deadline) -> None:
        scope = {"guard": guard, "deadline": deadline}
        plain = type("GuardedHTTP", (_GuardedConnecting, HTTPConnection), scope)
        secure = type("GuardedHTTPS", (_GuardedConnecting, HTTPSConnection), scope)
        self._pools = {
            "http": type("GuardedPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
            "https": type("GuardedTLSPool", (HTTPSConnectionPool,), {"ConnectionCls": secure}),
        }
        super().__init__(pool_connections=4, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools


def check_url(url: str) -> str:
    """Return the URL if it can be one of a calendar server, else raise Malformed."""
    try:
        origin_of(url)
    except AddressRefused as refusal:
        raise Malformed(str(refusal)) from None
    return url
