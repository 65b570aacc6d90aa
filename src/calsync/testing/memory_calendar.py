"""A calendar in memory: the `Calendar` protocol over an account that outlives its clients.

    service = MemoryService(GOOGLE, clock=FakeClock())
    service.add_calendar("work")
    calendar = MemoryCalendar(service, "work")

It behaves as its personality says, is struck by the weather of its service, and is edited by `calsync.testing.people`.
No randomness, no clock but the one given. `write` and `changes` work as they are iterated, request by request.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from calsync.connector.errors import CalendarError
from calsync.connector.protocol import (
    Finding,
    Gone,
    Item,
    Known,
    Outcome,
    Page,
    Reading,
    Unchanged,
    Unknown,
    Watch,
    Write,
    WriteResult,
)
from calsync.connector.traits import Traits
from calsync.domain.event import Appearance, Event
from calsync.domain.recurrence import expand
from calsync.domain.span import Span, Window
from calsync.domain.write import WriteKind
from calsync.testing.memory_feed import Row, current, look, reading_of
from calsync.testing.memory_service import MemoryService, Subscription
from calsync.testing.memory_state import Actor, CalendarState, Change, StoredEvent
from calsync.testing.memory_writes import carry_out, refused
from calsync.testing.personality import FeedStyle
from calsync.testing.weather import FaultKind, Strike

__all__ = ["Actor", "Change", "MemoryCalendar", "MemoryService", "StoredEvent"]


class MemoryCalendar:
    """A client of one calendar. `requests_made` counts its own requests; the service counts those of all clients."""

    def __init__(self, service: MemoryService, name: str) -> None:
        self.service = service
        self.name = name
        self.requests_made = 0
        self.closed = False

    @property
    def traits(self) -> Traits:
        """What the personality says."""
        return self.service.personality.traits

    @property
    def told_at(self) -> datetime:
        """What the service's clock says."""
        return self.service.clock.now()

    def changes(self, cursor: str | None, window: Window, known: Known) -> Iterator[Page]:
        """Yield pages as the service's feed does; see the protocol."""
        style = self.service.personality.feed
        with self._request("changes") as strike:
            seen = look(self._state(), cursor, window, strike)
        lost = strike.find(FaultKind.LAST_PAGE_MISSING) is not None
        pages = self._paged(seen.rows)
        for number, rows in enumerate(pages):
            last = number == len(pages) - 1
            if number > 0 and style is FeedStyle.ROWS:
                with self._request("changes") as strike:
                    lost = lost or strike.find(FaultKind.LAST_PAGE_MISSING) is not None
            items = tuple(self._items(rows, known))
            if last and lost:
                if number == 0:
                    yield Page(items, full=seen.full)
                return
            yield Page(items, cursor=seen.cursor if last else None, full=seen.full)

    def read(self, remote_ids: Sequence[str]) -> Iterable[Reading]:
        """Read events by id, in as few requests as the traits allow."""
        size = self.traits.read_batch
        for start in range(0, len(remote_ids), size):
            yield from self._read_batch(remote_ids[start : start + size])

    def write(self, batch: Sequence[Write]) -> Iterable[WriteResult]:
        """Carry out writes in batches of the traits' size, each in one request, as the results are asked for."""
        size = self.traits.write_batch
        for start in range(0, len(batch), size):
            with self._request("write") as strike:
                results = [self._write_one(write, strike) for write in batch[start : start + size]]
            yield from results

    def locate(self, uid: str) -> str | None:
        """Return the name of another calendar of the account that has the UID."""
        with self._request("locate"):
            for name, state in self.service.calendars.items():
                if name != self.name and any(stored.event.uid == uid for stored in state.events.values()):
                    return name
            return None

    def busy(self, window: Window, without: Collection[str] = ()) -> Iterable[Span]:
        """Return the spans of all other events that are neither free nor cancelled, in order of start."""
        with self._request("busy"):
            stored = [one for key, one in self._state().events.items() if key not in without]
            events = [one.event for one in stored if one.unreadable is None]
        shown = [appearance for event in events for appearance in expand(event, window).values()]
        return sorted((a.span for a in shown if a.busy and not a.cancelled), key=lambda span: span.start_at)

    def watch(self, callback_url: str, secret: str, lifetime: timedelta) -> Watch | None:
        """Start a watch where the traits have push; the service then notes each change in `pushes`."""
        if not self.traits.push:
            return None
        with self._request("watch"):
            number = self.service.tick()
            watch = Watch(f"watch-{number}", f"resource-{self.name}", self.service.clock.now() + lifetime)
            self.service.watches[watch.id] = Subscription(watch, self.name, callback_url, secret)
        return watch

    def unwatch(self, watch: Watch) -> None:
        """End a watch; an unknown one is fine."""
        with self._request("watch"):
            self.service.watches.pop(watch.id, None)

    def check(self) -> Iterable[Finding]:
        """Create, read, meet a conflict and delete; leaves nothing behind."""
        try:
            with self._request("check"):
                pass
            return [Finding("reaches the calendar", ok=True), *self._try_out()]
        except CalendarError as problem:
            return [Finding("reaches the calendar", ok=False, detail=type(problem).__name__)]

    def close(self) -> None:
        """Note that the client is done. The service stays."""
        self.closed = True

    def _state(self, *, writing: bool = False) -> CalendarState:
        return self.service.state(self.name, writing=writing)

    @contextmanager
    def _request(self, port: str) -> Iterator[Strike]:
        service = self.service
        self.requests_made += 1
        service.requests[port] += 1
        if service.on_request is not None:
            service.on_request(self.name, port)
        strike = service.weather.strike(self.name, port)
        _act(strike, FaultKind.MEANWHILE)
        _fail(strike, FaultKind.REQUEST_LOST, FaultKind.FAILS)
        self._state(writing=port == "write")
        yield strike
        _act(strike, FaultKind.AFTERWARDS)
        _fail(strike, FaultKind.ANSWER_LOST, FaultKind.FAILS_AFTER)

    def _paged(self, rows: tuple[Row, ...]) -> list[tuple[Row, ...]]:
        size = self.service.personality.page_size
        pages = [rows[start : start + size] for start in range(0, len(rows), size)] or [()]
        if rows and self.service.personality.empty_pages:
            return [page for full_page in pages for page in ((), full_page)]
        return pages

    def _items(self, rows: tuple[Row, ...], known: Known) -> Iterator[Item]:
        personality = self.service.personality
        ids = [row.remote_id for row in rows if row.stored is not None]
        versions = known.versions(ids) if ids else {}
        unknown: list[str] = []
        for row in rows:
            if row.stored is None:
                yield Gone(row.remote_id)
            elif personality.says_unchanged and versions.get(row.remote_id) == row.stored.version:
                yield Unchanged(row.remote_id, row.stored.version)
            elif personality.feed is FeedStyle.ROWS:
                yield reading_of(row.stored)
            else:
                unknown.append(row.remote_id)
        for start in range(0, len(unknown), self.traits.read_batch):
            with self._request("fetch"):
                found = [current(self._state(), i) for i in unknown[start : start + self.traits.read_batch]]
            yield from found

    def _read_batch(self, remote_ids: Sequence[str]) -> Iterable[Reading]:
        with self._request("read") as strike:
            state = self._state()
            stale = strike.find(FaultKind.STALE_READ)
            events = state.view(stale.count) if stale else state.events
            if strike.find(FaultKind.READ_UNKNOWN):
                return [Unknown(remote_id, "simulated") for remote_id in remote_ids]
            readings = [_reading(events, remote_id) for remote_id in dict.fromkeys(remote_ids)]
        return readings[::-1] if self.service.personality.reads_backwards else readings

    def _write_one(self, write: Write, strike: Strike) -> WriteResult:
        if strike.find(FaultKind.FALSE_CONFLICT):
            return refused(write, Outcome.CONFLICT, "version")
        if strike.find(FaultKind.REJECTED):
            return refused(write, Outcome.REJECTED, "simulated")
        if strike.find(FaultKind.UNKNOWN_UNDONE):
            return refused(write, Outcome.UNKNOWN, "simulated")
        if strike.find(FaultKind.DOUBLED):
            carry_out(self.service, self._state(), write)
        result = carry_out(self.service, self._state(), write)
        return refused(write, Outcome.UNKNOWN, "simulated") if strike.find(FaultKind.UNKNOWN_DONE) else result

    def _try_out(self) -> list[Finding]:
        now = self.service.clock.now()
        span = Span.between(now, now + timedelta(minutes=15), "Etc/UTC")
        name = f"check-{self.service.tick()}"
        event = Event(uid=f"{name}@calsync", master=Appearance(span, title="calsync check"))
        [made] = self.write([Write(f"{name}-create", WriteKind.CREATE, name, event)])
        [seen] = self.read([made.remote_id])
        [stale] = self.write([Write(f"{name}-update", WriteKind.UPDATE, made.remote_id, event, version='"stale"')])
        [_] = self.write([Write(f"{name}-delete", WriteKind.DELETE, made.remote_id)])
        return [
            Finding("creates an event", ok=made.outcome is Outcome.WRITTEN, detail=made.reason),
            Finding("reads it back", ok=not isinstance(seen, Gone)),
            Finding("refuses a stale write", ok=stale.outcome is Outcome.CONFLICT, detail=stale.reason),
        ]


def _act(strike: Strike, kind: FaultKind) -> None:
    for fault in strike:
        if fault.kind is kind and fault.act is not None:
            fault.act()


def _fail(strike: Strike, *kinds: FaultKind) -> None:
    for fault in strike:
        if fault.kind in kinds:
            fault.raise_error()


def _reading(events: Mapping[str, StoredEvent], remote_id: str) -> Reading:
    stored = events.get(remote_id)
    return Gone(remote_id) if stored is None else reading_of(stored)
