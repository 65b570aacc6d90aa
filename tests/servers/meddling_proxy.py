"""A proxy between calsync and a real server: it counts what passes, and can spoil chosen exchanges."""

from __future__ import annotations

import contextlib
import http.client
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DROPPED = frozenset({"connection", "transfer-encoding", "content-length", "keep-alive"})


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request that came, and what was answered. `sent` is False when the answer was withheld."""

    method: str
    path: str
    status: int
    request_bytes: int
    answer_bytes: int
    sent: bool = True


@dataclass(slots=True)
class Spoil:
    """What to do with requests of a method: answer `status` and `body` without asking the server, or lose the answer.

    `times` counts down; `before` runs first, as if somebody acted just then.
    """

    method: str
    status: int | None = None
    body: bytes = b""
    content_type: str = "text/html"
    lose_answer: bool = False
    before: Callable[[], object] | None = None
    times: int = 1


class _QuietServer(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """A client that was killed is no fault of the proxy."""


@dataclass
class MeddlingProxy:
    """Listens on loopback and passes everything on to `port`. Use as a context manager."""

    target_port: int
    exchanges: list[Exchange] = field(default_factory=list)
    spoils: list[Spoil] = field(default_factory=list)

    def __post_init__(self) -> None:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                """Keep quiet."""

            def __getattr__(self, name: str) -> Callable[[], None]:
                if name.startswith("do_"):
                    return lambda: proxy._handle(self)
                raise AttributeError(name)

        self._server = _QuietServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._lock = threading.Lock()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def __enter__(self) -> MeddlingProxy:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def clear(self) -> None:
        """Forget what passed and what was to be spoiled."""
        self.exchanges.clear()
        self.spoils.clear()

    def spoil(self, spoil: Spoil) -> None:
        """Spoil the next requests of a method ("*" for any)."""
        self.spoils.append(spoil)

    def count(self, method: str) -> int:
        """How many requests of a method came."""
        return sum(exchange.method == method for exchange in self.exchanges)

    def _take_spoil(self, method: str) -> Spoil | None:
        with self._lock:
            for spoil in self.spoils:
                if spoil.method in ("*", method) and spoil.times > 0:
                    spoil.times -= 1
                    return spoil
        return None

    def _handle(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        spoil = self._take_spoil(handler.command)
        if spoil is not None and spoil.before is not None:
            spoil.before()
        if spoil is not None and spoil.status is not None:
            answer, headers, status = spoil.body, [("Content-Type", spoil.content_type)], spoil.status
        else:
            status, headers, answer = self._forward(handler, body)
        lost = spoil is not None and spoil.lose_answer
        self.exchanges.append(Exchange(handler.command, handler.path, status, len(body), len(answer), sent=not lost))
        if lost:
            handler.close_connection = True
            handler.connection.close()
            return
        # A client that was killed meanwhile reads no answer, and that is the point of some tests.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            _answer(handler, status, headers, answer)

    def _forward(self, handler: BaseHTTPRequestHandler, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.target_port, timeout=30)
        headers = {name: value for name, value in handler.headers.items() if name.lower() not in DROPPED}
        if body:
            headers["Content-Length"] = str(len(body))
        connection.request(handler.command, handler.path, body=body or None, headers=headers)
        response = connection.getresponse()
        answer = response.read()
        connection.close()
        return response.status, list(response.getheaders()), answer


def _answer(handler: BaseHTTPRequestHandler, status: int, headers: list[tuple[str, str]], answer: bytes) -> None:
    handler.send_response(status)
    for name, value in headers:
        if name.lower() not in DROPPED:
            handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(answer)))
    handler.end_headers()
    handler.wfile.write(answer)
