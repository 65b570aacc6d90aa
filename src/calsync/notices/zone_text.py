"""A zone's rules as VTIMEZONE lines (RFC 5545 3.6.5), so that a client's calendar needs no table of its own. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final

from calsync.domain.span import zone_named

_YEARS: Final = 10
_STEP: Final = timedelta(days=3)
_DAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


@lru_cache(maxsize=256)
def zone_lines(name: str, year: int) -> tuple[str, ...]:
    """The lines of a zone's definition that holds from the year before `year` for ten years on."""
    zone = zone_named(name)
    start = datetime(year - 1, 1, 1, tzinfo=UTC)
    before = _offset(zone, start)
    first = start.astimezone(zone)
    onsets: dict[tuple[timedelta, timedelta, bool], list[datetime]] = {
        (before, before, bool(first.dst())): [first.replace(tzinfo=None)]
    }
    for change in _changes(zone, start, start + timedelta(days=366 * _YEARS)):
        after = _offset(zone, change)
        # An onset is told in the wall time of the offset before it.
        wall = (change + before).replace(tzinfo=None)
        onsets.setdefault((before, after, bool(change.astimezone(zone).dst())), []).append(wall)
        before = after
    parts = [line for key, walls in onsets.items() for line in _observances(key, walls)]
    return ("BEGIN:VTIMEZONE", f"TZID:{name}", *parts, "END:VTIMEZONE")


def _observances(key: tuple[timedelta, timedelta, bool], walls: list[datetime]) -> list[str]:
    """One part with a rule where the onsets follow one, else a part each: lists of RDATE are not read everywhere."""
    rule = _rule(walls)
    if rule is not None:
        return _observance(key, walls[0], [f"RRULE:{rule}"])
    return [line for wall in walls for line in _observance(key, wall, [])]


def _observance(key: tuple[timedelta, timedelta, bool], wall: datetime, rule: list[str]) -> list[str]:
    before, after, summer = key
    name = "DAYLIGHT" if summer else "STANDARD"
    offsets = [f"TZOFFSETFROM:{_offset_text(before)}", f"TZOFFSETTO:{_offset_text(after)}"]
    return [f"BEGIN:{name}", f"DTSTART:{wall:%Y%m%dT%H%M%S}", *rule, *offsets, f"END:{name}"]


def _rule(walls: list[datetime]) -> str | None:
    first = walls[0]
    alike = {(at.month, at.weekday(), at.time()) for at in walls}
    if len(walls) < 3 or len(alike) > 1 or [at.year for at in walls] != [first.year + n for n in range(len(walls))]:
        return None
    day = _DAYS[first.weekday()]
    if all((at + timedelta(days=7)).month != at.month for at in walls):
        return f"FREQ=YEARLY;BYMONTH={first.month};BYDAY=-1{day}"
    weeks = {(at.day - 1) // 7 + 1 for at in walls}
    return f"FREQ=YEARLY;BYMONTH={first.month};BYDAY={weeks.pop()}{day}" if len(weeks) == 1 else None


def _changes(zone: tzinfo, at: datetime, end: datetime) -> list[datetime]:
    found = []
    while at < end:
        if _offset(zone, at) != _offset(zone, at + _STEP):
            found.append(_bisected(zone, at, at + _STEP))
        at += _STEP
    return found


def _bisected(zone: tzinfo, low: datetime, high: datetime) -> datetime:
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=int((high - low).total_seconds()) // 2)
        low, high = (middle, high) if _offset(zone, middle) == _offset(zone, low) else (low, middle)
    return high


def _offset(zone: tzinfo, at: datetime) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta()


def _offset_text(offset: timedelta) -> str:
    seconds = int(offset.total_seconds())
    sign, seconds = ("-", -seconds) if seconds < 0 else ("+", seconds)
    return f"{sign}{seconds // 3600:02}{seconds // 60 % 60:02}"
