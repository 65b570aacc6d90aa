"""A calendar on the Graph stand-in as a subject of the conformance suite, and a person with a client of their own."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from calsync.connector.protocol import Calendar, CalendarPlace, OpenRequest
from calsync.domain.event import Appearance, Event, Override, Recurrence
from calsync.domain.recurrence import slots_between
from calsync.domain.span import Span, instant, wall_time
from calsync.sandbox.graph.ids import calendar_id, event_id
from calsync.sandbox.graph.knobs import Knobs
from calsync.sandbox.graph.people import Person
from calsync.sandbox.graph.recurrence import checked
from calsync.sandbox.graph.resources import plain
from calsync.sandbox.graph.server import CLIENT_ID, CLIENT_SECRET, Sandbox
from calsync.sandbox.graph.state import Changed, Item, When
from calsync.testing.conformance import PersonHands, Subject, Weakness
from calsync.testing.edits import Edit
from calsync.testing.fake_ports import FakeClock
from calsync_outlook.connector import CONNECTOR
from calsync_outlook.ours import MARKER, UID, ZONE, our_description
from calsync_outlook.recurrence import recurrence_for, rule_of
from calsync_outlook.settings import CalendarSettings, ConnectorSettings
from calsync_outlook.zones import iana_of, windows_of

HOME = "America/New_York"
UPN = "ash@practice.example"
_FROM, _TO = datetime(2025, 1, 1, tzinfo=UTC), datetime(2029, 6, 1, tzinfo=UTC)


@contextmanager
def graph(knobs: Knobs | None = None) -> Iterator[Sandbox]:
    """A running stand-in without mailboxes."""
    sandbox = Sandbox(FakeClock(), knobs or Knobs()).start()
    try:
        yield sandbox
    finally:
        sandbox.stop()


def secret_file(folder: Path, text: str = CLIENT_SECRET) -> Path:
    """A secret in a file of its own."""
    path = folder / "client_secret"
    path.write_text(f"{text}\n", encoding="utf-8")
    path.chmod(0o600)
    return path


def connector_settings(sandbox: Sandbox, folder: Path, **more: Any) -> ConnectorSettings:
    """`[connectors.outlook]` for the stand-in."""
    values: dict[str, Any] = {
        "graph_url": sandbox.graph_url,
        "authority": sandbox.root,
        "tenant": "practice.example",
        "client_id": CLIENT_ID,
        "ca_file": sandbox.ca_file,
        **more,
    }
    if "certificate_file" not in values and "client_secret_file" not in values:
        values["client_secret_file"] = secret_file(folder)
    return ConnectorSettings(**values)


@dataclass(frozen=True, slots=True)
class Login:
    """How a calendar of a mailbox is opened."""

    sandbox: Sandbox
    folder: Path

    def request(self, user: str | None = UPN, calendar: str | None = None, **more: Any) -> OpenRequest:
        """A request to open a calendar as the application."""
        values: dict[str, Any] = {
            "calendar_id": "cal-1",
            "connector_settings": connector_settings(self.sandbox, self.folder),
            "calendar_settings": CalendarSettings(user=user, calendar_id=calendar),
            "placement": "existing",
            "zone": HOME,
            "secret": lambda: "",
            "dedicated_id": "0123abcdef",
            "extras": {"clock": self.sandbox.clock},
        }
        return OpenRequest(**{**values, **more})


class GraphHands(PersonHands):
    """A person at Outlook. A whole event is turned into what Outlook would hold after the person's clicks."""

    def __init__(self, person: Person, other: int) -> None:
        self.person = person
        self._other = other

    def count(self) -> int:
        return len(self.person.ids())

    def see(self, remote_id: str) -> Event | None:
        try:
            item = self.person.item(remote_id)
        except KeyError:
            return None
        zone = item.props.get(ZONE) or iana_of(item.when.zone) or HOME
        look = Appearance(
            _span(item.when, zone), item.fields["subject"], item.is_cancelled, item.fields["showAs"] != "free"
        )
        text = our_description(plain(item.fields["body"]))
        place = item.fields["location"]["displayName"]
        uid = item.props.get(UID) or item.ical_uid
        event = Event(uid, look, location=place, description=text)
        if item.recurrence is None:
            return event
        event = replace(event, recurrence=Recurrence(rule_of(item.recurrence, look.span)))
        slots = slots_between(event, _FROM, _TO)
        by_day = {wall_time(at, zone).date(): at for at in slots}
        excluded = tuple(sorted(by_day[day] for day in item.deleted_slots if day in by_day))
        overrides = []
        for day, own in item.exceptions.items():
            fields = {**item.fields, **own.fields}
            shown = Appearance(_span(own.when, zone), fields["subject"], own.is_cancelled, fields["showAs"] != "free")
            overrides.append(Override(by_day[day], shown))
        overrides.sort(key=lambda one: one.original_start)
        rule = event.recurrence.rule if event.recurrence else ""
        return replace(event, recurrence=Recurrence(rule, (), excluded), overrides=tuple(overrides))

    def raw(self, remote_id: str) -> object:
        return copy.deepcopy(self.person.item(remote_id))

    def save(self, remote_id: str, change: Edit) -> None:
        before = self.see(remote_id)
        assert before is not None
        with self.person.lock:
            self._become(self.person.item(remote_id), before, change(before))

    def add(self, event: Event, *, like: str | None = None) -> str:
        with self.person.lock:
            zone = windows_of(event.master.span.zone) or "UTC"
            item = self.person.state.add(
                self.person.mailbox, self.person.calendar, _when(event.master.span, zone), {"subject": ""}
            )
            if like is not None:
                item.props = dict(self.person.item(like).props)
            else:
                item.ical_uid = event.uid  # as if it had come from a file
                item.props = {ZONE: event.master.span.zone} if windows_of(event.master.span.zone) is None else {}
            self._shape(item, event)
            return event_id(item, immutable=True)

    def delete(self, remote_id: str) -> None:
        self.person.delete(remote_id)

    def decorate(self, remote_id: str) -> None:
        with self.person.lock:
            item = self.person.item(remote_id)
            note = plain(item.fields["body"]) + "\nbring the <file> & keys"
            self.person.change(
                remote_id, categories=["Red category"], reminderMinutesBeforeStart=5, importance="high",
                body={"contentType": "text", "content": note},
            )  # fmt: skip

    def decorations(self, remote_id: str) -> object:
        fields = self.person.item(remote_id).fields
        kept = {name: fields[name] for name in ("categories", "reminderMinutesBeforeStart", "importance")}
        return {**kept, "note": "bring the <file> & keys" in plain(fields["body"])}

    def strip_marker(self, remote_id: str) -> None:
        with self.person.lock:
            item = self.person.item(remote_id)
            item.props.pop(MARKER, None)
            self.person.state.touch(self.person.mailbox, item)

    def spoil(self, remote_id: str) -> None:
        with self.person.lock:
            item = self.person.item(remote_id)
            item.when = replace(item.when, start=datetime(1700, 1, 1, tzinfo=UTC), end=datetime(2100, 1, 1, tzinfo=UTC))
            self.person.state.touch(self.person.mailbox, item)

    def move_away(self, remote_id: str) -> None:
        self.person.move_to(remote_id, self.person.mailbox.calendars[self._other])

    def _become(self, item: Item, before: Event, after: Event) -> None:
        if after.master.cancelled:
            # The organizer's Outlook takes a cancelled event out of the calendar.
            self.person.state.remove(self.person.mailbox, item)
            return
        whole = replace(after, overrides=()) != replace(before, overrides=())
        if whole and _same_but_removals(before, after):
            self._remove_slots(item, after)
        elif whole:
            self._shape(item, after)
        else:
            self._exceptions(item, before, after)

    def _shape(self, item: Item, event: Event) -> None:
        span, state = event.master.span, self.person.state
        zone = windows_of(span.zone) or "UTC"
        item.when = _when(span, zone)
        item.fields = {**item.fields, "subject": event.master.title, "showAs": "busy" if event.master.busy else "free"}
        item.recurrence = None
        item.exceptions.clear()
        item.deleted_slots.clear()
        item.build += 1
        if event.recurrence is not None:
            told = recurrence_for(event.recurrence, span, zone)
            item.recurrence = checked(told, span.start.date(), zone)
            item.deleted_slots |= {wall_time(at, span.zone).date() for at in event.recurrence.excluded}
            for one in event.overrides:
                self._override(item, one, span.zone)
        state.touch(self.person.mailbox, item)

    def _remove_slots(self, item: Item, after: Event) -> None:
        assert after.recurrence is not None
        zone = after.master.span.zone
        for at in after.recurrence.excluded:
            day = wall_time(at, zone).date()
            if day not in item.deleted_slots:
                item.exceptions.pop(day, None)
                item.deleted_slots.add(day)
                self.person.state.touch(self.person.mailbox, item, day)

    def _exceptions(self, item: Item, before: Event, after: Event) -> None:
        former = {one.original_start: one for one in before.overrides}
        for one in after.overrides:
            if former.get(one.original_start) != one:
                day = wall_time(one.original_start, after.master.span.zone).date()
                if one.appearance.cancelled:
                    self.person.delete_occurrence(event_id(item, immutable=True), day)
                    continue
                self._override(item, one, after.master.span.zone)
                self.person.state.touch(self.person.mailbox, item, day)

    def _override(self, item: Item, one: Override, zone: str) -> None:
        day, look = wall_time(one.original_start, zone).date(), one.appearance
        fields = {"subject": look.title, "showAs": "busy" if look.busy else "free"}
        own = {name: value for name, value in fields.items() if value != item.fields[name]}
        item.exceptions[day] = Changed(_when(look.span, windows_of(zone) or "UTC"), own, change=item.change)


