"""Connections that go only where the guard allows and wait only as long as the request may still take.

On the standard library's `http.client`: its limits on header lines hold whatever other HTTP library is installed.
"""

from __future__ import annotations

import io
import select
import socket
import ssl
from http.client import HTTPConnection
from typing import Any

from calsync_caldav.guard import Guard, Origin
from calsync_caldav.timing import Deadline

_GATHERED = 64 << 10


class GuardedConnection(HTTPConnection):
    """One connection to one origin, plain or TLS (`context`)."""

    def __init__(self, origin: Origin, guard: Guard, deadline: Deadline, *, context: ssl.SSLContext | None) -> None:
        super().__init__(origin.host, origin.port)
        self.default_port = 80 if context is None else 443  # so that the Host header leaves the scheme's own port out
        self._guard = guard
        self._deadline = deadline
        self._context = context

    def connect(self) -> None:
        """Connect to a checked address; `AddressRefused`, or an OSError of the last address tried."""
        sock = self._connected()
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._context is not None:
                sock.settimeout(self._deadline.left())
                sock = self._context.wrap_socket(sock, server_hostname=self.host)
        except BaseException:
            sock.close()
            raise
        self.sock: Any = _DeadlineSocket(sock, self._deadline)

    def is_usable(self) -> bool:
        """Tell whether the connection is open and nothing, not even its end, waits to be read from it."""
        if self.sock is None:
            return False
        readable, _, _ = select.select([self.sock], [], [], 0)
        return not readable

    def _connected(self) -> socket.socket:
        problem = OSError("no address")
        for address in self._guard.addresses(self.host, self.port, plain=self._context is None):
            try:
                return socket.create_connection((address, self.port), timeout=self._deadline.left())
            except OSError as failure:
                problem = failure
        raise problem


class _DeadlineSocket:
    """A connected socket whose every wait is cut to what is left of the request's time.

    What is sent is gathered until an answer is asked for, so that a request with its body is one packet. An answer that
    is being read outlives `close`: where the server says that it closes, `http.client` lets go before the body came.
    """

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self._deadline = deadline
        self._patience = -1.0
        self._unsent = bytearray()
        self._readers = 0
        self._closed = False

    def fileno(self) -> int:
        return self._sock.fileno()

    def sendall(self, data: Any) -> None:
        self._unsent += data
        if len(self._unsent) > _GATHERED:
            self._flush()

    def makefile(self, _mode: str = "rb", _buffering: int = -1) -> io.BufferedReader:
        self._flush()
        self._readers += 1
        return io.BufferedReader(_DeadlineReader(self))

    def let_go(self) -> None:
        """A reader has come to its end."""
        self._readers -= 1
        if self._closed and self._readers <= 0:
            self._sock.close()

    def recv_into(self, buffer: Any) -> int:
        self._hurry()
        return self._sock.recv_into(buffer)

    def close(self) -> None:
        self._closed = True
        if self._readers <= 0:
            self._sock.close()

    def _flush(self) -> None:
        if self._unsent:
            self._hurry()
            self._sock.sendall(self._unsent)
            self._unsent.clear()

    def _hurry(self) -> None:
        # Each setting is a system call: the last one is good enough while it is within a tenth of what is left.
        left = self._deadline.left()
        if not left * 0.9 <= self._patience <= left * 1.1:
            self._sock.settimeout(left)
            self._patience = left


class _DeadlineReader(io.RawIOBase):
    """Reads for one answer; the connection outlives it."""

    def __init__(self, sock: _DeadlineSocket) -> None:
        self._sock = sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._sock.recv_into(buffer)

    def close(self) -> None:
        if not self.closed:
            self._sock.let_go()
        super().close()
