"""From an Event to a calendar resource: written afresh, or merged into what a person's calendar holds (RFC 5545). Pure.

Owned, and therefore set: times, recurrence, overrides, status, busy, class, our title, location, our part of the
description, marker. Everything else in the resource (reminders, colour, categories, attendees, unknown properties,
notes around our part of the description) stays as it was received, line for line.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from calsync.domain.event import Appearance, Event, Override
from calsync.domain.recurrence import RuleRefused, slots_between
from calsync.domain.span import Span, instant, wall_time
from calsync_caldav.ics_text import Component, IcsRefused, Line, parse, serialise, shown_text, text_line
from calsync_caldav.mapping import Reader, read_event
from calsync_caldav.ours import MARKER, PRODID, with_our_description
from calsync_caldav.times import date_text, parse_moment, wall_text
from calsync_caldav.zones import UTC_NAMES, definition_of

_RECURRENCE_LINES = ("RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID")
_MASTER_ONLY = {*_RECURRENCE_LINES, MARKER, "SEQUENCE"}


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be in the resource: event, marker, the title we wrote last, and now (aware UTC) for DTSTAMP."""

    event: Event
    marker: str | None
    stamp: datetime
    title_was: str | None = None


def compose(order: Order) -> bytes:
    """Return a resource that holds the event and nothing else."""
    return _finished(Component("VCALENDAR", [Line("VERSION", "2.0"), Line("PRODID", PRODID)]), order, [], [])


def merge(body: bytes, order: Order, reader: Reader) -> bytes:
    """Return the resource with the event's owned fields brought into it; IcsRefused when it cannot be understood.

    A resource that breaks a rule of reading but whose lines can be told apart is still merged: its times are set.
    """
    calendar = parse(body)
    parts = calendar.named("VEVENT")
    masters = [part for part in parts if part.first("RECURRENCE-ID") is None]
    overrides = [part for part in parts if part.first("RECURRENCE-ID") is not None]
    kept = overrides if _starts_alike(body, order.event, reader) else _staying(overrides, order.event)
    calendar.children = [part for part in calendar.children if part.name != "VEVENT"]
    # METHOD does not belong into a stored resource (RFC 4791 4.1); a refusal by stricter servers would be ours to
    # explain.
    calendar.put("METHOD")
    return _finished(calendar, order, masters[:1], kept)


def _staying(overrides: list[Component], event: Event) -> list[Component]:
    """Return what stays where it is shown, under the slot that it has in a series that begins at another time."""
    found = []
    for item in event.overrides:
        there = _time_line("DTSTART", item.appearance.span.start, item.appearance.span)
        part = next((one for one in overrides if _is_at(one, there)), None)
        if part is not None:
            part.put("RECURRENCE-ID", _recurrence_id(event, item))
            found.append(part)
    return found


def _is_at(part: Component, there: Line) -> bool:
    begins = part.first("DTSTART")
    return begins is not None and (begins.value.strip(), begins.param("TZID")) == (there.value, there.param("TZID"))


def _finished(calendar: Component, order: Order, masters: list[Component], overrides: list[Component]) -> bytes:
    event = order.event
    master = masters[0] if masters else _fresh(event.uid)
    _own(master, event.master, order)
    _own_master_only(master, order)
    by_slot = {slot: part for part in overrides if (slot := _slot_text(part, event)) is not None}
    wanted = {_recurrence_id(event, item).value: item for item in event.overrides}
    children = [master]
    for text, item in wanted.items():
        part = by_slot.get(text) or _like(master)
        part.put("RECURRENCE-ID", _recurrence_id(event, item))
        _own(part, item.appearance, order)
        children.append(part)
    for text, part in by_slot.items():
        planned = None if text in wanted else _planned(event, text)
        if planned is not None:
            _own(part, replace(event.master, span=planned), order)
            children.append(part)
    calendar.children = [
        *_definitions(calendar, event),
        *(c for c in calendar.children if c.name != "VTIMEZONE"),
        *children,
    ]
    return serialise(calendar)


def _fresh(uid: str) -> Component:
    return Component("VEVENT", [text_line("UID", uid)])


def _like(master: Component) -> Component:
    # A person's reminders, colour and notes on the series are theirs on each occurrence too.
    lines = [line for line in master.lines if line.name not in _MASTER_ONLY]
    return Component("VEVENT", lines, master.children)


def _own(part: Component, looks: Appearance, order: Order) -> None:
    part.put("DTSTAMP", Line("DTSTAMP", wall_text(order.stamp) + "Z"))
    part.put("SEQUENCE", Line("SEQUENCE", str(_sequence(part))))
    is_rule = looks is order.event.master and order.event.recurrence is not None
    span = _in_utc(looks.span) if not is_rule and _needs_utc(looks.span) else looks.span
    part.put("DTSTART", _time_line("DTSTART", span.start, span))
    part.put("DURATION")
    part.put("DTEND", _time_line("DTEND", span.end, span))
    part.put("STATUS", *_status(part, looks))
    part.put("TRANSP", Line("TRANSP", "OPAQUE" if looks.busy else "TRANSPARENT"))
    part.put("CLASS", Line("CLASS", "PRIVATE"))
    title = part.first("SUMMARY")
    if title is None or order.title_was is None or shown_text(title.value) == order.title_was:
        part.put("SUMMARY", text_line("SUMMARY", looks.title))
    part.put("ATTENDEE", *(_silent(line) for line in part.all("ATTENDEE")))


