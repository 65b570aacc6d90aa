"""From a calendar resource to an Event (RFC 5545, RFC 4791 4.1). Pure: text in, values out, nothing remembered.

Wall times stay in the zone that the file names; UTC times get the zone `Etc/UTC`; floating times get the calendar's own
zone; all-day times get the zone of the reader, as do times in a private zone that no IANA name equals. A resource of
overrides alone (an invitation to some occurrences of a series) is an event without recurrence whose master looks like
the first override, with the overrides beside it.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from calsync.domain.event import Appearance, Event, Override, Recurrence
from calsync.domain.span import Span
from calsync_caldav.ics_text import (
    MAX_EXTRA_DATES,
    MAX_OVERRIDES,
    Component,
    IcsRefused,
    Line,
    parse,
    shown_text,
)
from calsync_caldav.ours import MARKER, our_description
from calsync_caldav.rules import checked_rule
from calsync_caldav.times import Duration, Moment, midnight, parse_duration, parse_moment
from calsync_caldav.zones import UTC_NAME, FileZones, Zone, iana

_MARKER_ANYWHERE = re.compile(rb"^" + MARKER.encode() + rb":([!-~]{1,500})\r?$", re.MULTILINE)
_FOLD = re.compile(rb"\r?\n[ \t]")


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a resource holds: the event, and the text of our marker if it carries one."""

    event: Event
    marker: str | None


@dataclass(frozen=True, slots=True)
class Reader:
    """Whose eyes read: the provider's IANA zone, and the addresses whose answer counts as the owner's.

    `floating`: the calendar's own zone (RFC 4791 5.2.2), in which times without one are read; "" for the provider's.
    """

    zone: str
    addresses: Collection[str] = ()
    floating: str = ""


def read_event(body: bytes, reader: Reader) -> Parsed:
    """Return the aggregate that a resource holds; IcsRefused with the name of the rule that it breaks."""
    calendar = parse(body)
    components = calendar.named("VEVENT")
    if not components:
        raise IcsRefused("no-event")
    if len(components) > MAX_OVERRIDES + 1:
        raise IcsRefused("too-many-overrides")
    uid = _only_uid(components)
    masters = [part for part in components if part.first("RECURRENCE-ID") is None]
    if len(masters) > 1:
        raise IcsRefused("two-masters")
    file = _File(FileZones(calendar, reader.zone), reader)
    carrier = next((line for part in [*masters, *components] if (line := part.first(MARKER))), None)
    event = _aggregate(file, uid, masters, [part for part in components if part not in masters])
    return Parsed(event, carrier.value.strip() if carrier else None)


def marker_in(body: bytes) -> str | None:
    """Return our marker from a resource that cannot be read, so that it is known to be ours."""
    found = _MARKER_ANYWHERE.search(_FOLD.sub(b"", body[: 1 << 20]))
    return found[1].decode("ascii") if found else None


@dataclass(frozen=True, slots=True)
class _File:
    zones: FileZones
    reader: Reader


@dataclass(frozen=True, slots=True)
class _Placed:
    """A moment with the zone it is read in."""

    moment: Moment
    zone: Zone

    @property
    def at(self) -> datetime:
        return self.zone.instant(self.moment.wall)


def _only_uid(components: list[Component]) -> str:
    uids = set()
    for part in components:
        line = part.one("UID")
        if line is None or not line.value.strip():
            raise IcsRefused("no-uid")
        uids.add(line.value.strip())
    if len(uids) > 1:
        raise IcsRefused("several-uids")
    return str(uids.pop())


def _aggregate(file: _File, uid: str, masters: list[Component], others: list[Component]) -> Event:
    if not masters:
        return _orphans(file, uid, others)
    master = masters[0]
    start = _start(file, master)
    appearance = _appearance(file, master)
    recurrence = _recurrence(file, master, start)
    if recurrence is not None and not start.zone.name:
        raise IcsRefused("private-zone-series")
    overrides = _overrides(file, others, start)
    return Event(
        uid=uid,
        master=appearance,
        recurrence=recurrence,
        overrides=overrides,
        location=_text(master, "LOCATION"),
        description=our_description(_text(master, "DESCRIPTION")),
        # Servers may drop the line; only who wrote it has made it public.
        public=any(_text(part, "CLASS").strip().upper() == "PUBLIC" for part in (master, *others)),
    )


def _orphans(file: _File, uid: str, parts: list[Component]) -> Event:
    overrides = _overrides(file, parts, _start(file, parts[0]))
    return Event(uid=uid, master=overrides[0].appearance, overrides=overrides, location=_text(parts[0], "LOCATION"))


def _overrides(file: _File, parts: list[Component], master: _Placed) -> tuple[Override, ...]:
    found: dict[datetime, Override] = {}
    for part in parts:
        line = part.one("RECURRENCE-ID")
        if line is None:
            continue
        if line.param("RANGE"):
            raise IcsRefused("range-this-and-future")
        at = _slot(file, line, master)
        if at in found:
            raise IcsRefused("two-overrides")
        found[at] = Override(at, _appearance(file, part))
    return tuple(found[at] for at in sorted(found))


