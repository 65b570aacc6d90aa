"""What both stand-ins' HTTP servers have in common: connections that can be cut at any time, and no log."""

from __future__ import annotations

from abc import ABC, abstractmethod
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

SIGN_IN_PAGE: Final = b"<!doctype html><title>Sign in</title><p>Please sign in to the network."
"""What a network's own door answers in place of the service, with status 200."""


class CuttableServer(ThreadingHTTPServer):
    """A thread for each connection, on a free port of the loopback interface."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, handler: type[CuttableConnection]) -> None:
        self.open: set[CuttableConnection] = set()
        super().__init__(("127.0.0.1", 0), handler)

    def cut_all(self) -> None:
        """Close all connections, whatever goes on over them."""
        for handler in list(self.open):
            handler.cut()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: clients that break off are part of the weather."""


class CuttableConnection(BaseHTTPRequestHandler, ABC):
    """One connection. Subclasses say in `serve` how a request is answered."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 120
    server: CuttableServer

    def setup(self) -> None:
        """Be known to the server."""
        super().setup()
        self.server.open.add(self)

    def finish(self) -> None:
        """Be forgotten by the server."""
        self.server.open.discard(self)
        try:
            super().finish()
        except OSError:
            return

    def cut(self) -> None:
        """Close the connection from another thread."""
        try:
            self.connection.close()
        except OSError:
            return

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Nothing: the stand-ins keep the calls."""

    @abstractmethod
    def serve(self) -> None:
        """Answer the request that was just read."""

    def do_GET(self) -> None:
        """Serve."""
        self.serve()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815