def _own_master_only(master: Component, order: Order) -> None:
    event = order.event
    master.put("LOCATION", *([text_line("LOCATION", event.location)] if event.location else []))
    described = master.first("DESCRIPTION")
    text = with_our_description(shown_text(described.value) if described else "", event.description)
    master.put("DESCRIPTION", *([text_line("DESCRIPTION", text)] if text else []))
    for name in _RECURRENCE_LINES:
        master.put(name)
    if event.recurrence is not None:
        if event.recurrence.rule:
            master.put("RRULE", Line("RRULE", event.recurrence.rule))
        master.put("RDATE", *_slot_lines("RDATE", event.recurrence.added, event))
        master.put("EXDATE", *_slot_lines("EXDATE", event.recurrence.excluded, event))
    master.put(MARKER, *([Line(MARKER, order.marker)] if order.marker else []))


def _sequence(part: Component) -> int:
    line = part.first("SEQUENCE")
    return int(line.value) + 1 if line and line.value.isdecimal() and len(line.value) < 9 else 0


def _status(part: Component, looks: Appearance) -> list[Line]:
    now = part.first("STATUS")
    if looks.cancelled:
        return [Line("STATUS", "CANCELLED")]
    if now is None or now.value.strip().upper() == "CANCELLED":
        return [Line("STATUS", "CONFIRMED")]
    return [now]


def _silent(line: Line) -> Line:
    # RFC 6638 7.1: the server sends no mail about an attendee that a person added.
    if line.param("SCHEDULE-AGENT"):
        return line
    return replace(line, params=(*line.params, ("SCHEDULE-AGENT", ("CLIENT",))), raw="")


def _needs_utc(span: Span) -> bool:
    """Tell whether a time is the second one of a repeated hour: with a TZID it would mean the first (3.3.5)."""
    return not span.all_day and any(
        wall.fold and instant(wall, span.zone) != instant(wall.replace(fold=0), span.zone)
        for wall in (span.start, span.end)
    )


def _in_utc(span: Span) -> Span:
    return Span.between(span.start_at, span.end_at, "UTC")


def _time_line(name: str, wall: datetime, span: Span) -> Line:
    if span.all_day:
        return Line(name, date_text(wall), (("VALUE", ("DATE",)),))
    if span.zone in UTC_NAMES:
        return Line(name, wall_text(wall) + "Z")
    return Line(name, wall_text(wall), (("TZID", (span.zone,)),))


def _recurrence_id(event: Event, item: Override) -> Line:
    # Same value type and zone as the master's DTSTART (RFC 5545 3.8.4.4).
    span = event.master.span
    return _time_line("RECURRENCE-ID", wall_time(item.original_start, span.zone), span)


def _slot_lines(name: str, slots: Iterable[datetime], event: Event) -> list[Line]:
    span = event.master.span
    return [_time_line(name, wall_time(at, span.zone), span) for at in slots]


def _slot_text(part: Component, event: Event) -> str | None:
    # The master's schedule did not change, so a slot in the master's own zone is spelled as we spell it; other
    # spellings of the same slot are rare and become fresh overrides.
    line = part.first("RECURRENCE-ID")
    tzid, span = line.param("TZID") if line else "", event.master.span
    if line is None or (tzid and tzid != span.zone):
        return None
    return line.value.strip()


def _planned(event: Event, slot: str) -> Span | None:
    """Return where the series has this slot, None where it has none."""
    try:
        at = instant(parse_moment(slot).wall, event.master.span.zone)
        return slots_between(event, at, at).get(at)
    except (IcsRefused, RuleRefused):
        return None


def _starts_alike(body: bytes, event: Event, reader: Reader) -> bool:
    """Tell whether a slot of the series there is the same one in the event: both begin at the same wall time."""
    try:
        now = read_event(body, reader).event
    except IcsRefused:
        return False
    if now.recurrence is None or event.recurrence is None:
        return False
    one, other = now.master.span, event.master.span
    return (one.start, one.zone, one.all_day) == (other.start, other.zone, other.all_day)


def _definitions(calendar: Component, event: Event) -> list[Component]:
    spans = [event.master.span, *(item.appearance.span for item in event.overrides)]
    names = dict.fromkeys(span.zone for span in spans if not span.all_day and span.zone not in UTC_NAMES)
    there = {line.value.strip(): part for part in calendar.named("VTIMEZONE") if (line := part.first("TZID"))}
    # A definition that came with the resource may be used by lines of the person's own.
    ours = {name: definition_of(name, event.master.span.start.year) for name in names}
    return [*ours.values(), *(part for name, part in there.items() if name not in ours)]
