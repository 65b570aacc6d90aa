"""A zone's rules over some years, in the terms of a VTIMEZONE (RFC 5545 3.6.5). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

# No zone changes twice within three days, and none back within them.
_STEP: Final = timedelta(days=3)
_DAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


@dataclass(frozen=True, slots=True)
class Observance:
    """An offset that holds from `onset` on: a naive wall time, told in the offset before it.

    `rule` yields all its onsets, one in each year; "" where it holds from this one only.
    """

    onset: datetime
    before: timedelta
    after: timedelta
    summer: bool
    rule: str = ""


def observances(zone: tzinfo, first_year: int, years: int) -> list[Observance]:
    """Return the parts that tell a zone from the start of a year on: by rule where onsets follow one, else one by one.

    Never several onsets without a rule: servers that keep zones in vobject (Radicale) give back only the first of a
    list of RDATE, and clients that believe the definition are then an hour off.
    """
    found: list[Observance] = []
    for (before, after, summer), onsets in _groups(zone, first_year, years).items():
        rule = yearly_rule(onsets)
        told = onsets[:1] if rule else onsets
        found += [Observance(onset, before, after, summer, rule) for onset in told]
    return found


def yearly_rule(onsets: Sequence[datetime]) -> str:
    """Return the RRULE that yields exactly these wall times, one in each year; "" where there is none."""
    first = onsets[0]
    alike = {(at.month, at.weekday(), at.time()) for at in onsets}
    if len(onsets) < 3 or len(alike) > 1 or [at.year for at in onsets] != [first.year + n for n in range(len(onsets))]:
        return ""
    day = _DAYS[first.weekday()]
    if all((at + timedelta(days=7)).month != at.month for at in onsets):
        return f"FREQ=YEARLY;BYMONTH={first.month};BYDAY=-1{day}"
    weeks = {(at.day - 1) // 7 + 1 for at in onsets}
    return f"FREQ=YEARLY;BYMONTH={first.month};BYDAY={weeks.pop()}{day}" if len(weeks) == 1 else ""


def offset_text(offset: timedelta) -> str:
    """An offset as UTC-OFFSET (RFC 5545 3.3.14)."""
    seconds = int(offset.total_seconds())
    sign, seconds = ("-", -seconds) if seconds < 0 else ("+", seconds)
    text = f"{sign}{seconds // 3600:02}{seconds // 60 % 60:02}"
    return f"{text}{seconds % 60:02}" if seconds % 60 else text


def _groups(zone: tzinfo, first_year: int, years: int) -> dict[tuple[timedelta, timedelta, bool], list[datetime]]:
    """Onsets by the offsets before and after them, and whether it is then summer time."""
    at = datetime(first_year, 1, 1, tzinfo=UTC)
    before, local = _offset(zone, at), at.astimezone(zone)
    groups = {(before, before, bool(local.dst())): [local.replace(tzinfo=None)]}
    for change in _changes(zone, at, datetime(first_year + years, 1, 1, tzinfo=UTC)):
        after, summer = _offset(zone, change), bool(change.astimezone(zone).dst())
        groups.setdefault((before, after, summer), []).append((change + before).replace(tzinfo=None))
        before = after
    return groups


def _changes(zone: tzinfo, at: datetime, end: datetime) -> Iterator[datetime]:
    while at < end:
        if _offset(zone, at) != _offset(zone, at + _STEP):
            yield _bisected(zone, at, at + _STEP)
        at += _STEP


def _bisected(zone: tzinfo, low: datetime, high: datetime) -> datetime:
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=int((high - low).total_seconds()) // 2)
        low, high = (middle, high) if _offset(zone, middle) == _offset(zone, low) else (low, middle)
    return high


def _offset(zone: tzinfo, at: datetime) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta()
