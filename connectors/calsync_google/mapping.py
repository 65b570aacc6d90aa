"""From event resources to the domain (contract sheet 4, 8). Pure: JSON in, values out.

Wall times stay in the zone that the event names; all-day times, and times in a zone that nobody knows, get the reader's
zone. Instance ids are names and nothing else: an occurrence is known by its series' id and its original start.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from calsync.connector.strict_json import text_of as clean
from calsync.domain.event import Appearance, Event, Recurrence
from calsync.domain.rule import RuleRefused, parse_rule
from calsync.domain.span import Span, ZoneUnknown, instant, wall_time, zone_named
from calsync_google.ours import MARKER, UID, our_description

Json = Mapping[str, Any]

MAX_ID = 1100
_WHEN = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_ID = re.compile(r"[!-~]+")
_LINE = re.compile(r"(RRULE|RDATE|EXDATE|EXRULE)((?:;[^:]*)?):(.*)", re.ASCII | re.IGNORECASE)
_STAMP = re.compile(r"(\d{8})(?:T(\d{6})(Z?))?", re.ASCII)
_ANSWERS = ("accepted", "tentative", "declined")


class RowRefused(ValueError):
    """The event breaks a rule of reading. `reason` is a stable word, never content."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Reader:
    """Whose eyes read: the IANA zone for times without one, and the addresses whose answer counts as the owner's."""

    zone: str
    addresses: Collection[str] = ()


def id_of(row: Json) -> str | None:
    """Return the event's id if it is one that can be used, else None."""
    name = row.get("id")
    usable = isinstance(name, str) and len(name) <= MAX_ID and _ID.fullmatch(name) and "/" not in name
    return name if usable and isinstance(name, str) else None


def etag_of(row: Json) -> str | None:
    """Return the row's version, None where it carries none that can be sent back."""
    tag = row.get("etag")
    usable = isinstance(tag, str) and 0 < len(tag) <= 200 and _ID.fullmatch(tag) is not None
    return tag if usable and isinstance(tag, str) else None


def master_of(row: Json) -> str | None:
    """Return the id of the series that the row is an occurrence of."""
    return text_of(row, "recurringEventId") or None


def is_cancelled(row: Json) -> bool:
    """Whether the row is deleted."""
    return row.get("status") == "cancelled"


def is_master(row: Json) -> bool:
    """Whether the row is a series."""
    return bool(row.get("recurrence")) and master_of(row) is None


def marker_of(row: Json) -> str | None:
    """Return the text of our marker, if the event carries one."""
    text = _private(row).get(MARKER)
    return text if isinstance(text, str) and 0 < len(text) <= 1024 and text.isascii() else None


def uid_of(row: Json) -> str:
    """Return the UID under which we wrote the event, else Google's iCalUID."""
    return clean(_private(row).get(UID)) or text_of(row, "iCalUID") or text_of(row, "id")


def text_of(row: Json, name: str) -> str:
    """Return a text field, fit to be stored; "" where there is none."""
    return clean(row.get(name))


def bare_event(row: Json, reader: Reader) -> Event:
    """Return a single event, or a series without its single changes; RowRefused for what cannot be understood."""
    looks = appearance(row, reader)
    return Event(
        uid=uid_of(row),
        master=looks,
        recurrence=recurrence(row, looks.span, reader),
        location=text_of(row, "location"),
        description=our_description(text_of(row, "description")),
        public=row.get("visibility") == "public",
    )


def appearance(row: Json, reader: Reader) -> Appearance:
    """Return how the row looks to people. A deleted row has no look: ask `is_cancelled` before."""
    return Appearance(
        span=_span(row, reader),
        title=text_of(row, "summary"),
        busy=row.get("transparency") != "transparent",
        answer=_answer(row, reader),
    )


def original_start(row: Json, reader: Reader) -> datetime:
    """Return which slot of its series the row stands for, as an aware UTC instant."""
    moment = row.get("originalStartTime")
    if not isinstance(moment, Mapping):
        raise RowRefused("no-original-start")
    return _moment(moment, reader).at


@dataclass(frozen=True, slots=True)
class _Moment:
    at: datetime
    zone: str | None  # None: a zone that nobody knows
    is_date: bool


def _span(row: Json, reader: Reader) -> Span:
    start, end = row.get("start"), row.get("end")
    if not isinstance(start, Mapping) or not isinstance(end, Mapping):
        raise RowRefused("no-times")
    first, last = _moment(start, reader), _moment(end, reader)
    if first.is_date != last.is_date:
        raise RowRefused("date-and-time-mixed")
    if last.at < first.at:
        raise RowRefused("end-before-start")
    if first.is_date:
        return Span(wall_time(first.at, reader.zone), wall_time(last.at, reader.zone), reader.zone, all_day=True)
    if first.zone is None and row.get("recurrence"):
        raise RowRefused("unknown-zone")
    try:
        return Span.between(first.at, last.at, first.zone or reader.zone)
    except (OverflowError, ValueError):
        raise RowRefused("year-out-of-range") from None


