"""What the stand-in keeps: mailboxes, calendars, events, and a journal of what changed. Seed it directly, at will."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import takewhile
from typing import Any
from zoneinfo import ZoneInfo

from calsync.ports import Clock
from calsync.sandbox.graph.knobs import Knobs
from calsync.sandbox.graph.recurrence import dates_of
from calsync.sandbox.graph.zones import zone_of

Json = dict[str, Any]

_DEFAULTS: Json = {
    "subject": "",
    "body": {"contentType": "text", "content": ""},
    "location": {"displayName": ""},
    "categories": [],
    "showAs": "busy",
    "sensitivity": "normal",
    "importance": "normal",
    "isReminderOn": True,
    "reminderMinutesBeforeStart": 15,
    "attendees": [],
    "responseRequested": True,
    "allowNewTimeProposals": True,
    "hideAttendees": False,
    "isOnlineMeeting": False,
    "onlineMeetingProvider": "unknown",
}


@dataclass(slots=True)
class When:
    """From `start` to `end`, aware UTC; all-day ones are midnights of `zone`, end exclusive. `zone`: as it was sent."""

    start: datetime
    end: datetime
    zone: str = "UTC"
    all_day: bool = False

    @property
    def tz(self) -> ZoneInfo:
        """The zone by its name."""
        return zone_of(self.zone)


@dataclass(slots=True)
class Changed:
    """One occurrence that differs: its times, and the fields that are its own."""

    when: When
    fields: Json = field(default_factory=dict)
    is_cancelled: bool = False
    change: int = 0


@dataclass(slots=True)
class Item:
    """A single event or a series with everything that belongs to it. `calendar`: the calendar's number."""

    number: int
    calendar: int
    when: When
    fields: Json
    ical_uid: str
    created: datetime
    modified: datetime
    change: int = 0
    build: int = 0  # counts rebuilds of the occurrences: their ids change with it
    recurrence: Json | None = None
    exceptions: dict[date, Changed] = field(default_factory=dict)
    deleted_slots: set[date] = field(default_factory=set)
    props: dict[str, str] = field(default_factory=dict)
    transaction: str | None = None
    is_cancelled: bool = False
    is_organizer: bool = True
    response: str = "organizer"

    def slots(self, until: date) -> Iterator[date]:
        """The dates of the rule, deleted ones included."""
        assert self.recurrence is not None
        return dates_of(self.recurrence, until)

    def slot_when(self, day: date) -> When:
        """Where the rule puts the occurrence of a date: the wall time stands in the zone of the series."""
        assert self.recurrence is not None
        tz = zone_of(self.recurrence["range"]["recurrenceTimeZone"])
        if self.when.all_day:
            start = datetime.combine(day, time(), self.when.tz)
            days = self.when.end.astimezone(self.when.tz).date() - self.when.start.astimezone(self.when.tz).date()
            return When(start.astimezone(UTC), (start + days).astimezone(UTC), self.when.zone, all_day=True)
        wall = datetime.combine(day, self.when.start.astimezone(tz).time())
        at = wall.replace(tzinfo=tz).astimezone(UTC)
        return When(at, at + (self.when.end - self.when.start), self.when.zone)

    def shown_when(self, day: date) -> When:
        """Where an occurrence is now."""
        own = self.exceptions.get(day)
        return own.when if own is not None else self.slot_when(day)


@dataclass(slots=True)
class CalendarBox:
    """One calendar. `key` is part of its id and changes with nothing but a switch."""

    number: int
    name: str
    is_default: bool = False
    role: str = "owner"  # or "read"


@dataclass(slots=True)
class Change:
    """One line of the journal. `slot`: the occurrence concerned, None for the whole."""

    seq: int
    calendar: int
    item: int
    slot: date | None
    at: datetime
    kind: str  # created, updated, deleted


@dataclass(slots=True)
class Mailbox:
    """One person's mailbox."""

    guid: str
    upn: str
    zone: str
    calendars: dict[int, CalendarBox] = field(default_factory=dict)
    items: dict[int, Item] = field(default_factory=dict)
    bin: dict[int, Item] = field(default_factory=dict)
    transactions: dict[str, int] = field(default_factory=dict)
    outbox: list[tuple[str, str]] = field(default_factory=list)  # (kind, address) of each mail Outlook would send
    is_enabled: bool = True
    in_scope: bool = True


