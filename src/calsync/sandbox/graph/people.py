"""A person at Outlook: what they do to their calendar, through the same store that the service writes to (row 46)."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from calsync.sandbox.graph.ids import event_id, parse_event_id
from calsync.sandbox.graph.recurrence import DAYS
from calsync.sandbox.graph.state import CalendarBox, Changed, GraphState, Item, Mailbox, When
from calsync.sandbox.graph.zones import zone_of


class Person:
    """Acts on one calendar of one mailbox. Events are named by their immutable id; unknown ones raise `KeyError`."""

    def __init__(self, state: GraphState, mailbox: Mailbox, lock: threading.RLock, calendar: int) -> None:
        self.state = state
        self.mailbox = mailbox
        self.lock = lock
        self.calendar = calendar

    def ids(self) -> list[str]:
        """Ids of all events, the oldest first."""
        with self.lock:
            return [event_id(item, immutable=True) for item in self.items()]

    def items(self) -> list[Item]:
        """All events of the calendar."""
        return [item for item in self.mailbox.items.values() if item.calendar == self.calendar]

    def item(self, remote_id: str) -> Item:
        """The event with this id."""
        found = self.mailbox.items[parse_event_id(remote_id).item]
        if found.calendar != self.calendar:
            raise KeyError(remote_id)
        return found

    def drag(self, remote_id: str, by: timedelta) -> None:
        """Move a single event, or a whole series, by wall time; a series loses what was changed in it."""
        with self.lock:
            item = self.item(remote_id)
            item.when = _moved(item.when, by)
            if item.recurrence is not None:
                days = _wall(item).date() - date.fromisoformat(item.recurrence["range"]["startDate"])
                item.recurrence = _shifted(item.recurrence, days.days)
                self.state.rebuild(item)
            self.state.touch(self.mailbox, item)

    def resize(self, remote_id: str, by: timedelta) -> None:
        """Pull the end."""
        with self.lock:
            item = self.item(remote_id)
            item.when = replace(item.when, end=item.when.end + by)
            self.state.touch(self.mailbox, item)

    def delete(self, remote_id: str) -> None:
        """Remove an event, or a whole series."""
        with self.lock:
            self.state.remove(self.mailbox, self.item(remote_id))

    def restore_deleted(self, number: int) -> str:
        """Take an event out of the deleted items: it comes back under a new id, its properties with it."""
        with self.lock:
            old = self.mailbox.bin.pop(number)
            fresh = self.state.add(self.mailbox, self.calendar, old.when, old.fields)
            fresh.recurrence, fresh.props, fresh.ical_uid = old.recurrence, dict(old.props), old.ical_uid
            fresh.exceptions, fresh.deleted_slots = old.exceptions, old.deleted_slots
            return event_id(fresh, immutable=True)

    def drag_occurrence(self, remote_id: str, slot: date, by: timedelta) -> None:
        """Move one occurrence, named by the date of its slot."""
        with self.lock:
            item = self.item(remote_id)
            own = item.exceptions.get(slot) or Changed(item.slot_when(slot))
            self.put_occurrence(item, slot, replace(own, when=_moved(own.when, by)))

    def put_occurrence(self, item: Item, slot: date, own: Changed) -> None:
        """Save one occurrence."""
        with self.lock:
            item.exceptions[slot] = own
            self.state.touch(self.mailbox, item, slot)

    def delete_occurrence(self, remote_id: str, slot: date) -> None:
        """Remove one occurrence."""
        with self.lock:
            item = self.item(remote_id)
            item.exceptions.pop(slot, None)
            item.deleted_slots.add(slot)
            self.state.touch(self.mailbox, item, slot)

    def make_all_day(self, remote_id: str) -> None:
        """Turn it into an all-day event."""
        with self.lock:
            item = self.item(remote_id)
            item.when = whole_days(item.when)
            self.state.touch(self.mailbox, item)

    def retitle(self, remote_id: str, title: str) -> None:
        """Write another title."""
        self.change(remote_id, subject=title)

    def mark_free(self, remote_id: str) -> None:
        """Show it as free."""
        self.change(remote_id, showAs="free")

    def change(self, remote_id: str, **fields: object) -> None:
        """Set any members."""
        with self.lock:
            item = self.item(remote_id)
            item.fields = {**item.fields, **fields}
            self.state.touch(self.mailbox, item)

    def answer_as_attendee(self, remote_id: str, answer: str, proposed: When | None = None) -> None:
        """Let an attendee of the event answer: the organizer's copy gets a new version, its times stay (row 44)."""
        attendee: dict[str, object] = {
            "type": "required",
            "status": {"response": answer, "time": "2026-01-01T00:00:00Z"},
            "emailAddress": {"name": "Made Up", "address": "made.up@example.org"},
        }
        if proposed is not None:
            attendee["proposedNewTime"] = {
                "start": {"dateTime": f"{proposed.start:%Y-%m-%dT%H:%M:%S}.0000000", "timeZone": "UTC"},
                "end": {"dateTime": f"{proposed.end:%Y-%m-%dT%H:%M:%S}.0000000", "timeZone": "UTC"},
            }
        self.change(remote_id, attendees=[attendee])

    def copy(self, remote_id: str, by: timedelta = timedelta(0)) -> str:
        """Copy an event, its properties with it."""
        with self.lock:
            item = self.item(remote_id)
            made = self.state.add(self.mailbox, self.calendar, _moved(item.when, by), dict(item.fields))
            made.props, made.recurrence = dict(item.props), item.recurrence
            return event_id(made, immutable=True)

    def move_to(self, remote_id: str, other: CalendarBox) -> None:
        """Move an event to another calendar of the mailbox."""
        with self.lock:
            self.state.move(self.mailbox, self.item(remote_id), other.number)

    def wipe(self, keep: int = 0) -> None:
        """Remove all events but the first ones."""
        for remote_id in self.ids()[keep:]:
            self.delete(remote_id)

    def add_own(self, start: datetime, end: datetime, title: str = "Dentist") -> str:
        """Add an event of their own; aware instants."""
        with self.lock:
            when = When(start.astimezone(UTC), end.astimezone(UTC), self.mailbox.zone)
            return event_id(self.state.add(self.mailbox, self.calendar, when, {"subject": title}), immutable=True)


