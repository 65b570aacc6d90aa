"""From an Event to the members that Graph is sent: all of them for a new event, else only the owned ones that differ.

Owned: times, recurrence, busy or free, privacy, our title, location, our part of the body, our properties. Everything
else (reminders, categories, attendees, notes around our part of the body) is never sent. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from calsync.domain.event import Appearance, Event, Recurrence
from calsync.domain.recurrence import RuleRefused, slots_between
from calsync.domain.span import Span, wall_time, zone_named
from calsync_outlook.ours import MARKER, NAME, UID, ZONE, described, our_description
from calsync_outlook.recurrence import NotHeld, meets, recurrence_for, rule_of
from calsync_outlook.rows import Row
from calsync_outlook.zones import iana_of, windows_of

Json = dict[str, Any]

_LOOK_AHEAD_DAYS = 1100


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be written: the event, our marker, and the title that we wrote last (None: set ours)."""

    event: Event
    marker: str | None
    title_was: str | None = None


def whole_body(order: Order, name: str) -> Json:
    """Return the body that creates an event under a name of ours; NotHeld where Outlook has no form for it."""
    event, looks = order.event, order.event.master
    check_held(event)
    body: Json = {
        "subject": looks.title,
        **times(event, looks.span),
        "showAs": "busy" if looks.busy else "free",
        "sensitivity": "private",
        "transactionId": name,
        "singleValueExtendedProperties": [*_properties(order), {"id": NAME, "value": name}],
    }
    if event.location:
        body["location"] = {"displayName": event.location}
    if event.description:
        body["body"] = {"contentType": "text", "content": described(event.description)}
    if event.recurrence is not None:
        body["recurrence"] = recurrence_for(event.recurrence, looks.span, _series_zone(event))
    return body


def check_held(event: Event) -> None:
    """Raise NotHeld for an event that Outlook cannot hold: called off, an odd recurrence, a zone without a name."""
    if event.master.cancelled or any(one.appearance.cancelled for one in event.overrides):
        raise NotHeld("cancelled-not-held")
    if event.recurrence is None:
        return
    span = event.master.span
    told = recurrence_for(event.recurrence, span, _series_zone(event))
    first, last = span.start_at, datetime.fromtimestamp(span.start_at.timestamp() + _LOOK_AHEAD_DAYS * 86400, UTC)
    try:
        wanted = slots_between(_bare(event, event.recurrence.rule), first, last)
        held = slots_between(_bare(event, rule_of(told, span)), first, last)
    except RuleRefused as refusal:
        raise NotHeld(f"rule-{refusal.broken}") from None
    if span.start_at not in wanted or not meets(told["pattern"], span.start.date()):
        raise NotHeld("recurrence-start")
    if list(wanted) != list(held):
        raise NotHeld("recurrence-parts")
    _check_zone(event, list(wanted))


def why_not_held(event: Event) -> str | None:
    """Return why Outlook cannot hold a series as one event, as far as its rule and zone say; None if it can."""
    try:
        check_held(replace(event, overrides=()))
    except NotHeld as refusal:
        return refusal.reason
    return None


def times(event: Event, span: Span) -> Json:
    """Return the three members that say when: UTC for single events and occurrences, wall time for a series."""
    if span.all_day:
        zone = windows_of(span.zone) or "UTC"
        return {"start": _moment(span.start, zone), "end": _moment(span.end, zone), "isAllDay": True}
    if event.recurrence is not None and span is event.master.span:
        zone = _series_zone(event)
        return {"start": _moment(span.start, zone), "end": _moment(span.end, zone), "isAllDay": False}
    start, end = (at.replace(tzinfo=None) for at in (span.start_at, span.end_at))
    return {"start": _moment(start, "UTC"), "end": _moment(end, "UTC"), "isAllDay": False}


def changes_of_look(event: Event, wanted: Appearance, now: Appearance, order: Order) -> Json:
    """Return the members by which a look differs from the wanted one: times, title, busy or free."""
    changes: Json = {}
    if not (wanted.span.same_time_as(now.span) and wanted.span.all_day == now.span.all_day):
        changes |= times(event, wanted.span)
    if wanted.title != now.title and order.title_was in (None, now.title):
        changes["subject"] = wanted.title
    if wanted.busy != now.busy:
        changes["showAs"] = "busy" if wanted.busy else "free"
    return changes


def changes_of_rest(row: Row, order: Order) -> Json:
    """Return the owned members of the whole event that differ: privacy, location, our properties; not the body."""
    changes: Json = {}
    if row.sensitivity != "private":
        changes["sensitivity"] = "private"
    if row.location != order.event.location:
        changes["location"] = {"displayName": order.event.location}
    properties = [one for one in _properties(order) if row.props.get(one["id"].lower(), "") != one["value"]]
    if properties:
        changes["singleValueExtendedProperties"] = properties
    return changes


def wants_other_text(row: Row, event: Event) -> bool:
    """Tell whether our part of the body is another than the wanted one."""
    return our_description(row.text) != event.description


def _properties(order: Order) -> list[dict[str, str]]:
    pairs = ((MARKER, order.marker or ""), (UID, order.event.uid), (ZONE, order.event.master.span.zone))
    return [{"id": name, "value": value} for name, value in pairs]


def _moment(wall: datetime, zone: str) -> Json:
    return {"dateTime": f"{wall:%Y-%m-%dT%H:%M:%S}.0000000", "timeZone": zone}


def _series_zone(event: Event) -> str:
    name = windows_of(event.master.span.zone)
    if name is None and not event.master.span.all_day:
        raise NotHeld("zone-without-windows-name")
    return name or "UTC"


def _check_zone(event: Event, slots: list[datetime]) -> None:
    """Many IANA zones share one Windows name; where the clocks differ on a slot, Outlook would show another time."""
    zone = event.master.span.zone
    shared = iana_of(_series_zone(event))
    if shared is None:
        raise NotHeld("zone-without-windows-name")
    if event.master.span.all_day or zone_named(shared) == zone_named(zone):
        return
    if any(wall_time(at, zone) != wall_time(at, shared) for at in slots):
        raise NotHeld("zone-differs-from-windows")


def _bare(event: Event, rule: str) -> Event:
    return Event(event.uid, event.master, Recurrence(rule))
