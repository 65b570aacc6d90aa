"""What both stand-ins' HTTP servers have in common: connections that can be cut at any time, and no log."""

from __future__ import annotations

import threading
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

    def serve_apart(self) -> None:
        """Serve in a thread of its own until `stop`."""
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Stop listening; open connections are cut."""
        self.shutdown()
        self.server_close()
        for handler in list(self.open):
            handler.cut()

    @property
    def address(self) -> str:
        """Where it listens, `127.0.0.1:PORT`."""
        return f"127.0.0.1:{self.server_address[1]}"

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