def whole_days(when: When) -> When:
    """The days that an event touches, as an all-day event."""
    tz = zone_of(when.zone)
    first, last = (at.astimezone(tz).date() for at in (when.start, when.end))
    start, end = (datetime.combine(day, time(), tz).astimezone(UTC) for day in (first, last + timedelta(days=1)))
    return When(start, end, when.zone, all_day=True)


def _moved(when: When, by: timedelta) -> When:
    tz = zone_of(when.zone)
    start = (when.start.astimezone(tz).replace(tzinfo=None) + by).replace(tzinfo=tz).astimezone(UTC)
    return replace(when, start=start, end=start + (when.end - when.start))


def _wall(item: Item) -> datetime:
    assert item.recurrence is not None
    return item.when.start.astimezone(zone_of(item.recurrence["range"]["recurrenceTimeZone"]))


def _shifted(recurrence: dict[str, dict[str, object]], days: int) -> dict[str, dict[str, object]]:
    pattern, limits = dict(recurrence["pattern"]), dict(recurrence["range"])
    if "daysOfWeek" in pattern:
        names = pattern["daysOfWeek"]
        assert isinstance(names, list)
        pattern["daysOfWeek"] = [DAYS[(DAYS.index(day) + days) % 7] for day in names]
    for name in ("startDate", "endDate"):
        at = date.fromisoformat(str(limits[name]))
        limits[name] = (at + timedelta(days=days)).isoformat() if at.year > 1 else str(limits[name])
    return {"pattern": pattern, "range": limits}