def _moment(moment: Json, reader: Reader) -> _Moment:
    day, clock = moment.get("date"), moment.get("dateTime")
    if (day is None) == (clock is None):
        raise RowRefused("date-and-time-mixed" if day is not None else "no-times")
    try:
        if day is not None:
            if not isinstance(day, str) or not _DAY.fullmatch(day):
                raise RowRefused("bad-date")
            midnight = datetime.combine(date.fromisoformat(day), time())
            return _Moment(instant(midnight, reader.zone), reader.zone, is_date=True)
        found = _WHEN.fullmatch(clock) if isinstance(clock, str) else None
        if found is None:
            raise RowRefused("bad-time")
        at = datetime.fromisoformat(found[1] + found[2].replace("Z", "+00:00")).astimezone(UTC)
    except (ValueError, OverflowError) as problem:
        raise problem if isinstance(problem, RowRefused) else RowRefused("bad-time") from None
    return _Moment(at, _zone(moment, reader), is_date=False)


def _zone(moment: Json, reader: Reader) -> str | None:
    name = moment.get("timeZone")
    if name is None:
        return reader.zone
    try:
        zone_named(name if isinstance(name, str) else "")
    except ZoneUnknown:
        return None
    return str(name)


def _answer(row: Json, reader: Reader) -> str:
    attendees = row.get("attendees")
    for guest in attendees if isinstance(attendees, list) else ():
        if not isinstance(guest, Mapping):
            continue
        is_owner = guest.get("self") is True or str(guest.get("email", "")).lower() in reader.addresses
        if is_owner:
            word = guest.get("responseStatus")
            return str(word) if word in _ANSWERS else ""
    return ""


def _private(row: Json) -> Json:
    held = row.get("extendedProperties")
    private = held.get("private") if isinstance(held, Mapping) else None
    return private if isinstance(private, Mapping) else {}


# ---------------------------------------------------------------- recurrence lines


def recurrence(row: Json, span: Span, reader: Reader) -> Recurrence | None:
    """Return when a series repeats; None for a single event. RowRefused for rules that nobody expands alike."""
    lines = row.get("recurrence")
    if not lines or master_of(row) is not None:
        return None
    if not isinstance(lines, list) or len(lines) > 1000:
        raise RowRefused("bad-recurrence")
    rules: list[str] = []
    added: set[datetime] = set()
    excluded: set[datetime] = set()
    for line in lines:
        found = _LINE.fullmatch(line) if isinstance(line, str) else None
        if found is None or found[1].upper() == "EXRULE":
            raise RowRefused("rule-part")
        name, params, value = found[1].upper(), found[2], found[3]
        if name == "RRULE":
            rules.append(_checked(value))
        else:
            (added if name == "RDATE" else excluded).update(_stamps(value, params, span, reader))
    if len(rules) > 1:
        raise RowRefused("two-rules")
    if max(len(added), len(excluded)) > 500:
        raise RowRefused("too-many-dates")
    return Recurrence(rules[0] if rules else "", tuple(sorted(added)), tuple(sorted(excluded)))


def _checked(text: str) -> str:
    rule = text.strip().upper().removesuffix(";")
    try:
        parse_rule(rule)
    except RuleRefused as refusal:
        raise RowRefused(f"rule-{refusal.broken}") from None
    return rule


def _stamps(value: str, params: str, span: Span, reader: Reader) -> Iterator[datetime]:
    zone = next((part[5:] for part in params.split(";") if part.upper().startswith("TZID=")), span.zone)
    for text in value.split(","):
        found = _STAMP.fullmatch(text.strip())
        if found is None:
            raise RowRefused("bad-date")
        try:
            day = datetime.strptime(found[1], "%Y%m%d").replace(tzinfo=UTC).date()
            if found[2] is None:
                # A bare date means that day's slot.
                clock = time() if span.all_day else span.start.time()
                yield instant(datetime.combine(day, clock), reader.zone if span.all_day else span.zone)
                continue
            clock = time(int(found[2][:2]), int(found[2][2:4]), min(int(found[2][4:]), 59))
            wall = datetime.combine(day, clock)
            yield wall.replace(tzinfo=UTC) if found[3] else instant(wall, zone)
        except (ValueError, OverflowError):
            raise RowRefused("bad-date") from None
