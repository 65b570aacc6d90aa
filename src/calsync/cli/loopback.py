"""Where a consent page sends the browser back to when the command runs on the same machine (RFC 8252 7.3)."""

from __future__ import annotations

import hmac
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from calsync.errors import Problem, UserError

WAIT_S = 300


class Loopback:
    """Waits on this machine for the browser to come back, once, with the right state."""

    def __init__(self) -> None:
        self._server = HTTPServer(("127.0.0.1", 0), _Return)
        self._server.timeout = WAIT_S

    def __enter__(self) -> Loopback:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.server_close()

    @property
    def address(self) -> str:
        """Where the browser comes back to."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/"

    def wait(self, state: str) -> str:
        """Return the code. Calls with another state (other programs, old tabs) are answered and forgotten."""
        for _ in range(100):
            returns: list[dict[str, str]] = []
            self._server.RequestHandlerClass = partial(_Return, returns)
            self._server.handle_request()
            told = next(iter(returns), None)
            if told is None:
                break
            if not hmac.compare_digest(told.get("state", "").encode(), state.encode()):
                continue
            if code := told.get("code"):
                return code
            raise UserError(
                [Problem("was not agreed to", "the consent page", "Run the command again when it is wanted")]
            )
        raise UserError([Problem("nobody came back from the consent page in time", "", "Run the command again")])


class _Return(BaseHTTPRequestHandler):
    """The page that the browser comes back to."""

    timeout = 10

    def __init__(self, returns: list[dict[str, str]], *more: Any) -> None:
        self._returns = returns
        super().__init__(*more)

    def do_GET(self) -> None:
        """Take what the address carries; the page itself says nothing of it."""
        query = parse_qs(urlsplit(self.path).query)
        self._returns.append({name: values[0][:4096] for name, values in query.items()})
        page = b"<!doctype html><title>calsync</title><p>You can close this window now."
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Nothing: the address holds the code."""
