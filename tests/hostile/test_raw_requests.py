"""The real server and octets: whatever comes in, the answer is a refusal in few words, and others are served."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import suppress
from functools import partial

import pytest
from sqlalchemy import event

from calsync.web import server as web_server
from calsync.web.server import WebServer
from tests.hostile.cost import small_cost
from tests.hostile.crowd import crowd, serve_one
from tests.unit.web.conftest import House, house

__all__ = ["house"]

END = b"\r\n\r\n"


@pytest.fixture
def served(house: House, capfd: pytest.CaptureFixture[str]) -> Iterator[WebServer]:
    """The house behind a real socket; its log must stay without a traceback."""
    server = WebServer(house.app, ("127.0.0.1", 0))
    server.start()
    yield server
    assert server.stop()
    said = "".join(capfd.readouterr())
    assert "Traceback" not in said
    assert "Exception" not in said


def ask(server: WebServer, octets: bytes) -> bytes:
    """Send octets and read until the server has said all and hung up."""
    told = b""
    with socket.create_connection(server.address, timeout=5) as one, suppress(ConnectionError):
        one.sendall(octets)  # it may hang up in the middle, having heard enough
        while piece := one.recv(65536):
            told += piece
    return told


def status(told: bytes) -> int:
    found = re.match(rb"HTTP/1\.1 (\d{3}) ", told)
    return int(found[1]) if found else 0


def request(line: bytes, *headers: bytes, body: bytes = b"") -> bytes:
    length = b"Content-Length: %d" % len(body)
    return b"\r\n".join([line, b"Host: x", b"Connection: close", *headers, *([length] if body else [])]) + END + body


JSON = b"Content-Type: application/json"
POST = b"POST /api/v1/evidence HTTP/1.1"
HOOK = b"POST /hooks/graph HTTP/1.1"
# What comes in, and the status; 0: the connection is closed without one.
ODD: dict[str, tuple[bytes, set[int]]] = {
    "88-length-that-says-too-much": (request(POST, JSON, b"Content-Length: 2000000") + b"{", {413, 401}),
    "88-hook-that-says-too-much": (request(HOOK, JSON, b"Content-Length: 2000000") + b"{", {413}),
    "88-hook-that-is-too-much": (request(HOOK, JSON, body=b" " * 1_100_000), {413}),
    "88-hook-in-chunks": (
        request(HOOK, JSON, b"Transfer-Encoding: chunked") + b"100000\r\n" + b" " * 0x100000
        + b"\r\n100\r\n" + b" " * 256 + b"\r\n0\r\n\r\n",
        {413},
    ),
    "89-no-type": (request(b"POST /a/x HTTP/1.1", body=b"{}"), {415}),
    "91-token-of-odd-octets": (request(b"GET /api/v1/claims/1 HTTP/1.1", b"Authorization: Bearer \xff\xe4\x80"), {401}),
    "91-token-of-many-octets": (
        request(b"GET /api/v1/claims/1 HTTP/1.1", b"Authorization: Bearer " + b"x" * 30_000),
        {401},
    ),
    "103-climbing": (request(b"GET /../../../../etc/passwd HTTP/1.1"), {400, 404}),
    "103-climbing-in-static": (request(b"GET /static/../../../../etc/passwd HTTP/1.1"), {400, 404}),
    "103-climbing-escaped": (request(b"GET /static/..%2f..%2f..%2fetc%2fpasswd HTTP/1.1"), {400, 404}),
    "103-climbing-escaped-dots": (request(b"GET /static/%2e%2e/%2e%2e/etc/passwd HTTP/1.1"), {400, 404}),
    "103-nul": (request(b"GET /a/%00 HTTP/1.1"), {400, 404}),
    "103-raw-nul": (request(b"GET /a/\0 HTTP/1.1"), {400}),
    "103-ten-kilobytes": (request(b"GET /a/" + b"x" * 10_000 + b" HTTP/1.1"), {400, 404}),
    "103-hundred-kilobytes": (request(b"GET /a/" + b"x" * 100_000 + b" HTTP/1.1"), {400}),
    "103-query-of-ten-kilobytes": (request(b"GET /healthz?" + b"x" * 10_000 + b" HTTP/1.1"), {400, 404}),
    "103-broken-escape": (request(b"GET /a/%zz%c0%ae HTTP/1.1"), {400, 404}),
    "header-of-a-megabyte": (request(b"GET /healthz HTTP/1.1", b"X: " + b"x" * (1 << 20)), {400, 0}),
    "header-of-hundred-kilobytes": (request(b"GET /healthz HTTP/1.1", b"X: " + b"x" * 100_000), {400}),
    "headers-of-hundred-kilobytes": (request(b"GET /healthz HTTP/1.1", *[b"X: " + b"x" * 1000] * 100), {400}),
    "change-to-another-protocol": (
        request(HOOK, JSON, b"Connection: Upgrade", b"Upgrade: websocket", body=b'{"value": []}'),
        {202},
    ),
    "headers-by-the-thousand": (
        request(b"GET /healthz HTTP/1.1", *[b"X-%d: y" % at for at in range(20_000)]),
        {400, 0},
    ),
    "length-twice": (request(HOOK, JSON, b"Content-Length: 2", b"Content-Length: 3") + b"{}", {400}),
    "length-and-chunks": (
        request(HOOK, JSON, b"Content-Length: 2", b"Transfer-Encoding: chunked") + b"0" + END,
        {400, 202},
    ),
    "length-below-nothing": (request(HOOK, JSON, b"Content-Length: -1"), {400}),
    "length-in-other-digits": (request(HOOK, JSON, b"Content-Length: \xd9\xa3"), {400}),
    "unknown-method": (request(b"EVIL /healthz HTTP/1.1"), {400}),
    "header-without-a-colon": (b"GET /healthz HTTP/1.1\r\nHost: x\r\nnothing" + END, {400}),
    "nul-in-a-header": (request(b"GET /healthz HTTP/1.1", b"X: a\0b"), {400}),
    "old-http": (b"GET /healthz\r\n\r\n", {400, 0}),
    "tls": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 64 + END, {400, 0}),
    "binary": (bytes(range(256)) * 300, {400, 0}),
}  # fmt: skip


def test_odd_octets_are_refused_in_few_words(served: WebServer) -> None:
    for name, (octets, expected) in ODD.items():
        with small_cost():
            told = ask(served, octets)
        assert status(told) in expected, (name, told[:300])
        assert b"root:" not in told, name
        assert len(told) < 4000, name
        assert status(ask(served, request(b"GET /healthz HTTP/1.1"))) == 200, name


def test_no_page_says_what_the_host_header_says(served: WebServer) -> None:
    for path in (b"/a/x", b"http://evil.example/a/x", b"//evil.example/a/x"):
        for host in (b"evil.example", b"evil.example:80@x", b'x"><script>'):
            told = ask(served, request(b"GET " + path + b" HTTP/1.1").replace(b"Host: x", b"Host: " + host))
            assert status(told) in (400, 404, 410)
            assert b"evil" not in told
            assert b"<script" not in told


def test_links_and_forms_know_the_public_address_only(served: WebServer, house: House) -> None:
    path = house.link(house.edit("4821")).encode()
    told = ask(
        served, request(b"GET " + path + b"?next=//evil.example HTTP/1.1").replace(b"Host: x", b"Host: evil.example")
    )
    assert status(told) == 200
    assert b"evil" not in told
    assert b"location:" not in told.lower()


def test_a_browser_that_fetches_ahead_changes_nothing(served: WebServer, house: House) -> None:
    path = house.link(house.edit("4821")).encode()
    before = house.dump()
    for kind in (b"Purpose: prefetch", b"Sec-Purpose: prefetch;prerender", b"X-Moz: prefetch"):
        for _ in range(12):
            assert status(ask(served, request(b"GET " + path + b" HTTP/1.1", kind))) == 200
    assert house.dump() == before


def test_wrong_tokens_cost_the_same_steps(house: House) -> None:
    # What could tell them apart by time: other statements, or other rows to read. Only a hash is looked up.
    right = house.token("admin")["Authorization"]
    with house.database.transaction() as conn:
        conn.exec_driver_sql("UPDATE tokens SET revoked_at = created_at")
    house.client.get("/api/v1/claims/1", headers={"Authorization": "Bearer y"})  # the first one opens their account
    steps: dict[str, list[str]] = {}
    for token in (right, right[:-1] + "!", "Bearer x", "Bearer " + "x" * 200):
        told = steps[token] = []
        listener = partial(_note, told)
        event.listen(house.database.engine, "before_cursor_execute", listener)
        answer = house.client.get("/api/v1/claims/1", headers={"Authorization": token})
        event.remove(house.database.engine, "before_cursor_execute", listener)
        assert answer.status_code == 401
    assert len({tuple(told) for told in steps.values()}) == 1, steps


def _note(told: list[str], _conn: object, _cursor: object, statement: str, *_: object) -> None:
    told.append(statement)


def test_who_never_comes_to_an_end_is_hung_up_on(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_server, "REQUEST_WITHIN_S", 0.3)
    server = WebServer(house.app, ("127.0.0.1", 0))
    server.start()
    try:
        with crowd(server.address[1], 30) as held:
            for one in held:
                while one.recv(65536):
                    pass  # an answer (400, 408) may come before the end
            assert serve_one(server.address[1], 3).requests == 3
    finally:
        assert server.stop()


def test_a_second_request_has_no_more_time_than_the_first(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_server, "REQUEST_WITHIN_S", 0.3)
    server = WebServer(house.app, ("127.0.0.1", 0))
    server.start()
    try:
        with socket.create_connection(server.address, timeout=5) as one:
            one.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert one.recv(65536).startswith(b"HTTP/1.1 200")
            one.sendall(b"GET /healthz HTTP/1.1\r\nHost:")
            told = b""
            with suppress(ConnectionError):
                while piece := one.recv(65536):
                    told += piece
        assert b"HTTP/1.1 200" not in told
    finally:
        assert server.stop()


def test_a_head_that_comes_in_small_pieces_must_end_as_well(served: WebServer) -> None:
    with socket.create_connection(served.address, timeout=10) as one, suppress(ConnectionError):
        one.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: ")
        sent = 0
        while sent < 8 * web_server.MAX_HEAD:
            one.sendall(b"x" * 1000)
            sent += 1000
        assert one.recv(65536).startswith(b"HTTP/1.1 400")
        assert not one.recv(65536)
    assert status(ask(served, request(b"GET /healthz HTTP/1.1"))) == 200


def test_others_are_served_beside_many_that_are_slow(house: House) -> None:
    server = WebServer(house.app, ("127.0.0.1", 0))
    server.start()
    try:
        with crowd(server.address[1], 600):
            assert serve_one(server.address[1]).slowest < 5
    finally:
        assert server.stop()
