"""The dates, times and durations of RFC 5545 3.3, read strictly: digits that are no date are refused, never guessed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from calsync.domain.recurrence import FIRST_YEAR, LAST_YEAR
from calsync_caldav.ics_text import IcsRefused

_TIME = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})(?:T([0-9]{2})([0-9]{2})([0-9]{2})(Z?))?")
_DURATION = re.compile(
    r"([+-]?)P(?:([0-9]{1,8})W)?(?:([0-9]{1,8})D)?(?:T(?:([0-9]{1,8})H)?(?:([0-9]{1,8})M)?(?:([0-9]{1,8})S)?)?"
)


@dataclass(frozen=True, slots=True)
class Moment:
    """A DATE or DATE-TIME as written: naive `wall`, `is_date` for a day, `utc` for the form that ends in Z."""

    wall: datetime
    is_date: bool = False
    utc: bool = False


@dataclass(frozen=True, slots=True)
class Duration:
    """Whole days (nominal: the same wall time that many days on) and an exact part, both at least zero."""

    days: int
    exact: timedelta


def parse_moment(text: str) -> Moment:
    """Return the moment; IcsRefused for what no calendar can show, and outside the years that the domain expands."""
    found = _TIME.fullmatch(text.strip())
    if found is None:
        raise IcsRefused("bad-time")
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise IcsRefused("year-out-of-range")
    try:
        wall = datetime(year, month, day, hour, minute, min(second, 59))
    except ValueError:
        raise IcsRefused("bad-time") from None
    return Moment(wall, is_date=found[4] is None, utc=found[7] == "Z")


def parse_duration(text: str) -> Duration:
    """Return the length; IcsRefused when it is malformed, negative or longer than ten years."""
    found = _DURATION.fullmatch(text.strip())
    if found is None or not any(found.groups()[1:]):
        raise IcsRefused("bad-duration")
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups()[1:])
    if found[1] == "-" and any((weeks, days, hours, minutes, seconds)):
        raise IcsRefused("negative-duration")
    try:
        exact = timedelta(hours=hours, minutes=minutes, seconds=seconds)
        too_long = timedelta(days=days, weeks=weeks) + exact > timedelta(days=3660)
    except OverflowError:
        too_long, exact = True, timedelta()
    if too_long:
        raise IcsRefused("bad-duration")
    return Duration(weeks * 7 + days, exact)


def date_text(at: datetime) -> str:
    """Return a DATE value."""
    return at.strftime("%Y%m%d") if at.year >= 1000 else f"{at.year:04}{at:%m%d}"


def wall_text(at: datetime) -> str:
    """Return a DATE-TIME value without zone: the wall time, or with a Z added by the caller the UTC one."""
    return f"{date_text(at)}T{at:%H%M%S}"


def midnight(at: datetime) -> datetime:
    """Return the naive midnight that begins the day of a wall time."""
    return datetime.combine(at.date(), time())
