"""Connections: an answer that is being read outlives what becomes of its connection."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from calsync_caldav.guard import Guard, origin_of
from calsync_caldav.sockets import GuardedConnection
from calsync_caldav.timing import Deadline
from tests.unit.connectors.caldav.scripted_server import Reply, Request, ScriptedServer


def test_a_body_that_comes_after_the_head_is_read_although_the_server_closes() -> None:
    head_was_read = threading.Event()

    def pieces() -> Iterator[bytes]:
        yield b"HTTP/1.1 207 X\r\nContent-Length: 5\r\nConnection: close\r\n\r\n"
        assert head_was_read.wait(10)
        yield b"hello"

    def answer(_request: Request) -> Reply:
        return Reply(raw=pieces())

    server = ScriptedServer(answer)
    try:
        origin, deadline = origin_of(server.url), Deadline()
        deadline.start(10)
        connection = GuardedConnection(origin, Guard(frozenset({(origin.host, origin.port)})), deadline, context=None)
        connection.request("PROPFIND", "/cal/", body=b"<x/>")
        response = connection.getresponse()
        head_was_read.set()
        assert response.read() == b"hello"
        assert connection.sock is None
    finally:
        server.close()
