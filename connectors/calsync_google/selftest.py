"""The live self-test of a connection: create, read, refuse a stale write, follow, remove; nothing is left behind."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from calsync.connector.errors import AuthRevoked, CalendarError, Forbidden, NotFound, Throttled, Unavailable
from calsync.connector.protocol import Finding, Gone, Outcome, Seen, Write, WriteResult
from calsync.domain.event import Appearance, Event
from calsync.domain.span import Span
from calsync.domain.write import WriteKind
from calsync_google.errors import Refused
from calsync_google.reading import Shelf
from calsync_google.writing import Writer, google_id

_REMEDIES: tuple[tuple[type[CalendarError], str], ...] = (
    (AuthRevoked, "Run `calsync connect google` again, or let an admin delegate the right to the service account"),
    (Forbidden, "Ask the owner of the calendar for the right to make changes to events"),
    (NotFound, "The calendar is gone, or not shared with this account; choose another one"),
    (Throttled, "Wait and try again; Google limits what one account may make in a day"),
    (Unavailable, "Check that this machine reaches www.googleapis.com and oauth2.googleapis.com"),
)

_LOOKS = 3


def self_test(shelf: Shelf, follow: Callable[[str | None], tuple[set[str], str]]) -> Iterator[Finding]:
    """Yield findings; ends at the first hard failure. `follow` reads the feed: ids told, and the next cursor."""
    try:
        _, cursor = follow(None)
    except CalendarError as failure:
        yield _failed("reach the calendar", failure)
        return
    yield Finding("reach the calendar", ok=True)
    yield from _Trial(shelf, follow, cursor).steps()


class _Trial:
    """One event of two hours, ten years before calsync was written, and taken away again."""

    def __init__(self, shelf: Shelf, follow: Callable[[str | None], tuple[set[str], str]], cursor: str) -> None:
        self._shelf = shelf
        self._writer = Writer(shelf)
        self._follow = follow
        self._cursor = cursor
        # Another name at each place in the feed: those of earlier tests are burnt for ever.
        self._name = google_id(f"calsync-check-{hashlib.sha256(cursor.encode()).hexdigest()[:12]}")
        start = datetime(2016, 1, 4, 10)
        looks = Appearance(Span(start, start + timedelta(hours=2), "Etc/UTC"), title="calsync self-test")
        self._event = Event(uid=f"{self._name}@calsync", master=looks)
        self._version: str | None = None

    def steps(self) -> Iterator[Finding]:
        """Yield a finding per step."""
        for what, step in (
            ("create an event", self._create),
            ("read it back", self._read),
            ("refuse a stale write", self._stale),
            ("follow changes", self._follows),
        ):
            finding = _tried(what, step)
            yield finding
            if self._version is None:
                return
        yield _tried("remove it", self._remove)

    def _create(self) -> str:
        result = self._write(WriteKind.CREATE, None)
        self._version = result.version
        return "" if result.outcome is Outcome.WRITTEN else f"{result.outcome}: {result.reason}"

    def _read(self) -> str:
        reading = next(iter(self._shelf.read([self._name])))
        if not isinstance(reading, Seen):
            return "it cannot be read"
        return "" if reading.event.master.span.same_time_as(self._event.master.span) else "its times came back changed"

    def _stale(self) -> str:
        answer = self._shelf.client.patch(self._shelf.calendar, self._name, {"summary": "stale"}, '"1"')
        status = answer.status if isinstance(answer, Refused) else 200
        return "" if status == 412 else f"status {status} instead of 412"

    def _follows(self) -> str:
        # A list may lag behind a write by a little (sheet 7.5).
        found = any(self._name in self._follow(self._cursor)[0] for _ in range(_LOOKS))
        return "" if found else "the change was not told (yet)"

    def _remove(self) -> str:
        result = self._write(WriteKind.DELETE, None)
        if result.outcome is not Outcome.WRITTEN:
            return f"{result.outcome}: {result.reason}"
        reading = next(iter(self._shelf.read([self._name])))
        return "" if isinstance(reading, Gone) else "it is still there"

    def _write(self, kind: WriteKind, version: str | None) -> WriteResult:
        event = replace(self._event) if kind is WriteKind.CREATE else None
        return self._writer.carry_out(Write("check", kind, self._name, event, None, version))


def _tried(what: str, step: Callable[[], str]) -> Finding:
    try:
        fault = step()
    except CalendarError as failure:
        return _failed(what, failure)
    return Finding(what, ok=not fault, detail=fault, remedy="Try again in a minute" if fault else "")


def _failed(what: str, failure: CalendarError) -> Finding:
    remedy = next((text for kind, text in _REMEDIES if isinstance(failure, kind)), "Report this to calsync")
    return Finding(what, ok=False, detail=f"{type(failure).__name__}: {failure}", remedy=remedy)
