"""Many connections that ask for nothing, or never come to an end, and one client among them (row 104)."""

from __future__ import annotations

import resource
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

HALF = (
    b"",
    b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ",
    b"POST /api/v1/evidence HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
)


@dataclass(frozen=True, slots=True)
class Served:
    """How a client fared: the slowest of its requests, in seconds."""

    requests: int
    slowest: float


@contextmanager
def crowd(port: int, number: int) -> Iterator[list[socket.socket]]:
    """Hold that many connections open, in turn silent, slow in the head and slow in the body."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, number + 500)), hard))
    held: list[socket.socket] = []
    try:
        for at in range(number):
            one = socket.create_connection(("127.0.0.1", port), timeout=10)
            held.append(one)
            one.sendall(HALF[at % len(HALF)])
        yield held
    finally:
        for one in held:
            one.close()


def serve_one(port: int, requests: int = 20) -> Served:
    """Ask on a connection of its own each time; an answer other than 200 is an error."""
    slowest = 0.0
    for _ in range(requests):
        began = time.monotonic()
        with socket.create_connection(("127.0.0.1", port), timeout=10) as one:
            one.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert one.recv(65536).startswith(b"HTTP/1.1 200")
        slowest = max(slowest, time.monotonic() - began)
    return Served(requests, slowest)