class GraphState:
    """All mailboxes of one tenant, under one clock."""

    def __init__(self, clock: Clock, knobs: Knobs) -> None:
        self.clock = clock
        self.knobs = knobs
        self.mailboxes: dict[str, Mailbox] = {}
        self.journal: list[Change] = []
        self.listeners: list[Callable[[Mailbox, Change], None]] = []
        self._counter = 0
        self._last_change: dict[int, datetime] = {}

    def next_number(self) -> int:
        """A number never given before."""
        self._counter += 1
        return self._counter

    def add_mailbox(self, upn: str, zone: str = "Eastern Standard Time") -> Mailbox:
        """Add a person with a default calendar."""
        number = self.next_number()
        box = Mailbox(f"00000000-0000-4000-8000-{number:012d}", upn, zone)
        self.mailboxes[box.guid] = box
        self.add_calendar(box, "Calendar", is_default=True)
        return box

    def mailbox(self, name: str) -> Mailbox | None:
        """Find by id or by user principal name."""
        return next((box for box in self.mailboxes.values() if name.lower() in (box.guid, box.upn.lower())), None)

    def add_calendar(self, box: Mailbox, name: str, *, is_default: bool = False) -> CalendarBox:
        """Add a calendar to a mailbox."""
        made = CalendarBox(self.next_number(), name, is_default)
        box.calendars[made.number] = made
        return made

    def add(self, box: Mailbox, calendar: int, when: When, fields: Json | None = None) -> Item:
        """Add an event; fields that are not given have Outlook's defaults."""
        now, number = self.clock.now(), self.next_number()
        given = {**{key: _copy(value) for key, value in _DEFAULTS.items()}, **(fields or {})}
        item = Item(number, calendar, when, given, f"040000008200E00074C5B7101A82E008{number:016X}", now, now)
        box.items[number] = item
        self.touch(box, item, kind="created")
        return item

    def touch(self, box: Mailbox, item: Item, slot: date | None = None, *, kind: str = "updated") -> None:
        """Give an event, or one occurrence of it, a new version and put the change into the journal."""
        key = self.next_number()
        item.modified = self.clock.now()
        if slot is not None and slot in item.exceptions:
            item.exceptions[slot].change = key
        if slot is None or self.knobs.exception_moves_master_key:
            item.change = key
        self._log(box, Change(self.next_number(), item.calendar, item.number, slot, item.modified, kind))

    def remove(self, box: Mailbox, item: Item) -> None:
        """Move an event to the deleted items."""
        del box.items[item.number]
        box.bin[item.number] = item
        if not self.knobs.remembers_deleted_transactions and item.transaction:
            box.transactions.pop(item.transaction, None)
        self._log(box, Change(self.next_number(), item.calendar, item.number, None, self.clock.now(), "deleted"))

    def move(self, box: Mailbox, item: Item, calendar: int) -> None:
        """Move an event to another calendar of the mailbox."""
        self._log(box, Change(self.next_number(), item.calendar, item.number, None, self.clock.now(), "deleted"))
        item.calendar = calendar
        self.touch(box, item)

    def drop_calendar(self, box: Mailbox, calendar: int) -> None:
        """Remove a calendar with all that is in it."""
        for item in [item for item in box.items.values() if item.calendar == calendar]:
            self.remove(box, item)
        del box.calendars[calendar]

    def rebuild(self, item: Item) -> None:
        """Make the occurrences of a series anew, as a new recurrence does."""
        if self.knobs.master_patch_drops_exceptions:
            item.exceptions.clear()
            item.build += 1
        if self.knobs.rebuild_returns_deleted:
            item.deleted_slots.clear()

    def shown_slots(self, item: Item, start: datetime, end: datetime) -> Iterator[date]:
        """Occurrences that stand and overlap a stretch of time."""
        known = [day for day in item.slots((end + timedelta(days=2)).date()) if day not in item.deleted_slots]
        # An occurrence that was moved is looked for where it is, however far its slot lies away.
        far = [day for day in item.exceptions if day not in known and day not in item.deleted_slots]
        for day in [*known, *far]:
            when = item.shown_when(day)
            if overlaps(when, start, end):
                yield day

    def last_change(self, calendar: int) -> datetime | None:
        """When something last changed in a calendar."""
        return self._last_change.get(calendar)

    def since(self, seq: int, calendar: int) -> list[Change]:
        """What changed in a calendar after a place in the journal."""
        late = takewhile(lambda line: line.seq > seq, reversed(self.journal))
        return [line for line in late if line.calendar == calendar][::-1]

    def _log(self, box: Mailbox, change: Change) -> None:
        self.journal.append(change)
        self._last_change[change.calendar] = change.at
        for listener in self.listeners:
            listener(box, change)


def overlaps(when: When, start: datetime, end: datetime) -> bool:
    """Whether an event lies in a range by any amount; the range's end is exclusive."""
    return when.start < end and (when.end > start or (when.end == when.start >= start))


def _copy(value: object) -> object:
    return dict(value) if isinstance(value, dict) else list(value) if isinstance(value, list) else value
