"""A small HTTP server on loopback that answers what a test tells it to, to the octet, and remembers all requests."""

from __future__ import annotations

import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Request:
    """What was sent."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """What to answer: status, headers and body, or in their place `raw` octets, after which the connection ends."""

    status: int = 207
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    raw: Iterable[bytes] | None = None

    def pieces(self) -> Iterable[bytes]:
        """Return the octets of the answer."""
        if self.raw is not None:
            return self.raw
        headers = {
            "Content-Type": "application/xml; charset=utf-8",
            "Content-Length": str(len(self.body)),
            **self.headers,
        }
        head = "".join(f"{key}: {value}\r\n" for key, value in headers.items())
        return [f"HTTP/1.1 {self.status} X\r\n{head}\r\n".encode("latin-1") + self.body]


Answer = Callable[[Request], Reply | None]


class ScriptedServer:
    """Answers each request by `answer`; `requests` holds them all. With a context it speaks TLS."""

    def __init__(self, answer: Answer, *, context: ssl.SSLContext | None = None) -> None:
        self.answer = answer
        self.requests: list[Request] = []
        script = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                while (request := _read(self.rfile)) is not None:
                    script.requests.append(request)
                    reply = script.answer(request)
                    if reply is None:
                        return
                    try:
                        for piece in reply.pieces():
                            self.wfile.write(piece)
                            self.wfile.flush()
                    except OSError:
                        return
                    if reply.raw is not None:
                        return

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True
            address_family = socket.AF_INET

            def get_request(self) -> tuple[socket.socket, object]:
                connection, address = super().get_request()
                if context is not None:
                    connection.settimeout(5)
                    connection = context.wrap_socket(connection, server_side=True)
                return connection, address

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self._server.server_address[1]
        return port

    @property
    def url(self) -> str:
        """The collection's URL."""
        return f"http://127.0.0.1:{self.port}/cal/"

    def methods(self) -> list[str]:
        """The methods of all requests so far."""
        return [request.method for request in self.requests]

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _read(stream: socket.SocketIO | object) -> Request | None:
    readline, read = stream.readline, stream.read  # type: ignore[union-attr]
    try:
        first = readline().decode("latin-1").split()
        if len(first) != 3:
            return None
        headers: dict[str, str] = {}
        while (line := readline().decode("latin-1").strip()) != "":
            key, _, value = line.partition(":")
            headers[key.lower()] = value.strip()
        return Request(first[0], first[1], headers, read(int(headers.get("content-length", "0"))))
    except OSError:
        return None
