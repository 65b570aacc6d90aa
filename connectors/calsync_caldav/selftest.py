"""The live self-test of a calendar: each thing that a pass relies on, tried once, with what to do when it fails."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from calsync.connector.errors import AuthRevoked, CalendarError, Forbidden, NotFound, Throttled, Unavailable
from calsync.connector.protocol import Finding, Gone, Outcome, Seen, Write, WriteResult
from calsync.domain.event import Appearance, Event
from calsync.domain.span import Span
from calsync.domain.write import WriteKind
from calsync_caldav.collection import Collection
from calsync_caldav.composing import Order, compose
from calsync_caldav.mapping import Reader
from calsync_caldav.reading import read_all
from calsync_caldav.writing import Writer, named

_REMEDIES: tuple[tuple[type[CalendarError], str], ...] = (
    (
        AuthRevoked,
        "Check user name and password; many services want an app password",
    ),
    (Forbidden, "Ask the owner of the calendar for the right to write, or list its network under allow_networks"),
    (NotFound, "Check the URL; `calsync connect caldav` lists the calendars of an account"),
    (Throttled, "Wait and try again"),
    (Unavailable, "Check that the server is up and reachable from here, and ca_file if its certificate is its own"),
)


def self_test(collection: Collection, reader: Reader, now: datetime) -> Iterator[Finding]:
    """Yield findings: reach, follow, create, read, refuse a stale write, remove; ends at the first hard failure."""
    try:
        abilities = collection.abilities()
    except CalendarError as failure:
        yield _failed("reach the calendar", failure)
        return
    yield Finding("reach the calendar", ok=True)
    how = "sync-collection" if abilities.syncs else "CTag" if abilities.ctag else "full listings"
    yield Finding("follow changes", ok=True, detail=how)
    yield from _Trial(collection, reader, now).steps()


class _Trial:
    """One event, made two hours long ten years ago, and taken away again."""

    def __init__(self, collection: Collection, reader: Reader, now: datetime) -> None:
        self._collection = collection
        self._reader = reader
        self._writer = Writer(collection, reader, now)
        self._name = named(f"calsync-check-{hashlib.sha256(now.isoformat().encode()).hexdigest()[:12]}")
        start = now.replace(tzinfo=None, microsecond=0) - timedelta(days=3650)
        looks = Appearance(Span(start, start + timedelta(hours=2), "UTC"), title="calsync self-test")
        self._event = Event(uid=self._name, master=looks)
        self._version: str | None = None

    def steps(self) -> Iterator[Finding]:
        """Yield a finding per step."""
        made = False
        for what, step in (
            ("create an event", self._create),
            ("read it back", self._read),
            ("refuse a stale write", self._stale),
        ):
            finding = _tried(what, step)
            yield finding
            made = made or finding.ok
            if not finding.ok and what == "create an event":
                break
        if made:
            yield _tried("remove it", self._remove)

    def _create(self) -> str:
        result = self._write(WriteKind.CREATE, None)
        self._version = result.version
        return "" if result.outcome is Outcome.WRITTEN else f"{result.outcome}: {result.reason}"

    def _read(self) -> str:
        reading = next(iter(read_all(self._collection, [self._name], self._reader)))
        if not isinstance(reading, Seen):
            return "it cannot be read"
        self._version = reading.version
        return "" if reading.event.master.span.same_time_as(self._event.master.span) else "its times came back changed"

    def _stale(self) -> str:
        body = compose(Order(self._event, None, self._writer.now))
        answer = self._collection.put(self._name, body, {"If-Match": '"calsync-no-such-version"'})
        if answer.status not in {409, 412}:
            self._version = None  # it may have been written: whatever stands there now is to be removed
        return "" if answer.status in {409, 412} else f"status {answer.status} instead of 412"

    def _remove(self) -> str:
        result = self._write(WriteKind.DELETE, self._version)
        if result.outcome is not Outcome.WRITTEN:
            return f"{result.outcome}: {result.reason}"
        reading = next(iter(read_all(self._collection, [self._name], self._reader)))
        return "" if isinstance(reading, Gone) else "it is still there"

    def _write(self, kind: WriteKind, version: str | None) -> WriteResult:
        return self._writer.carry_out(Write("check", kind, self._name, self._event, None, version))


def _tried(what: str, step: Callable[[], str]) -> Finding:
    try:
        fault = step()
    except CalendarError as failure:
        return _failed(what, failure)
    return Finding(
        what, ok=not fault, detail=fault, remedy="Report the server's name and version to calsync" if fault else ""
    )


def _failed(what: str, failure: CalendarError) -> Finding:
    remedy = next(
        (text for kind, text in _REMEDIES if isinstance(failure, kind)), "Check that the URL is a CalDAV server's"
    )
    return Finding(what, ok=False, detail=f"{type(failure).__name__}: {failure}", remedy=remedy)
