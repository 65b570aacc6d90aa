"""The bench a subject stands on: short words for what nearly every check does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from calsync.connector.protocol import (
    Gone,
    Item,
    Outcome,
    Page,
    Reading,
    Seen,
    Unchanged,
    Unreadable,
    Write,
    WriteResult,
)
from calsync.domain.event import Appearance, Event, OriginalStart
from calsync.domain.recurrence import expand
from calsync.domain.write import WriteKind
from calsync.testing.conformance.samples import WINDOW
from calsync.testing.conformance.subject import Subject, Weakness

MARKER = "1.key.link-1.1.0123456789abcdef.place.fedcba9876543210fedcba9876543210"


class KnownVersions(dict[str, str]):
    """Versions on the books, for a feed."""

    def versions(self, remote_ids: Sequence[str]) -> Mapping[str, str]:
        """See `calsync.connector.protocol.Known`."""
        return {remote_id: self[remote_id] for remote_id in remote_ids if remote_id in self}


@dataclass(frozen=True, slots=True)
class Told:
    """One look at the feed, read to its end."""

    pages: tuple[Page, ...]
    requests: int

    @property
    def cursor(self) -> str:
        """The cursor for the next look; a feed that ends without one fails the check."""
        cursor = self.pages[-1].cursor
        assert cursor is not None, "the last page carries no cursor"
        assert all(page.cursor is None for page in self.pages[:-1]), "a page before the last carries a cursor"
        return cursor

    @property
    def items(self) -> dict[str, Item]:
        """What was told of each event. Told twice, it must be told alike."""
        items: dict[str, Item] = {}
        for page in self.pages:
            for item in page.items:
                assert items.setdefault(item.remote_id, item) == item, "an event is told in two ways in one look"
        return items

    def seen(self, remote_id: str) -> Seen:
        """The event as told; fails the check if it was not, or in another way."""
        item = self.items.get(remote_id)
        assert isinstance(item, Seen), f"expected to see the event, was told {item}"
        return item

    def changed(self, known: Mapping[str, str]) -> dict[str, Item]:
        """The items about these events that are news to somebody who knows these versions."""
        return {key: item for key, item in self.items.items() if key in known and not _is_known(item, known)}


class Bench:
    """A subject, a client of it, and the versions that the check has on its books."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.hands = subject.hands
        self.calendar = subject.open()
        self.known = KnownVersions()
        self._key = 0

    def is_weak(self, weakness: Weakness) -> bool:
        """Whether the subject's server has a weakness."""
        return self.subject.is_weak(weakness)

    def create(self, event: Event, remote_id: str = "one", marker: str = MARKER) -> WriteResult:
        """Create an event that must be taken, and put its version on the books."""
        result = self.write(self.creation(event, remote_id, marker))
        assert result.outcome is Outcome.WRITTEN, f"refused: {result.reason}"
        assert result.version, "a create must answer with a version"
        self.known[result.remote_id] = result.version
        return result

    def creation(self, event: Event, remote_id: str, marker: str = MARKER) -> Write:
        """A write that creates."""
        return Write(self.new_key(), WriteKind.CREATE, remote_id, event, marker)

    def update(
        self, remote_id: str, event: Event, *, marker: str = MARKER, title_was: str | None = None
    ) -> WriteResult:
        """Update on the current version; must be taken (at the third try at last, where there are false conflicts)."""
        result = self._insist(WriteKind.UPDATE, remote_id, event=event, marker=marker, title_was=title_was)
        assert result.version, "an update must answer with a version"
        self.known[remote_id] = result.version
        return result

    def delete(self, remote_id: str) -> WriteResult:
        """Delete on the current version; must be taken."""
        return self._insist(WriteKind.DELETE, remote_id)

    def write(self, write: Write) -> WriteResult:
        """Send one write; exactly one answer must come, with the write's key."""
        results = list(self.calendar.write([write]))
        assert [result.key for result in results] == [write.key], "exactly one result for each write"
        return results[0]

    def read(self, remote_id: str) -> Reading:
        """Read one event by id; exactly one reading must come."""
        readings = list(self.calendar.read([remote_id]))
        assert [reading.remote_id for reading in readings] == [remote_id], "exactly one reading for each id"
        return readings[0]

    def seen(self, remote_id: str) -> Seen:
        """Read an event that must be there and readable."""
        reading = self.read(remote_id)
        assert isinstance(reading, Seen), f"expected to see the event, read {reading}"
        return reading

    def look(self, cursor: str | None = None) -> Told:
        """Look at the feed once what was done shows in it, and go on once what will be done shows as later."""
        self.subject.settle()
        before = self.subject.requests(self.calendar)
        pages = tuple(self.calendar.changes(cursor, WINDOW, self.known))
        told = Told(pages, self.subject.requests(self.calendar) - before)
        assert pages, "a feed yields at least one page"
        self.subject.settle()
        return told

    def quiet_cursor(self) -> str:
        """A cursor after which nothing is owed: all that stands is told and on the books."""
        cursor = self.look().cursor
        told = self.look(cursor)
        for item in told.items.values():
            if isinstance(item, Seen) and item.remote_id in self.known:
                self.known[item.remote_id] = item.version
        return told.cursor

    def new_key(self) -> str:
        """A key for a write, never the same twice."""
        self._key += 1
        return f"key-{self._key}"

    def _insist(
        self,
        kind: WriteKind,
        remote_id: str,
        *,
        event: Event | None = None,
        marker: str | None = None,
        title_was: str | None = None,
    ) -> WriteResult:
        tries = 3 if self.is_weak(Weakness.FALSE_CONFLICTS) else 1
        while True:
            tries -= 1
            version = self.seen(remote_id).version
            result = self.write(Write(self.new_key(), kind, remote_id, event, marker, version, title_was))
            if result.outcome is not Outcome.CONFLICT or not tries:
                break
        assert result.outcome is Outcome.WRITTEN, f"refused: {result.outcome} {result.reason}"
        return result


def shown(event: Event) -> dict[OriginalStart, tuple[object, ...]]:
    """What people see of an event inside a wide window, in a form that can be compared."""
    return {at: _look_of(appearance) for at, appearance in expand(event, WINDOW).items()}


def assert_same(event: Event, expected: Event) -> None:
    """Assert that both show the same to people, whatever their encoding."""
    assert shown(event) == shown(expected)
    assert _look_of(event.master) == _look_of(expected.master)
    assert (event.uid, event.location, event.description) == (expected.uid, expected.location, expected.description)
    assert event.is_series == expected.is_series


def _look_of(appearance: Appearance) -> tuple[object, ...]:
    span = appearance.span
    times = (span.start, span.end) if span.all_day else (span.start_at, span.end_at)
    return (*times, span.all_day, appearance.title, appearance.cancelled, appearance.busy)


def _is_known(item: Item, known: Mapping[str, str]) -> bool:
    if isinstance(item, Gone):
        return False
    assert isinstance(item, Seen | Unchanged | Unreadable)
    return item.version is not None and known.get(item.remote_id) == item.version
