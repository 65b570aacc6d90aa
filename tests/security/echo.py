"""A service at its worst: whatever it is asked, it answers with an error that repeats the request, secrets and all."""

from __future__ import annotations

import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from types import TracebackType
from typing import Self

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "REPORT", "MKCALENDAR")
_STATUSES = (500, 403, 400, 502, 429, 404, 200)


class EchoServer:
    """Listens on loopback. `asked` holds the request lines, `bodies` what was posted."""

    def __init__(self, shout: str, context: ssl.SSLContext | None = None) -> None:
        self.asked: list[str] = []
        self.bodies: list[str] = []
        numbers = count()
        echo = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode("utf-8", "replace")
                echo.asked.append(self.requestline)
                echo.bodies.append(body)
                told = f"{shout} {self.requestline} {self.headers} {body}"
                if "token" in self.path:
                    text = json.dumps({"error": "invalid_request", "error_description": told, "correlation_id": shout})
                    status, kind = 400, "application/json"
                else:
                    text, kind = f"<html>{told}</html>", "text/html"
                    status = _STATUSES[next(numbers) % len(_STATUSES)]
                self.send_response(status, shout)
                self.send_header("Content-Type", kind)
                self.send_header("X-Told", shout)
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        for method in _METHODS:
            setattr(Handler, f"do_{method}", Handler._answer)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _problem: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
