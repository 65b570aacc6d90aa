"""Where a session is booked and where calendars and logs showed it, as bars over one day's hours. Pure.

Numbers are thousandths of the drawing's width, ready for an SVG; each bar carries its words beside it, so that nothing
rests on the picture alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from calsync.domain.span import Span, wall_time
from calsync.notices.wording import short_day
from calsync.support.words import known_zone, span_text

WIDTH: Final = 1000
_MARGIN: Final = timedelta(minutes=45)
_SHORTEST: Final = timedelta(hours=3)


@dataclass(frozen=True, slots=True)
class Sight:
    """One thing to draw: who says it, and the span; None: it was not there. `kind` is booked, seen, log or said."""

    label: str
    kind: str
    span: Span | None


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of the drawing. `left` and `wide` are None for what was not there, or lasted the whole day."""

    label: str
    kind: str
    text: str
    day: str
    other_day: bool
    left: int | None
    wide: int | None


@dataclass(frozen=True, slots=True)
class Picture:
    """The lines, and the hours under them with their places."""

    bars: tuple[Bar, ...]
    hours: tuple[tuple[int, str], ...]


def draw(sights: Sequence[Sight], zone: str) -> Picture | None:
    """The drawing, in the clocks of `zone`; None if there is nothing to compare."""
    zone = known_zone(zone)
    timed = [one.span for one in sights if one.span is not None and not one.span.all_day]
    if not timed:
        return None
    walls = [_walls(span, zone) for span in timed]
    first, last = _hours(walls)
    booked = next((one.span for one in sights if one.kind == "booked" and one.span is not None), timed[0])
    day = _walls(booked, zone)[0].date()
    count = int((last - first) / timedelta(hours=1)) + 1
    marks = [first + timedelta(hours=number) for number in range(0, count, _step(last - first))]
    hours = tuple((_place(at, (first, last)), f"{at // timedelta(hours=1) % 24:02}:00") for at in marks)
    return Picture(tuple(_bar(one, zone, day, (first, last)) for one in sights), hours)


def _bar(sight: Sight, zone: str, day: date, hours: tuple[timedelta, timedelta]) -> Bar:
    if sight.span is None:
        return Bar(sight.label, sight.kind, "not there", "", other_day=False, left=None, wide=None)
    text = span_text(sight.span, zone)
    start, end = _walls(sight.span, zone)
    other = start.date() != day
    if sight.span.all_day:
        return Bar(sight.label, sight.kind, f"{text}, all day", short_day(start), other_day=other, left=None, wide=None)
    left = _place(_clock(start), hours)
    right = _place(_clock(start) + (end - start), hours)
    return Bar(sight.label, sight.kind, text, short_day(start), other, left, max(8, right - left))


def _hours(walls: Sequence[tuple[datetime, datetime]]) -> tuple[timedelta, timedelta]:
    """From which full hour to which the drawing goes."""
    first = min(_clock(start) for start, _ in walls) - _MARGIN
    last = max(_clock(start) + (end - start) for start, end in walls) + _MARGIN
    first = max(timedelta(), timedelta(hours=first // timedelta(hours=1)))
    last = timedelta(hours=-(-last // timedelta(hours=1)))
    return first, max(last, first + _SHORTEST)


def _step(length: timedelta) -> int:
    return max(1, -(-length // timedelta(hours=8)))


def _place(at: timedelta, hours: tuple[timedelta, timedelta]) -> int:
    first, last = hours
    return max(0, min(WIDTH, round(WIDTH * ((at - first) / (last - first)))))


def _clock(wall: datetime) -> timedelta:
    return timedelta(hours=wall.hour, minutes=wall.minute)


def _walls(span: Span, zone: str) -> tuple[datetime, datetime]:
    if span.all_day:
        return span.start, span.end
    return wall_time(span.start_at, zone), wall_time(span.end_at, zone)
