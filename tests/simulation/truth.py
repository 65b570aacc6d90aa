"""What the gate would have to know: every successful reading of an event, with what the calendar truly showed then."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from calsync.connector.errors import Throttled
from calsync.connector.protocol import Gone, Known, Page, Reading, Seen, Write, WriteResult
from calsync.domain.event import Event
from calsync.domain.span import Window
from calsync.testing.fake_ports import FakeClock
from calsync.testing.memory_calendar import MemoryCalendar
from calsync.testing.weather import FaultKind
from tests.simulation.sights import counted

if TYPE_CHECKING:
    from tests.simulation.observer import Observer


@dataclass(frozen=True)
class Read:
    """One event, read: when the request began, and what was shown, by what the observer knows of the event then."""

    began: datetime
    spans: tuple[Any, ...]


class Readings:
    """All readings of a history."""

    def __init__(self, clock: FakeClock, truth: FakeClock, observer: Observer) -> None:
        self.clock = clock
        self.truth = truth  # when something was read in truth, whatever our host took it for
        self.observer = observer
        self.of: dict[tuple[int, str, str], list[Read]] = {}  # by service, calendar, remote id
        self.alone_until: dict[str, datetime] = {}
        self.feeds: dict[str, list[datetime]] = {}  # by calendar: feed reads that succeeded
        self.fresh: list[tuple[tuple[int, str, str], Read]] = []  # by the process that is running

    def watching(self, calendar: MemoryCalendar, service: int) -> WatchedCalendar:
        """The calendar, with its readings noted here."""
        return WatchedCalendar(calendar, service, self)

    def note(self, key: tuple[int, str, str], began: datetime, shown: Event | None = None) -> None:
        """An event was read, or was told to be gone. `shown`: what a service told that is behind itself."""
        held = self.observer.events.get(key)
        if held is not None:
            now = held.now if shown is None else counted(shown)
            read = Read(began, tuple(sorted(now.elements())))
            self.of.setdefault(key, []).append(read)
            self.fresh.append((key, read))

    def lose(self, calendars: set[str], since: int = 0) -> None:
        """What the running process read in some calendars, from its reading `since` on, went with it."""
        for key, read in self.fresh[since:]:
            if key[1] in calendars:
                self.of[key] = [one for one in self.of[key] if one is not read]


class WatchedCalendar:
    """A calendar in memory whose successful readings are noted."""

    def __init__(self, inner: MemoryCalendar, service: int, readings: Readings) -> None:
        self._inner = inner
        self._service = service
        self._readings = readings

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def changes(self, cursor: str | None, window: Window, known: Known) -> Iterator[Page]:
        """See the protocol."""
        began = self._readings.truth.now()
        with self._heeding():
            for page in self._inner.changes(cursor, window, known):
                for item in page.items:
                    self._readings.note((self._service, self._inner.name, item.remote_id), began)
                yield page
        self._readings.feeds.setdefault(self._inner.name, []).append(began)

    def read(self, remote_ids: Sequence[str]) -> Iterable[Reading]:
        """See the protocol."""
        began = self._readings.truth.now()
        with self._heeding():
            struck = len(self._inner.service.weather.struck)
            found = list(self._inner.read(remote_ids))
            fresh = self._inner.service.weather.struck[struck:]
            stale = any(kind is FaultKind.STALE_READ for _, _, kind in fresh)
            self._readings.observer.read_stale |= stale
        for one in found:
            if isinstance(one, Seen | Gone):  # that it is gone is an answer as well; `unknown` is none
                shown = one.event if stale and isinstance(one, Seen) else None
                self._readings.note((self._service, self._inner.name, one.remote_id), began, shown)
        return found

    def write(self, batch: Sequence[Write]) -> Iterable[WriteResult]:
        """See the protocol."""
        with self._heeding():
            yield from self._inner.write(batch)

    @contextmanager
    def _heeding(self) -> Iterator[None]:
        """Remember until when the service asked to be left alone."""
        try:
            yield
        except Throttled as asked:
            wait = min(asked.retry_after or 0.0, 86_000.0)
            self._readings.alone_until[self._inner.name] = self._readings.clock.now() + timedelta(seconds=wait)
            raise
