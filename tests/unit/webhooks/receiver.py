"""A real HTTP server that takes webhooks, checks their signatures, and misbehaves on request."""

from __future__ import annotations

import base64
import hmac
import json
import threading
import time
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET = "whsec_" + base64.b64encode(b"a secret of twenty-four.").decode()


@dataclass
class Receiver:
    """What arrived, in order, by one thread a request. `answers` are the next statuses; 204 after them."""

    answers: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    arrived: list[dict[str, Any]] = field(default_factory=list)
    tries: list[str] = field(default_factory=list)
    hang: threading.Event | None = None

    def __enter__(self) -> Receiver:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                event, stamp = self.headers["webhook-id"], self.headers["webhook-timestamp"]
                receiver.tries.append(event)
                signed = f"{event}.{stamp}.".encode() + body
                key = base64.b64decode(SECRET.removeprefix("whsec_"))
                wanted = "v1," + base64.b64encode(hmac.new(key, signed, sha256).digest()).decode()
                status = receiver.answers.pop(0) if receiver.answers else 204
                if wanted not in (self.headers["webhook-signature"] or "").split():
                    status = 401
                if 200 <= status < 300:
                    receiver.arrived.append(json.loads(body))
                if receiver.hang is not None:
                    receiver.hang.wait(30)
                self.send_response(status)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.hang is not None:
            self.hang.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/hooks"

    @property
    def types(self) -> list[str]:
        return [one["type"] for one in self.arrived]

    def wait_for(self, count: int, seconds: float = 20) -> None:
        """Until so many requests have come."""
        end = time.monotonic() + seconds
        while len(self.tries) < count:
            assert time.monotonic() < end, (count, self.tries)
            time.sleep(0.01)
