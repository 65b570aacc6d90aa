"""A calendar in memory as a subject of the conformance suite: the suite's own proof, and an example to copy."""

from __future__ import annotations

from typing import Final

from calsync.connector.errors import AuthRevoked
from calsync.connector.protocol import Calendar
from calsync.domain.event import Event
from calsync.testing.conformance.subject import PersonHands, Subject, Weakness
from calsync.testing.edits import Edit
from calsync.testing.fake_ports import FakeClock
from calsync.testing.memory_calendar import MemoryCalendar
from calsync.testing.memory_service import MemoryService
from calsync.testing.people import People
from calsync.testing.personality import Personality

CALENDAR: Final = "work"
OTHER: Final = "private"


class MemoryHands(PersonHands):
    """A person at a calendar in memory."""

    def __init__(self, service: MemoryService) -> None:
        self._person = People(service, CALENDAR)

    def count(self) -> int:
        """See `PersonHands`."""
        return len(self._person.ids())

    def see(self, remote_id: str) -> Event | None:
        """See `PersonHands`."""
        return self._person.see(remote_id).event if remote_id in self._person.ids() else None

    def raw(self, remote_id: str) -> object:
        """See `PersonHands`."""
        return self._person.see(remote_id)

    def save(self, remote_id: str, change: Edit) -> None:
        """See `PersonHands`."""
        self._person.edit(remote_id, change)

    def add(self, event: Event, *, like: str | None = None) -> str:
        """See `PersonHands`."""
        marker = self._person.see(like).marker if like is not None else None
        return self._person.add_own_event(event, marker=marker)

    def delete(self, remote_id: str) -> None:
        """See `PersonHands`."""
        self._person.delete(remote_id)

    def decorate(self, remote_id: str) -> None:
        """See `PersonHands`."""
        self._person.decorate(remote_id, colour="tomato", reminder="-PT10M", notes="bring the file", category="work")

    def decorations(self, remote_id: str) -> object:
        """See `PersonHands`."""
        return dict(self._person.see(remote_id).own)

    def strip_marker(self, remote_id: str) -> None:
        """See `PersonHands`."""
        self._person.strip_marker(remote_id)

    def spoil(self, remote_id: str) -> None:
        """See `PersonHands`."""
        self._person.break_event(remote_id)

    def move_away(self, remote_id: str) -> None:
        """See `PersonHands`."""
        self._person.move_to_other_calendar(remote_id, OTHER)


class MemorySubject(Subject):
    """A fresh account of one personality, with two calendars."""

    def __init__(self, personality: Personality) -> None:
        self.clock = FakeClock()
        self.service = MemoryService(personality, clock=self.clock)
        self.service.add_calendar(CALENDAR)
        self.service.add_calendar(OTHER)
        self.hands = MemoryHands(self.service)
        self.weaknesses = {
            weakness: f"personality {personality.name}" for weakness in Weakness if _has(personality, weakness)
        }

    def open(self) -> Calendar:
        """See `Subject`."""
        return MemoryCalendar(self.service, CALENDAR)

    def settle(self) -> None:
        """Let time pass, for services that lag or count in whole seconds."""
        self.clock.advance(5)

    def expire(self, cursor: str) -> str:
        """See `Subject`."""
        self.service.calendars[CALENDAR].expire_cursors()
        return cursor

    def open_with_wrong_password(self) -> Calendar:
        """See `Subject`."""
        self.service.trouble = AuthRevoked("wrong password")
        return self.open()

    def take_away(self) -> None:
        """See `Subject`."""
        self.service.delete_calendar(CALENDAR)


def _has(personality: Personality, weakness: Weakness) -> bool:
    return {
        Weakness.CREATE_OVERWRITES: not personality.guards_creates,
        Weakness.STALE_DELETE: not personality.guards_deletes,
        Weakness.UPDATE_MAKES_MISSING: personality.updates_make_missing,
        Weakness.IDS_RESERVED: personality.reserves_ids,
        Weakness.FALSE_CONFLICTS: personality.false_conflict_each > 0,
        Weakness.VERSIONS_MOVE: personality.touches_after_write,
    }.get(weakness, False)
