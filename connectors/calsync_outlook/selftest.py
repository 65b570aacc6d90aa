"""The live self-test of a calendar: each thing that a pass relies on, tried once, with what to do when it fails."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from calsync.connector.errors import AuthRevoked, CalendarError, Forbidden, NotFound, Throttled, Unavailable
from calsync.connector.protocol import Finding, Gone, Outcome, Seen, Write, WriteResult
from calsync.domain.event import Appearance, Event
from calsync.domain.span import Span, Window
from calsync.domain.write import WriteKind
from calsync_outlook.errors import Refused
from calsync_outlook.writing import Writer

_REMEDIES: tuple[tuple[type[CalendarError], str], ...] = (
    (
        AuthRevoked,
        "Check tenant, client_id and secret or certificate; a person logs in again: `calsync connect outlook`",
    ),
    (Forbidden, "Grant Calendars.ReadWrite, and let the access policy cover this mailbox"),
    (NotFound, "Check calendar_id; without it the default calendar is used"),
    (Throttled, "Wait and try again"),
    (Unavailable, "Check that Graph is reachable from here, that the mailbox is licensed, and ca_file if there is one"),
)


def self_test(writer: Writer, now: datetime) -> Iterator[Finding]:
    """Yield findings: reach, follow, create, read, refuse a stale write, remove; ends at the first hard failure."""
    trial = _Trial(writer, now)
    steps: tuple[tuple[str, Callable[[], str]], ...] = (
        ("reach the calendar", trial.reach),
        ("follow changes", trial.follow),
        ("create an event", trial.create),
    )
    for what, step in steps:
        finding = _tried(what, step)
        yield finding
        if not finding.ok:
            return
    yield _tried("read it back", trial.read)
    yield _tried("refuse a stale write", trial.stale)
    yield _tried("remove it", trial.remove)


class _Trial:
    """One event, made two hours long a year ago, and taken away again."""

    def __init__(self, writer: Writer, now: datetime) -> None:
        self._writer = writer
        self._name = f"calsync-check-{hashlib.sha256(now.isoformat().encode()).hexdigest()[:16]}"
        start = now.replace(tzinfo=None, microsecond=0) - timedelta(days=365)
        looks = Appearance(Span(start, start + timedelta(hours=2), "Etc/UTC"), title="calsync self-test")
        self._event = Event(uid=self._name, master=looks)
        self._now = now
        self._id = ""

    def reach(self) -> str:
        """The calendar answers."""
        self._writer.mailbox.exists()
        return ""

    def follow(self) -> str:
        """A delta round can begin."""
        path = self._writer.mailbox.delta_path(Window(self._now, self._now + timedelta(days=1)))
        self._writer.mailbox.client.get(path)
        return ""

    def create(self) -> str:
        """An event can be made."""
        result = self._write(WriteKind.CREATE, None)
        self._id = result.remote_id
        return "" if result.outcome is Outcome.WRITTEN else f"{result.outcome}: {result.reason}"

    def read(self) -> str:
        """It reads as it was written."""
        reading = self._writer.loader.read([self._id])[0]
        if not isinstance(reading, Seen):
            return "it cannot be read"
        return "" if reading.event.master.span.same_time_as(self._event.master.span) else "its times came back changed"

    def stale(self) -> str:
        """A write on another version is refused."""
        path = self._writer.mailbox.event_path(self._id)
        answer = self._writer.mailbox.send("PATCH", path, {"importance": "normal"}, version="calsync-no-such-version")
        if isinstance(answer, Refused):
            return "" if answer.status in (409, 412) else f"status {answer.status} instead of 412"
        return "" if answer.status == 200 else "an odd answer"  # not honoured here: calsync compares by itself, too

    def remove(self) -> str:
        """It can be taken away."""
        reading = self._writer.loader.read([self._id])[0]
        version = reading.version if isinstance(reading, Seen) else None
        result = self._write(WriteKind.DELETE, version)
        if result.outcome is not Outcome.WRITTEN:
            return f"{result.outcome}: {result.reason}"
        return "" if isinstance(self._writer.loader.read([self._id])[0], Gone) else "it is still there"

    def _write(self, kind: WriteKind, version: str | None) -> WriteResult:
        return self._writer.carry_out(Write("check", kind, self._id or self._name, self._event, None, version))


def _tried(what: str, step: Callable[[], str]) -> Finding:
    try:
        fault = step()
    except CalendarError as failure:
        remedy = next((text for kind, text in _REMEDIES if isinstance(failure, kind)), "Check graph_url and authority")
        return Finding(what, ok=False, detail=f"{type(failure).__name__}: {failure}", remedy=remedy)
    return Finding(
        what, ok=not fault, detail=fault, remedy="Report it to calsync, with the codes above" if fault else ""
    )
