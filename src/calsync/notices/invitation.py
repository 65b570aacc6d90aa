"""What a client's own calendar is told: iTIP REQUEST and CANCEL (RFC 5546), as text. Pure.

One object speaks of one UID, which never changes; its SEQUENCE rises with every change of the record. Nobody is asked
to reply, and nothing but times is told: the title is the same word for everybody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from calsync.domain.event import Event
from calsync.domain.span import Span, wall_time
from calsync.notices.zone_text import zone_lines

TITLE: Final = "Appointment"
_UTC: Final = frozenset({"UTC", "Etc/UTC"})
_MAX_OCTETS: Final = 75


class Method(StrEnum):
    """What the recipient's calendar is to do."""

    REQUEST = "REQUEST"  # show it so
    CANCEL = "CANCEL"  # take it off


@dataclass(frozen=True, slots=True)
class Single:
    """One session: on its own, or (with `original_start`, an aware instant) in place of one of a series."""

    span: Span
    sequence: int
    original_start: datetime | None = None


@dataclass(frozen=True, slots=True)
class Invitation:
    """One object. `sessions` are told one by one; `event`, if given, is a whole series with its own `sequence`."""

    method: Method
    uid: str
    sessions: tuple[Single, ...] = ()
    event: Event | None = None
    sequence: int = 0
    zone: str = "UTC"  # in which original starts are told: the series' own


@dataclass(frozen=True, slots=True)
class Ends:
    """Between whom: bare addresses. `now` stamps the object."""

    organizer: str
    attendee: str
    now: datetime


def write_invitation(one: Invitation, ends: Ends) -> str:
    """The object as RFC 5545 text, with CRLF and folded lines."""
    components = [line for part in _components(one, ends) for line in part]
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//calsync//mails//EN",
        f"METHOD:{one.method}",
        *(line for zone in _zones(one) for line in zone),
        *components,
        "END:VCALENDAR",
    ]
    return "".join(f"{part}\r\n" for line in lines for part in _folded(line))


def _zones(one: Invitation) -> Iterator[tuple[str, ...]]:
    spans = [session.span for session in one.sessions]
    if one.event is not None:
        spans += [one.event.master.span, *(item.appearance.span for item in one.event.overrides)]
    years: dict[str, int] = {}
    for span in spans:
        years[span.zone] = min(span.start.year, years.get(span.zone, span.start.year))
    if any(session.original_start is not None for session in one.sessions):
        years.setdefault(one.zone, min(years.values()))
    yield from (zone_lines(name, year) for name, year in sorted(years.items()) if name not in _UTC)


def _components(one: Invitation, ends: Ends) -> Iterator[list[str]]:
    if one.event is not None:
        yield from _series(one, one.event, ends)
    for session in one.sessions:
        slot = () if session.original_start is None else (_time("RECURRENCE-ID", session.original_start, one.zone),)
        yield _vevent(one, ends, session.span, session.sequence, slot)


def _series(one: Invitation, event: Event, ends: Ends) -> Iterator[list[str]]:
    zone = event.master.span.zone
    rule = []
    if event.recurrence is not None:
        rule = [f"RRULE:{event.recurrence.rule}"]
        rule += [_time("RDATE", at, zone) for at in event.recurrence.added]
        rule += [_time("EXDATE", at, zone) for at in event.recurrence.excluded]
    yield _vevent(one, ends, event.master.span, one.sequence, rule)
    for item in event.overrides:
        slot = [_time("RECURRENCE-ID", item.original_start, zone)]
        yield _vevent(one, ends, item.appearance.span, one.sequence, slot)


def _vevent(one: Invitation, ends: Ends, span: Span, sequence: int, more: Iterable[str]) -> list[str]:
    cancelled = one.method is Method.CANCEL
    return [
        "BEGIN:VEVENT",
        f"UID:{one.uid}",
        f"SEQUENCE:{sequence}",
        f"DTSTAMP:{ends.now.astimezone(UTC):%Y%m%dT%H%M%SZ}",
        _time("DTSTART", span.start_at, span.zone),
        _time("DTEND", span.end_at, span.zone),
        *more,
        f"SUMMARY:{TITLE}",
        f"STATUS:{'CANCELLED' if cancelled else 'CONFIRMED'}",
        "CLASS:PRIVATE",
        f"TRANSP:{'TRANSPARENT' if cancelled else 'OPAQUE'}",
        f"ORGANIZER:mailto:{ends.organizer}",
        f"ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;RSVP=FALSE:mailto:{ends.attendee}",
        "X-MICROSOFT-DISALLOW-COUNTER:TRUE",
        "END:VEVENT",
    ]


def _time(name: str, at: datetime, zone: str) -> str:
    if zone in _UTC:
        return f"{name}:{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    return f"{name};TZID={zone}:{wall_time(at, zone):%Y%m%dT%H%M%S}"


def _folded(line: str) -> Iterator[str]:
    """The line in parts of at most 75 octets, each but the first behind a space (RFC 5545 3.1)."""
    part = ""
    for character in line:
        if len((part + character).encode()) > _MAX_OCTETS:
            yield part
            part = " "
        part += character
    yield part
