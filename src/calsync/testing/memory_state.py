"""What an account in memory holds: events, tombstones, and a journal of every change, whoever made it.

The journal serves three readers: the change feed, stale answers (`view`), and tests, which see in it what really
happened.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from calsync.connector.errors import CalendarError
from calsync.domain.event import Event
from calsync.ports import Clock
from calsync.testing.personality import Personality, VersionStyle


class Actor(StrEnum):
    """Who changed an event."""

    CALSYNC = "calsync"  # a write through the `Calendar` protocol
    PERSON = "person"
    SERVICE = "service"  # the service itself: the version moves, the content does not


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as the service keeps it. `own`: the user's fields (colour, reminders, notes, categories), opaque.

    `unreadable` names the rule that the stored event breaks; its content cannot be shown then.
    """

    remote_id: str
    event: Event
    version: str
    marker: str | None = None
    own: Mapping[str, str] = field(default_factory=dict)
    unreadable: str | None = None
    revision: int = 0  # writes since it was made


@dataclass(frozen=True, slots=True)
class Change:
    """One change: `before` None for a new event, `after` None for a removal. `seq` grows over the whole account."""

    seq: int
    at: datetime
    by: Actor
    calendar: str
    remote_id: str
    before: StoredEvent | None
    after: StoredEvent | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a cursor stands: the last change it covers, and when it was given out."""

    seq: int
    at: datetime


@dataclass(slots=True)
class CalendarState:
    """One calendar. `trouble` is raised by every request, `read_only` refuses writes; both until taken back."""

    name: str
    personality: Personality
    clock: Clock
    tick: Callable[[], int]
    observers: list[Callable[[Change], None]]
    events: dict[str, StoredEvent] = field(default_factory=dict)
    buried: dict[str, StoredEvent] = field(default_factory=dict)
    journal: list[Change] = field(default_factory=list)
    cursors: dict[str, Place] = field(default_factory=dict)
    named: dict[str, str] = field(default_factory=dict)  # asked id -> the service's id, where the service names events
    trouble: CalendarError | None = None
    read_only: bool = False

    def put(self, stored: StoredEvent, by: Actor) -> StoredEvent:
        """Store an event under its id with a new version, and return it as stored."""
        before = self.events.get(stored.remote_id)
        revision = before.revision + 1 if before else 0
        seq = self.tick()
        after = replace(stored, revision=revision)
        after = replace(after, version=self._version(after, seq))
        self.events[stored.remote_id] = after
        self.buried.pop(stored.remote_id, None)
        self._write_down(seq, by, before, after)
        return after

    def remove(self, remote_id: str, by: Actor) -> None:
        """Take an event out and keep its tombstone."""
        before = self.events.pop(remote_id)
        seq = self.tick()
        self.buried[remote_id] = replace(before, version=self._version(before, seq))
        self._write_down(seq, by, before, None)

    def touch(self, remote_id: str) -> None:
        """Move the version of an event; its content stays."""
        self.put(self.events[remote_id], Actor.SERVICE)

    def view(self, changes_ago: int) -> dict[str, StoredEvent]:
        """Return the events as they were before the newest `changes_ago` changes."""
        events = dict(self.events)
        for change in reversed(self.journal[max(0, len(self.journal) - changes_ago) :]):
            if change.before is None:
                events.pop(change.remote_id, None)
            else:
                events[change.remote_id] = change.before
        return events

    def expire_cursors(self) -> None:
        """Forget every cursor given out."""
        self.cursors.clear()

    def _version(self, stored: StoredEvent, seq: int) -> str:
        match self.personality.versions:
            case VersionStyle.COUNTER:
                return f'"{seq}"'
            case VersionStyle.PER_RESOURCE:
                return f'"gcs{stored.revision:08d}"'
            case VersionStyle.CONTENT:
                text = repr((stored.event, stored.marker, sorted(stored.own.items()), stored.unreadable))
                return f'"{sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]}"'

    def _write_down(self, seq: int, by: Actor, before: StoredEvent | None, after: StoredEvent | None) -> None:
        stored = after or before
        assert stored is not None
        change = Change(seq, self.clock.now(), by, self.name, stored.remote_id, before, after)
        self.journal.append(change)
        for observer in self.observers:
            observer(change)
