"""The common ground of all wrappers: a calendar around another calendar, with two places to step in.

A wrapper overrides `_once` (calls that answer at once) or `_stream` (calls that answer bit by bit), never a method of
the protocol without need, so that what one wrapper does is read in one place.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeVar

from calsync.connector.protocol import Calendar, Finding, Known, Page, Reading, Watch, Write, WriteResult
from calsync.connector.traits import Traits
from calsync.domain.span import Span, Window

T = TypeVar("T")


@dataclass(slots=True)
class Counts:
    """What a calendar has cost so far: requests, events that came with an answer, writes that took effect."""

    requests: int = 0
    reads: int = 0
    writes: int = 0


class Around:
    """A calendar that hands everything on to `inner`. Answers of `read`, `busy` and `check` arrive whole."""

    def __init__(self, inner: Calendar) -> None:
        self.inner: Final = inner

    @property
    def traits(self) -> Traits:
        """The inner calendar's."""
        return self.inner.traits

    @property
    def counts(self) -> Counts:
        """The counts of the nearest `Counted` inside; zeros where there is none."""
        return self.inner.counts if isinstance(self.inner, Around) else Counts()

    @property
    def told_at(self) -> datetime | None:
        """What the service's own clock said with its last answer (a connector's `told_at`); None where none tells."""
        told = getattr(self.inner, "told_at", None)
        return told if isinstance(told, datetime) else None

    def changes(self, cursor: str | None, window: Window, known: Known) -> Iterator[Page]:
        """See the protocol."""
        return self._stream("changes", lambda: self.inner.changes(cursor, window, known))

    def read(self, remote_ids: Sequence[str]) -> Iterable[Reading]:
        """See the protocol; the readings come whole."""
        return self._once("read", lambda: list(self.inner.read(remote_ids)))

    def write(self, batch: Sequence[Write]) -> Iterable[WriteResult]:
        """See the protocol."""
        return self._stream("write", lambda: self.inner.write(batch))

    def locate(self, uid: str) -> str | None:
        """See the protocol."""
        return self._once("locate", lambda: self.inner.locate(uid))

    def busy(self, window: Window, without: Collection[str] = ()) -> Iterable[Span]:
        """See the protocol; the spans come whole."""
        return self._once("busy", lambda: list(self.inner.busy(window, without)))

    def watch(self, callback_url: str, secret: str, lifetime: timedelta) -> Watch | None:
        """See the protocol."""
        return self._once("watch", lambda: self.inner.watch(callback_url, secret, lifetime))

    def unwatch(self, watch: Watch) -> None:
        """See the protocol."""
        return self._once("unwatch", lambda: self.inner.unwatch(watch))

    def check(self) -> Iterable[Finding]:
        """See the protocol; the findings come whole."""
        return self._once("check", lambda: list(self.inner.check()))

    def close(self) -> None:
        """Close the inner calendar."""
        self.inner.close()

    def _once(self, port: str, call: Callable[[], T]) -> T:  # noqa: ARG002 - the port is for those who override
        return call()

    def _stream(self, port: str, call: Callable[[], Iterable[T]]) -> Iterator[T]:  # noqa: ARG002 - the same
        yield from call()
