"""The wire: httplib2 with what it does behind one's back switched off, and with bounds.

httplib2 sends a request again by itself when a kept connection ends without an answer, a POST included (contract sheet
3.3). Here a request goes out once. A connection that the other side has closed meanwhile is noticed before anything is
sent on it, so that polling every few minutes needs no second try.
"""

from __future__ import annotations

import http.client
import select
import zlib
from collections import deque
from typing import Any

import httplib2

from calsync_google.timing import elapsed

MAX_BYTES = 16 * 1024 * 1024
_CHUNK = 256 * 1024


class TooLarge(Exception):
    """An answer is larger than any that Google sends, as it came or unpacked."""


class Transport(httplib2.Http):  # type: ignore[misc]
    """One set of connections, used by one thread at a time. A request goes out once; no redirect is followed."""

    def __init__(self, timeout: float) -> None:
        super().__init__(timeout=timeout, tls_minimum_version="TLSv1_2")
        self.follow_redirects = False

    def _conn_request(self, conn: Any, request_uri: str, method: str, body: Any, headers: Any) -> Any:
        deadline = elapsed() + 2 * self.timeout
        if conn.sock is not None and _is_over(conn.sock):
            conn.close()
        try:
            if conn.sock is None:
                conn.connect()
            conn.request(method, request_uri, body, headers)
            answer = conn.getresponse()
            content = _read(answer, deadline)
        except BaseException:
            conn.close()
            raise
        return _unpacked(httplib2.Response(answer), content)


class Pool:
    """Idle transports, shared by all accounts: as many connections as there are requests at one time.

    A deque hands out and takes back without a lock. When the last wire is closed, so are all connections.
    """

    def __init__(self) -> None:
        self.idle: deque[Transport] = deque()
        self.wires = 0

    def take(self, timeout: float) -> Transport:
        """Return a transport that nobody uses."""
        try:
            transport = self.idle.pop()
        except IndexError:
            return Transport(timeout)
        transport.timeout = timeout
        return transport

    def leave(self) -> None:
        """One wire is closed."""
        self.wires -= 1
        while self.wires <= 0 and self.idle:
            self.idle.pop().close()


class Wire:
    """What one account sends through: the http object that Google's libraries are handed.

    `sent` counts its requests, those for tokens aside; `date` is what Google's clock said with the last answer.
    """

    def __init__(self, pool: Pool, timeout: float, token_uri: str) -> None:
        self.sent = 0
        self.date: str | None = None
        self._pool = pool
        self._timeout = timeout
        self._token_uri = token_uri
        self._open = True
        pool.wires += 1

    def request(self, uri: str, *args: Any, **kwargs: Any) -> Any:
        """Send one request, once; see `httplib2.Http.request`."""
        if uri != self._token_uri:
            self.sent += 1
        transport = self._pool.take(self._timeout)
        try:
            response, content = transport.request(uri, *args, **kwargs)
            self.date = response.get("date")
            return response, content
        finally:
            self._pool.idle.append(transport)

    def close(self) -> None:
        """Use it no more; safe to call twice."""
        if self._open:
            self._open = False
            self._pool.leave()


def _is_over(sock: Any) -> bool:
    """Whether an idle connection has something to read: the other side's goodbye, or words that nobody asked for."""
    # Not select(): it knows only the first 1024 descriptors of a process.
    poll = select.poll()
    try:
        poll.register(sock, select.POLLIN)
        return bool(poll.poll(0))
    except (OSError, ValueError):
        return True


def _read(answer: http.client.HTTPResponse, deadline: float) -> bytes:
    parts: list[bytes] = []
    size = 0
    while part := answer.read(_CHUNK):
        parts.append(part)
        size += len(part)
        if size > MAX_BYTES:
            raise TooLarge
        if elapsed() > deadline:
            raise TimeoutError("deadline passed")
    return b"".join(parts)


def _unpacked(response: Any, content: bytes) -> tuple[Any, bytes]:
    packing = response.pop("content-encoding", None)
    if packing in ("gzip", "deflate") and content:
        unpacker = zlib.decompressobj(zlib.MAX_WBITS | 32)
        try:
            content = unpacker.decompress(content, MAX_BYTES)
        except zlib.error:
            raise http.client.IncompleteRead(b"") from None
        if unpacker.unconsumed_tail:
            raise TooLarge
    response["content-length"] = str(len(content))
    return response, content
