"""People who edit a calendar in memory with a client of their own: each act is a change in the service by a person."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from calsync.domain.event import Event, OriginalStart
from calsync.domain.span import Span
from calsync.testing import edits
from calsync.testing.edits import Edit
from calsync.testing.memory_service import MemoryService
from calsync.testing.memory_state import Actor, CalendarState, StoredEvent


class People:
    """Somebody with a hand on one calendar. Events are named by remote id; acts on a missing event raise `KeyError`."""

    def __init__(self, service: MemoryService, calendar: str) -> None:
        self.service = service
        self.calendar = calendar

    # What they see.

    def ids(self) -> list[str]:
        """Remote ids of all events, the oldest first."""
        return list(self._state.events)

    def see(self, remote_id: str) -> StoredEvent:
        """An event as it is, whole."""
        return self._state.events[remote_id]

    def find(self, marker: str) -> StoredEvent | None:
        """The first event that carries a marker."""
        return next((stored for stored in self._state.events.values() if stored.marker == marker), None)

    # Times and existence.

    def drag(self, remote_id: str, by: timedelta) -> None:
        """Move a single event."""
        self.edit(remote_id, lambda event: edits.dragged(event, by))

    def drag_occurrence(self, remote_id: str, original_start: datetime, by: timedelta) -> None:
        """Move one occurrence of a series."""
        self.edit(remote_id, lambda event: edits.dragged(event, by, original_start))

    def drag_series(self, remote_id: str, by: timedelta) -> None:
        """Move all events of a series; where the service loses single changes over it, they are lost."""
        drops = self.service.personality.series_drag_drops_overrides
        self.edit(remote_id, lambda event: edits.dragged(replace(event, overrides=()) if drops else event, by))

    def resize(self, remote_id: str, by: timedelta, original_start: OriginalStart = None) -> None:
        """Pull the end; `by` may be negative."""
        self.edit(remote_id, lambda event: edits.resized(event, by, original_start))

    def shorten(self, remote_id: str, by: timedelta, original_start: OriginalStart = None) -> None:
        """Pull the end towards the start."""
        self.resize(remote_id, -by, original_start)

    def delete(self, remote_id: str) -> None:
        """Remove an event, or a whole series."""
        self._state.remove(remote_id, Actor.PERSON)

    def delete_occurrence(self, remote_id: str, original_start: datetime) -> None:
        """Remove one occurrence of a series."""
        self.edit(remote_id, lambda event: edits.without_occurrence(event, original_start))

    def change_rule(self, remote_id: str, rule: str) -> None:
        """Let a series repeat by another rule."""
        self.edit(remote_id, lambda event: edits.with_rule(event, rule))

    def split_series(self, remote_id: str, original_start: datetime, by: timedelta = timedelta(0)) -> str:
        """Change "this and following"; returns the id of the new series, which keeps marker and user's fields."""
        stored = self.see(remote_id)
        head, rest = edits.split(stored.event, original_start, by, f"{self._new_id()}@person")
        self._store(replace(stored, event=head))
        return self._store(replace(stored, remote_id=self._new_id(), event=rest)).remote_id

    def duplicate(self, remote_id: str, by: timedelta = timedelta(0)) -> str:
        """Copy an event, marker and all; returns the copy's remote id."""
        stored, copy_id = self.see(remote_id), self._new_id()
        copy = edits.dragged(stored.event.with_uid(f"{copy_id}@person"), by)
        return self._store(replace(stored, remote_id=copy_id, event=copy)).remote_id

    def make_all_day(self, remote_id: str, original_start: OriginalStart = None) -> None:
        """Turn it into an all-day event."""
        self.edit(remote_id, lambda event: edits.made_all_day(event, original_start))

    def change_zone(self, remote_id: str, zone: str) -> None:
        """Keep the wall time, change the zone."""
        self.edit(remote_id, lambda event: edits.rezoned(event, zone))

    def cancel(self, remote_id: str, original_start: OriginalStart = None) -> None:
        """Call it off without removing it."""
        self.edit(remote_id, lambda event: edits.called_off(event, original_start))

    def wipe(self, keep: int = 0) -> None:
        """Remove all events but the first `keep`."""
        for remote_id in self.ids()[keep:]:
            self.delete(remote_id)

    def move_to_other_calendar(self, remote_id: str, other: str) -> str:
        """Move an event into another calendar of the account; returns its remote id there."""
        stored = self.see(remote_id)
        self._state.remove(remote_id, Actor.PERSON)
        if self.service.personality.ids_change_on_move:
            stored = replace(stored, remote_id=self._new_id())
        return self.service.calendars[other].put(stored, Actor.PERSON).remote_id

    def put_back(self, remote_id: str) -> None:
        """Undo the newest act on an event."""
        change = next(change for change in reversed(self._state.journal) if change.remote_id == remote_id)
        if change.before is None:
            self.delete(remote_id)
        else:
            self._store(change.before)

    # What is theirs, or only looks.

    def retitle(self, remote_id: str, title: str, original_start: OriginalStart = None) -> None:
        """Write another title."""
        self.edit(remote_id, lambda event: edits.retitled(event, title, original_start))

    def publish(self, remote_id: str) -> None:
        """Make it public."""
        self.edit(remote_id, edits.published)

    def mark_free(self, remote_id: str, original_start: OriginalStart = None) -> None:
        """Show it as free."""
        self.edit(remote_id, lambda event: edits.freed(event, original_start))

    def answer(self, remote_id: str, answer: str, original_start: OriginalStart = None) -> None:
        """Accept, or decline."""
        self.edit(remote_id, lambda event: edits.answered(event, answer, original_start))

    def propose(self, remote_id: str, span: Span) -> None:
        """An attendee proposes another time."""
        self.edit(remote_id, lambda event: edits.changed(event, lambda a: replace(a, proposed=span)))

    def recolour(self, remote_id: str, colour: str) -> None:
        """Paint it."""
        self.decorate(remote_id, colour=colour)

    def add_note(self, remote_id: str, text: str) -> None:
        """Write a note of their own."""
        self.decorate(remote_id, notes=text)

    def decorate(self, remote_id: str, **own: str) -> None:
        """Set fields that are the user's own."""
        stored = self.see(remote_id)
        self._store(replace(stored, own={**stored.own, **own}))

    def strip_marker(self, remote_id: str) -> None:
        """Save with a client that drops what it does not know."""
        self._store(replace(self.see(remote_id), marker=None))

    def break_event(self, remote_id: str, reason: str = "no-start") -> None:
        """Save with a client that writes nonsense: the event is there and cannot be understood."""
        self._store(replace(self.see(remote_id), unreadable=reason))

    def add_own_event(self, event: Event, *, remote_id: str | None = None, marker: str | None = None) -> str:
        """Add an event of their own; returns its remote id. A marker makes it a forgery."""
        stored = StoredEvent(remote_id or self._new_id(), event, "", marker)
        return self._store(stored).remote_id

    def edit(self, remote_id: str, change: Edit) -> None:
        """Save any change to an event."""
        stored = self.see(remote_id)
        self._store(replace(stored, event=change(stored.event)))

    @property
    def _state(self) -> CalendarState:
        return self.service.calendars[self.calendar]

    def _store(self, stored: StoredEvent) -> StoredEvent:
        return self._state.put(stored, Actor.PERSON)

    def _new_id(self) -> str:
        return f"person-{self.service.tick()}"
