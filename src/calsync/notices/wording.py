"""How mails write times and name what happened to a session. Pure; English; 24 hours; weekday first."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from calsync.domain.drift import DriftKind
from calsync.domain.rule import parse_rule
from calsync.domain.span import Span, wall_time
from calsync.notices.facts import EditedSession

# Not from the C library's locale: a mail reads the same on every machine.
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
LISTED: Final = 12
"""How many sessions a mail lists before it says how many more there are."""
_FORMATS: Final = {"video": "by video", "phone": "by phone", "in-person": "in person"}
_EVERY: Final = {"DAILY": ("day", "days"), "WEEKLY": ("week", "weeks"), "MONTHLY": ("month", "months")}
_SERVICES: Final = {"google": "Google calendar", "outlook": "Outlook calendar"}

_WITHOUT_TIME: Final = {
    DriftKind.DELETED: "deleted",
    DriftKind.CANCELLED: "marked as cancelled",
    DriftKind.MADE_ALL_DAY: "turned into a whole day",
    DriftKind.RELOCATED: "moved to another calendar",
    DriftKind.DUPLICATED: "copied",
    DriftKind.DECLINED: "declined",
    DriftKind.UNREADABLE: "changed in a way we cannot read",
}


def short_day(day: date) -> str:
    """`Tue 24 Nov`."""
    return f"{_DAYS[day.weekday()][:3]} {day.day} {_MONTHS[day.month - 1][:3]}"


def long_day(day: date) -> str:
    """`Tuesday 24 November`."""
    return f"{_DAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]}"


def clock(at: datetime) -> str:
    """`10:00`."""
    return f"{at:%H:%M}"


def short_moment(at: datetime, zone: str) -> str:
    """`Tue 24 Nov, 10:00`, as clocks in the zone show it."""
    wall = wall_time(at, zone)
    return f"{short_day(wall)}, {clock(wall)}"


def long_moment(at: datetime, zone: str) -> str:
    """`Tuesday 24 November, 10:00`, as clocks in the zone show it."""
    wall = wall_time(at, zone)
    return f"{long_day(wall)}, {clock(wall)}"


def moment_seen(at: datetime, now: datetime, zone: str) -> str:
    """`today at 08:55`, or `on Saturday 21 November at 10:02`."""
    wall = wall_time(at, zone)
    if wall.date() == wall_time(now, zone).date():
        return f"today at {clock(wall)}"
    return f"on {long_day(wall)} at {clock(wall)}"


def long_span(span: Span, zone: str) -> str:
    """`Tuesday 24 November, 10:00-10:50`; the day alone for whole days."""
    start, end = _walls(span, zone)
    return long_day(start) if span.all_day else f"{long_day(start)}, {clock(start)}-{clock(end)}"


def short_span(span: Span, zone: str) -> str:
    """`Tue 24 Nov, 10:00-10:50`; the day alone for whole days."""
    start, end = _walls(span, zone)
    return short_day(start) if span.all_day else f"{short_day(start)}, {clock(start)}-{clock(end)}"


def zone_words(zone: str) -> str:
    """`New York time`: a zone as its clocks are called, without the continent."""
    city = zone.rpartition("/")[2].replace("_", " ")
    return city if city.upper() in ("UTC", "GMT") else f"{city} time"


def format_words(word: str | None) -> str:
    """`by video`, for the formats that have a phrase; any other word as it is."""
    return _FORMATS.get(word or "", on_one_line(word or ""))


def on_one_line(text: str) -> str:
    """A name or word that somebody typed, without line breaks and of a sensible length."""
    return " ".join(text.split())[:80]


def cadence(rule: str) -> str:
    """`every 2 weeks`: how often a rule repeats, as far as words are short; whatever its days."""
    parsed = parse_rule(rule)
    single, several = _EVERY.get(parsed.frequency.value, ("year", "years"))
    return f"every {single}" if parsed.interval == 1 else f"every {parsed.interval} {several}"


def service_name(connector: str) -> str:
    """What a provider calls the calendar."""
    return _SERVICES.get(connector, "calendar")


def company_name(connector: str) -> str:
    """Who runs it, at the start of a sentence."""
    return {"google": "Google", "outlook": "Microsoft"}.get(connector, "Your calendar service")


def what_happened(session: EditedSession, zone: str) -> str:
    """What an edit did, to follow "was": `moved to 14:00-14:50`, `deleted`. Says the day only if it is another."""
    if session.kind in _WITHOUT_TIME:
        return _WITHOUT_TIME[session.kind]
    if session.observed is None:
        return "deleted" if session.kind is not DriftKind.NEW_TIME_PROPOSED else "given another time by somebody"
    verb = {DriftKind.RESIZED: "changed to", DriftKind.NEW_TIME_PROPOSED: "proposed for"}.get(session.kind, "moved to")
    return f"{verb} {_seen(session, session.observed, zone)}"


def _seen(session: EditedSession, observed: Span, zone: str) -> str:
    start, end = _walls(observed, zone)
    expected = session.expected
    if observed.all_day or expected is None or _walls(expected, zone)[0].date() != start.date():
        return short_span(observed, zone)
    return f"{clock(start)}-{clock(end)}"


def _walls(span: Span, zone: str) -> tuple[datetime, datetime]:
    if span.all_day:
        return span.start, span.end
    return wall_time(span.start_at, zone), wall_time(span.end_at, zone)
