"""The HTTP server beside whatever else the process does: uvicorn in a thread, ended gracefully.

Whether it runs never decides about calendars or claims: polling alone is correct. So `calsync run` goes on without it,
says so, and tries again; `calsync serve`, which is nothing else, ends with a sentence.
"""

from __future__ import annotations

import asyncio
import resource
import socket
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from calsync.errors import Problem, UserError
from calsync.system_threads import Background

_log = structlog.get_logger(__name__)

# How long a connection may stay without a whole request's head, and again half as long as its body may take. Many slow
# ones must not use up the process's files.
REQUEST_WITHIN_S: Final = 20.0
MAX_HEAD: Final = 64 * 1024
_VERSIONS: Final = ("1.0", "1.1")
_GRACE_S: Final = 5
_BACKLOG: Final = 2048
_FILES: Final = 20_000


class ImpatientProtocol(HttpToolsProtocol):
    """HTTP/1.1 that hangs up on whoever does not ask for anything, or does not come to the end of a request.

    A head that is longer than any of ours needs to be is answered 400: the parser itself would take any length.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start waiting for the first request."""
        super().connection_made(transport)
        self._head: object = None
        self._head_size = 0
        self._unfinished: object = None
        self._impatience = self.loop.call_later(REQUEST_WITHIN_S, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._impatience.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came, unless a head that it goes on with has become too long."""
        super().data_received(data)
        if self._head is not None:
            self._head_size += len(data)
            if self._head_size > MAX_HEAD and not self.transport.is_closing():
                self.send_400_response("Too long.")

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._head, self._head_size = object(), 0

    def on_headers_complete(self) -> None:
        """Its head is whole."""
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if size > MAX_HEAD or self.parser.get_http_version() not in _VERSIONS:
            raise ValueError("not a request that is answered here")  # the parser's caller says 400
        self._head = None
        super().on_headers_complete()

    def _look(self) -> None:
        # Between requests uvicorn's own keep-alive limit holds. A head or body that was incomplete at the last look,
        # too, has had its time; so has a connection on which nothing was asked so far.
        asked: Any = self.cycle
        unfinished = self._head or (asked if asked is not None and asked.more_body else None)
        if asked is None or (unfinished is not None and unfinished is self._unfinished):
            self.transport.close()
            return
        self._unfinished = unfinished
        self._impatience = self.loop.call_later(REQUEST_WITHIN_S, self._look)


@dataclass(slots=True)
class WebServer:
    """The server of one process. May be started again after it ended."""

    app: ASGIApp
    address: tuple[str, int]
    _server: uvicorn.Server | None = field(default=None, init=False)
    _thread: Background | None = field(default=None, init=False)

    def start(self) -> None:
        """Listen, and answer from now on. UserError if the address cannot be listened on."""
        _allow_many_files()
        listening = _listen(self.address)
        self.address = (self.address[0], listening.getsockname()[1])
        config = uvicorn.Config(
            self.app,
            http=ImpatientProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",  # its errors show exceptions' texts; ours are logged where they are answered
            access_log=False,  # addresses of pages are secrets
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=_GRACE_S,
            backlog=_BACKLOG,
        )
        server = uvicorn.Server(config)
        self._server = server
        self._thread = Background("web", lambda: server.run(sockets=[listening]))
        self._thread.start()
        _log.info("web_started", host=self.address[0], port=self.address[1])

    @property
    def is_running(self) -> bool:
        """Whether it answers, or is about to."""
        return self._thread is not None and self._thread.is_running

    def keep_up(self) -> None:
        """Start it if it does not run; where that is not possible, say so once in the log and leave it."""
        if self.is_running:
            return
        try:
            self.start()
        except UserError as problem:
            _log.error("web_cannot_start", because=str(problem))

    def stop(self) -> bool:
        """Take nothing new, finish what runs; true if it ended in time."""
        if self._server is None or self._thread is None:
            return True
        self._server.should_exit = True
        return self._thread.join(_GRACE_S + 2)


def _allow_many_files() -> None:
    # Each connection is an open file. Idle ones are hung up on, but until then they must not lock others out.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _listen(address: tuple[str, int]) -> socket.socket:
    host, port = address
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(_BACKLOG)
    except OSError as problem:
        listening.close()
        reason = (problem.strerror or "unknown error").lower()
        raise UserError(
            [
                Problem(
                    f"cannot listen on {host}:{port} ({reason})",
                    "[web] listen",
                    "Stop what uses that port, or choose another one",
                )
            ]
        ) from None
    return listening
