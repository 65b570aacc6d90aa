"""Connections that are kept: a server that falls silent, closes or answers early on one ends no wait too late."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from calsync.connector.errors import Unavailable
from calsync_caldav.client import Client, Limits, Login
from calsync_caldav.guard import Guard, origin_of
from tests.servers.certificates import make_authority
from tests.unit.connectors.caldav.scripted_server import Reply, Request, ScriptedServer

SHORT = 0.4


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    made = ScriptedServer(lambda _request: Reply(200, b"fine"))
    yield made
    made.close()


def a_client(url: str, timeout: float, context: ssl.SSLContext | None = None) -> Client:
    origin = origin_of(url)
    guard = Guard(frozenset({(origin.host, origin.port)}))
    return Client(Login("user1", "pw"), guard, Limits(timeout, context or ssl.create_default_context()))


def took(call: Callable[[], object], match: str) -> float:
    """How long a call waited before it was Unavailable."""
    began = time.monotonic()
    with pytest.raises(Unavailable, match=match):
        call()
    return time.monotonic() - began


def on_the_second(then: Callable[[], Reply | None], server: ScriptedServer) -> None:
    """Answer each request but the second; that one as `then` says."""

    def answer(_request: Request) -> Reply | None:
        return then() if len(server.requests) == 2 else Reply(200, b"fine")

    server.answer = answer


@pytest.mark.parametrize("method", ["REPORT", "PUT"])
def test_silence_on_a_kept_connection_ends_at_the_deadline(server: ScriptedServer, method: str) -> None:
    over = threading.Event()

    def nothing() -> None:
        assert over.wait(20)

    on_the_second(nothing, server)
    client = a_client(server.url, SHORT)
    client.send("GET", server.url)
    assert took(lambda: client.send(method, server.url, body=b"x"), "deadline") < SHORT * 3
    assert server.methods() == ["GET", method]
    # What the old connection may still bring is never read: the next request goes over another one.
    assert client.send("GET", server.url).body == b"fine"
    over.set()
    client.close()


@pytest.mark.parametrize("method", ["GET", "PROPFIND", "REPORT"])
def test_a_read_whose_kept_connection_ends_is_asked_over_another_one(server: ScriptedServer, method: str) -> None:
    on_the_second(lambda: None, server)
    client = a_client(server.url, 5)
    client.send("GET", server.url)
    assert client.send(method, server.url).body == b"fine"
    assert server.methods() == ["GET", method, method]
    client.close()


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_write_whose_kept_connection_ends_is_of_unknown_effect(server: ScriptedServer, method: str) -> None:
    on_the_second(lambda: None, server)
    client = a_client(server.url, 5)
    client.send("GET", server.url)
    took(lambda: client.send(method, server.url, body=b"x"), "not answered")
    assert server.methods() == ["GET", method]
    assert client.send("GET", server.url).body == b"fine"
    client.close()


def test_an_answer_behind_an_interim_one_is_not_taken_for_the_next(server: ScriptedServer) -> None:
    late = threading.Event()

    def pieces() -> Iterator[bytes]:
        yield b"HTTP/1.1 102 Processing\r\n\r\n"
        assert late.wait(10)
        yield b"HTTP/1.1 201 Created\r\nContent-Length: 4\r\n\r\nlate"

    on_the_second(lambda: Reply(raw=pieces()), server)
    client = a_client(server.url, 5)
    client.send("GET", server.url)
    took(lambda: client.send("PUT", server.url, body=b"x"), "interim")
    late.set()
    assert client.send("GET", server.url).body == b"fine"
    client.close()


@contextlib.contextmanager
def slow_reader(context: ssl.SSLContext) -> Iterator[str]:
    """A TLS server that takes a request in small sips and answers nothing; yields its address."""
    over = threading.Event()
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 128 << 10)
    listening.bind(("127.0.0.1", 0))
    listening.listen()

    def serve() -> None:
        with contextlib.suppress(OSError), context.wrap_socket(listening.accept()[0], server_side=True) as taken:
            while not over.wait(0.01) and taken.recv(16 << 10):
                """Go on sipping."""

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{listening.getsockname()[1]}/cal/"
    over.set()
    thread.join(10)
    listening.close()


def test_a_server_that_takes_a_request_in_sips_is_left_at_the_deadline(tmp_path: Path) -> None:
    authority = make_authority(tmp_path)
    context = ssl.create_default_context(cafile=str(authority.file))
    with slow_reader(authority.server_context("127.0.0.1")) as url:
        client = a_client(url, SHORT, context)
        assert took(lambda: client.send("PUT", url, body=b"x" * (12 << 20)), "deadline") < SHORT * 3
        client.close()
