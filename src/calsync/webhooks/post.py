"""One POST to one receiver. The only module that opens a connection for webhooks."""

from __future__ import annotations

import http.client
import io
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, cast
from urllib.parse import urlsplit

# Each further piece of an answer's head may take this part of the time that the one before had: four timeouts in all.
_PATIENCE: Final = 0.75


class _Dwindling(io.RawIOBase):
    """Reads from a socket with ever less patience, so that who sends byte by byte does not keep us for ever."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        self._raw, self._sock = raw, sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        timeout = self._sock.gettimeout()
        read = cast("int | None", self._raw.readinto(buffer))
        self._sock.settimeout(None if timeout is None else timeout * _PATIENCE)
        return read

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Answer(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **named: Any) -> None:
        super().__init__(sock, *args, **named)
        self.fp = io.BufferedReader(_Dwindling(self.fp.detach(), sock))


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of a POST: the status, or what kept it from having one. `retry_after` in seconds, if it said so."""

    status: int | None
    fault: str | None = None
    retry_after: int | None = None

    @property
    def is_taken(self) -> bool:
        """Whether the receiver has it. A redirect is no answer: the body would go where nobody configured it."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def words(self) -> str:
        """For lists and logs, without anything that the receiver wrote."""
        return self.fault or f"answered {self.status}"


class Poster(Protocol):
    """Posts a body."""

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Post it; never raises for what the other side does."""


@dataclass(frozen=True, slots=True)
class HttpPoster:
    """Posts over HTTP or HTTPS. Follows no redirect and reads no body."""

    timeout: float
    ca_file: Path | None = None

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """See `Poster`."""
        try:
            connection = self._connect(url)
        except (OSError, ValueError) as fault:
            return Reply(None, _name(fault))
        try:
            parts = urlsplit(url)
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.response_class = _Answer
            connection.request("POST", path, body, {**headers, "connection": "close"})
            reply = connection.getresponse()
            return Reply(reply.status, retry_after=_seconds(reply.headers.get("retry-after")))
        except (OSError, http.client.HTTPException) as fault:
            return Reply(None, _name(fault))
        finally:
            connection.close()

    def _connect(self, url: str) -> http.client.HTTPConnection:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.scheme == "http":
            return http.client.HTTPConnection(host, parts.port, timeout=self.timeout)
        context = ssl.create_default_context(cafile=self.ca_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return http.client.HTTPSConnection(host, parts.port, timeout=self.timeout, context=context)


def _name(fault: Exception) -> str:
    """A fault without its text, which may quote what the other side sent."""
    if isinstance(fault, TimeoutError):
        return "no answer in time"
    return "cannot be reached" if isinstance(fault, ConnectionError) else f"failed ({type(fault).__name__})"


def _seconds(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 6 else None