def _slot(file: _File, line: Line, master: _Placed, text: str = "") -> datetime:
    # Which slot of the master a RECURRENCE-ID, EXDATE or RDATE value means: clients write it in any zone, floating
    # times are the master's, and a bare date is the slot of that day.
    moment = parse_moment(text or line.value)
    if moment.is_date and not master.moment.is_date:
        moment = Moment(datetime.combine(moment.wall.date(), master.moment.wall.time()))
        return master.zone.instant(moment.wall)
    if master.moment.is_date:
        return master.zone.instant(midnight(moment.wall))
    return _placed(file, line, moment, master.zone).at


def _start(file: _File, part: Component) -> _Placed:
    line = part.one("DTSTART")
    if line is None:
        raise IcsRefused("no-start")
    moment = parse_moment(line.value)
    return _placed(
        file, line, moment, iana(file.reader.zone if moment.is_date else file.reader.floating or file.reader.zone)
    )


def _placed(file: _File, line: Line, moment: Moment, floating: Zone) -> _Placed:
    if moment.is_date:
        return _Placed(moment, floating)
    if moment.utc:
        return _Placed(moment, iana(UTC_NAME))
    tzid = line.param("TZID")
    return _Placed(moment, file.zones.named(tzid) if tzid else floating)


def _appearance(file: _File, part: Component) -> Appearance:
    status, transparency = part.first("STATUS"), part.first("TRANSP")
    return Appearance(
        span=_span(file, part),
        title=_text(part, "SUMMARY"),
        cancelled=status is not None and status.value.strip().upper() == "CANCELLED",
        busy=transparency is None or transparency.value.strip().upper() != "TRANSPARENT",
        answer=_answer(part, file.reader.addresses),
    )


def _span(file: _File, part: Component) -> Span:
    start = _start(file, part)
    end, duration = part.one("DTEND"), part.one("DURATION")
    try:
        if end is not None:
            return _ended(start, _placed(file, end, parse_moment(end.value), start.zone), file.reader.zone)
        return _lasting(start, parse_duration(duration.value) if duration else None, file.reader.zone)
    except (OverflowError, ValueError):
        raise IcsRefused("year-out-of-range") from None


def _ended(start: _Placed, end: _Placed, home: str) -> Span:
    if start.moment.is_date != end.moment.is_date:
        raise IcsRefused("date-and-time-mixed")
    if end.at < start.at:
        raise IcsRefused("end-before-start")
    if start.moment.is_date:
        return Span(start.moment.wall, end.moment.wall, start.zone.name, all_day=True)
    if start.zone.name and start.zone.name == end.zone.name:
        return Span(start.moment.wall, end.moment.wall, start.zone.name)
    return Span.between(start.at, end.at, start.zone.name or home)


def _lasting(start: _Placed, length: Duration | None, home: str) -> Span:
    if start.moment.is_date:
        days = max(1, length.days + length.exact.days) if length else 1
        return Span(start.moment.wall, start.moment.wall + timedelta(days=days), start.zone.name, all_day=True)
    # Days are nominal, the rest is exact (RFC 5545 3.3.6).
    days_on = start.moment.wall + timedelta(days=length.days if length else 0)
    end_at = start.zone.instant(days_on) + (length.exact if length else timedelta())
    return Span.between(start.at, end_at, start.zone.name or home)


def _recurrence(file: _File, master: Component, start: _Placed) -> Recurrence | None:
    rule, added, excluded = master.one("RRULE"), master.all("RDATE"), master.all("EXDATE")
    if master.first("EXRULE") is not None:
        raise IcsRefused("rule-part")  # RFC 2445 only, and nobody expands it alike
    if rule is None and not added:
        return None
    extra = sum(line.value.count(",") + 1 for line in (*added, *excluded))
    if extra > MAX_EXTRA_DATES:
        raise IcsRefused("too-many-dates")
    if any(line.param("VALUE").upper() == "PERIOD" for line in added):
        raise IcsRefused("period")
    return Recurrence(
        rule=checked_rule(rule.value) if rule else "",
        added=_slots(file, added, start),
        excluded=_slots(file, excluded, start),
    )


def _slots(file: _File, lines: list[Line], master: _Placed) -> tuple[datetime, ...]:
    values = ((line, text) for line in lines for text in line.value.split(",") if text.strip())
    return tuple(sorted({_slot(file, line, master, text).astimezone(UTC) for line, text in values}))


def _text(part: Component, name: str) -> str:
    line = part.first(name)
    return shown_text(line.value) if line else ""


def _answer(part: Component, addresses: Collection[str]) -> str:
    for line in part.all("ATTENDEE"):
        if line.value.strip().lower().removeprefix("mailto:") in addresses:
            answer = line.param("PARTSTAT").lower()
            return answer if answer in {"accepted", "tentative", "declined"} else ""
    return ""
