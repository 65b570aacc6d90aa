"""Which zone a TZID means, decided for each file by itself, and the VTIMEZONE that we send.

Order: an IANA name; a Windows name; an IANA name at the end of a path (`/mozilla.org/20070129_1/Europe/Berlin`); the
file's own VTIMEZONE. Whatever is left is refused: never taken as floating (contract sheet 8.1). Where a file's
VTIMEZONE contradicts an IANA name, the name wins. Nothing of one file is remembered for the next.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import available_timezones

from dateutil.tz import tzical
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from calsync.domain.span import zone_named
from calsync.domain.zone_rules import Observance, observances, offset_text
from calsync_caldav.ics_text import MAX_EXTRA_DATES, Component, IcsRefused, Line, parse, serialise
from calsync_caldav.rules import checked_rule
from calsync_caldav.times import wall_text

_OFFSET = re.compile(r"[+-](?:0[0-9]|1[0-5])[0-5][0-9](?:[0-5][0-9])?")
_OBSERVANCE_LINES = {"DTSTART", "RRULE", "RDATE", "TZOFFSETFROM", "TZOFFSETTO", "TZNAME"}
_MAX_OBSERVANCES = 200
_HORIZON_YEARS = 16

UTC_NAME = "Etc/UTC"
"""What times that end in Z are read as: the name that IANA calls UTC by, `UTC` being a link to it."""
UTC_NAMES = {UTC_NAME, "UTC"}


@dataclass(frozen=True, slots=True)
class Zone:
    """What a TZID means: an IANA `name`, or "" and the rules of the file's own definition."""

    name: str
    rules: tzinfo

    def instant(self, wall: datetime) -> datetime:
        """Return the aware UTC instant of a naive wall time; IcsRefused where it leaves the calendar."""
        try:
            return wall.replace(tzinfo=self.rules).astimezone(UTC)
        except (OverflowError, ValueError):
            raise IcsRefused("year-out-of-range") from None


def iana(name: str) -> Zone:
    """Return the zone of an IANA name that is known to exist."""
    return Zone(name, zone_named(name))


class FileZones:
    """The zones of one file. `home` is the IANA zone to fall back on for naming private zones that equal it."""

    def __init__(self, calendar: Component, home: str) -> None:
        self._home = home
        self._definitions = {
            line.value.strip(): part for part in calendar.named("VTIMEZONE") if (line := part.first("TZID")) is not None
        }
        self._resolved: dict[str, Zone] = {}

    def named(self, tzid: str) -> Zone:
        """Return what the TZID means in this file; IcsRefused("unknown-zone") where nothing says it."""
        if tzid not in self._resolved:
            self._resolved[tzid] = self._resolve(tzid)
        return self._resolved[tzid]

    def _resolve(self, tzid: str) -> Zone:
        name = iana_name(tzid)
        if name:
            return iana(name)
        definition = self._definitions.get(tzid)
        if definition is None:
            raise IcsRefused("unknown-zone")
        rules = _rules_of(definition)
        location = definition.first("X-LIC-LOCATION")
        for candidate in (iana_name(location.value) if location else "", self._home):
            if candidate and _agree(rules, zone_named(candidate)):
                return iana(candidate)
        return Zone("", rules)


def zone_of_calendar(zone_id: str, definition: str) -> str:
    """Return the IANA name of a calendar's own zone, "" where it has none or one that has no such name.

    `zone_id`: its `calendar-timezone-id` (RFC 7809 5.2); `definition`: its `calendar-timezone` (RFC 4791 5.2.2).
    """
    if iana_name(zone_id):
        return iana_name(zone_id)
    try:
        calendar = parse(definition.strip().encode())
        line = next(part.first("TZID") for part in calendar.named("VTIMEZONE"))
        return FileZones(calendar, UTC_NAME).named(line.value.strip()).name if line else ""
    except (IcsRefused, StopIteration):
        return ""


def iana_name(tzid: str) -> str:
    """Return the IANA name that a TZID stands for, "" when it is none."""
    tzid = tzid.strip().strip('"')
    if tzid in _known():
        return tzid
    if tzid in WINDOWS_TO_OLSON:
        return str(WINDOWS_TO_OLSON[tzid])
    if tzid.startswith("/"):
        parts = tzid.split("/")
        return next((tail for n in (3, 2, 1) if (tail := "/".join(parts[-n:])) in _known()), "")
    return ""


@lru_cache(maxsize=1)
def _known() -> frozenset[str]:
    # Names that mean another thing on each machine are no names.
    return frozenset(available_timezones()) - {"localtime", "posixrules", "Factory"}


def _agree(one: tzinfo, other: tzinfo) -> bool:
    # Every ten days over three years that have both old and new summer time rules in them.
    at = datetime(2024, 1, 1, 12)
    for _ in range(110):
        if at.replace(tzinfo=one).utcoffset() != at.replace(tzinfo=other).utcoffset():
            return False
        at += timedelta(days=10)
    return True


def _rules_of(definition: Component) -> tzinfo:
    observances = [part for part in definition.children if part.name in {"STANDARD", "DAYLIGHT"}]
    if not observances or len(observances) > _MAX_OBSERVANCES:
        raise IcsRefused("bad-zone")
    clean = Component("VTIMEZONE", [Line("TZID", "private")], [_clean_observance(part) for part in observances])
    try:
        rules = tzical(io.StringIO(serialise(Component("VCALENDAR", [], [clean])).decode())).get("private")
    except (ValueError, OverflowError, AttributeError, TypeError):
        raise IcsRefused("bad-zone") from None
    if rules is None:
        raise IcsRefused("bad-zone")
    return rules


def _clean_observance(part: Component) -> Component:
    lines = [Line(line.name, line.value.strip()) for line in part.lines if line.name in _OBSERVANCE_LINES]
    if sum(line.value.count(",") + 1 for line in lines if line.name == "RDATE") > MAX_EXTRA_DATES:
        raise IcsRefused("bad-zone")
    for line in lines:
        if line.name.startswith("TZOFFSET") and not _OFFSET.fullmatch(line.value):
            raise IcsRefused("bad-zone")
        if line.name == "RRULE" and "FREQ=YEARLY" not in checked_rule(line.value):
            raise IcsRefused("bad-zone")
        if line.name == "DTSTART" and not re.fullmatch(r"(?:1[6-9]|2[0-9])[0-9]{6}T[0-9]{6}", line.value):
            raise IcsRefused("bad-zone")
    return Component(part.name, lines)


def definition_of(name: str, year: int) -> Component:
    """Return a VTIMEZONE of an IANA zone that holds from the year before an event for sixteen years on."""
    return _definition(name, (year - 1) // 4 * 4)


@lru_cache(maxsize=512)
def _definition(name: str, first_year: int) -> Component:
    parts = [_part(one) for one in observances(zone_named(name), first_year, _HORIZON_YEARS)]
    return Component("VTIMEZONE", [Line("TZID", name)], parts)


def _part(one: Observance) -> Component:
    lines = [
        Line("DTSTART", wall_text(one.onset)),
        *([Line("RRULE", one.rule)] if one.rule else []),
        Line("TZOFFSETFROM", offset_text(one.before)),
        Line("TZOFFSETTO", offset_text(one.after)),
    ]
    return Component("DAYLIGHT" if one.summer else "STANDARD", lines)