class GraphSubject(Subject):
    """A fresh mailbox with two calendars."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.sandbox = sandbox
        self.login = Login(sandbox, folder)
        self.upn = f"p{sandbox.state.next_number()}@practice.example"
        self.person = sandbox.add_person(self.upn)
        self.other = sandbox.state.add_calendar(self.person.mailbox, "Private")
        self.hands = GraphHands(self.person, self.other.number)
        self.weaknesses = {
            **_reserved(sandbox.knobs),
            Weakness.NO_CALLED_OFF: "the organizer's Outlook removes what is cancelled",
            Weakness.SIMPLE_RULES: "Outlook has six patterns, and Windows' zones (sheet 5.3, 5.6)",
        }

    @property
    def place(self) -> CalendarPlace:
        """Where the calendar is."""
        return CalendarPlace(calendar_id(self.person.calendar, immutable=True))

    def open(self) -> Calendar:
        return CONNECTOR.open(self.login.request(self.upn), self.place)

    def settle(self) -> None:
        clock = self.sandbox.clock
        assert isinstance(clock, FakeClock)
        clock.advance(1)

    def expire(self, cursor: str) -> str:
        self.sandbox.api.delta.expire()
        return cursor

    def open_with_wrong_password(self) -> Calendar:
        folder = self.login.folder / "wrong"
        folder.mkdir(exist_ok=True)
        settings = connector_settings(
            self.sandbox, folder, client_secret_file=secret_file(folder, "another-made-up-secret")
        )
        return CONNECTOR.open(self.login.request(self.upn, connector_settings=settings), self.place)

    def take_away(self) -> None:
        with self.sandbox.lock:
            self.sandbox.state.drop_calendar(self.person.mailbox, self.person.calendar)


def _reserved(knobs: Knobs) -> dict[Weakness, str]:
    reason = "a transactionId is remembered beyond its event (sheet 5.1)"
    return {Weakness.IDS_RESERVED: reason} if knobs.remembers_deleted_transactions else {}


def _same_but_removals(before: Event, after: Event) -> bool:
    if before.recurrence is None or after.recurrence is None:
        return False
    bare = [replace(one, overrides=(), recurrence=Recurrence("")) for one in (before, after)]
    return bare[0] == bare[1] and before.recurrence.rule == after.recurrence.rule


def _when(span: Span, zone: str) -> When:
    tz = ZoneInfo(iana_of(zone) or "Etc/UTC")
    if span.all_day:
        start, end = (at.replace(tzinfo=tz).astimezone(UTC) for at in (span.start, span.end))
        return When(start, end, zone, all_day=True)
    return When(instant(span.start, span.zone), instant(span.end, span.zone), zone)


def _span(when: When, zone: str) -> Span:
    if when.all_day:
        start, end = (at.astimezone(when.tz).replace(tzinfo=None) for at in (when.start, when.end))
        return Span(start, end, zone, all_day=True)
    return Span.between(when.start, when.end, zone)


def day_of(at: datetime) -> date:
    """The date of a slot in the home zone."""
    return wall_time(at, HOME).date()


HOUR = timedelta(hours=1)
