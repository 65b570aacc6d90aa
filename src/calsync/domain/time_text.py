"""Session times as people and programs write them. Pure; called by imports, commands and the API, so that all agree.

Nothing is guessed: a time that a clock shows twice, or never, and a date that can be read in two ways are refused with
a sentence for their writer (`ValueError`).
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final

from calsync.domain.span import instant, wall_time

_FORM: Final = re.compile(
    r"(?P<day>\d{4}-\d{2}-\d{2})[T ](?P<clock>\d{2}:\d{2}(?::\d{2})?)(?:\.0{1,9})?"
    r"(?:(?P<utc>[Zz])|(?P<sign>[+-])(?P<hours>\d{2}):?(?P<minutes>\d{2}))?",
    re.ASCII,
)
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_OTHER_DATE: Final = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}", re.ASCII)
EARLIEST_YEAR: Final = 1970
LATEST_YEAR: Final = 2199
LONGEST_SESSION: Final = timedelta(hours=24)


def read_time(text: str, zone: str) -> datetime:
    """Return the naive wall time (with `fold`) in `zone` that the text names, with or without an offset."""
    form = _FORM.fullmatch(text)
    if form is None:
        raise ValueError(_why_not_a_time(text))
    try:
        wall = datetime.fromisoformat(f"{form['day']}T{form['clock']}")
        offset = _offset(form)
    except ValueError as problem:
        raise ValueError(f"{text} does not exist on any calendar or clock") from problem
    if not EARLIEST_YEAR <= wall.year <= LATEST_YEAR:
        raise ValueError(f"the year {wall.year} lies outside {EARLIEST_YEAR} to {LATEST_YEAR}")
    if offset is None:
        return _only_reading(wall, zone)
    return wall_time(wall.replace(tzinfo=offset), zone)


def read_day(text: str) -> date:
    """Return the date that the text writes as YYYY-MM-DD."""
    if not _DAY.fullmatch(text):
        raise ValueError(f"{_shown(text)} is not a date: write it as 2026-11-24")
    try:
        day = date.fromisoformat(text)
    except ValueError as problem:
        raise ValueError(f"{text} does not exist on any calendar") from problem
    if not EARLIEST_YEAR <= day.year <= LATEST_YEAR:
        raise ValueError(f"the year {day.year} lies outside {EARLIEST_YEAR} to {LATEST_YEAR}")
    return day


def check_length(start_at: datetime, end_at: datetime) -> None:
    """Refuse a session that ends before or when it starts, or lasts more than 24 hours."""
    if end_at <= start_at:
        raise ValueError("the end is not after the start")
    if end_at - start_at > LONGEST_SESSION:
        raise ValueError("longer than 24 hours: no session lasts that long, so one of its times must be wrong")


def _offset(form: re.Match[str]) -> timezone | None:
    if form["utc"]:
        return UTC
    if form["sign"] is None:
        return None
    hours, minutes = int(form["hours"]), int(form["minutes"])
    if hours > 14 or minutes > 59:
        raise ValueError("no such offset")
    size = timedelta(hours=hours, minutes=minutes)
    return timezone(size if form["sign"] == "+" else -size)


def _only_reading(wall: datetime, zone: str) -> datetime:
    if wall_time(instant(wall, zone), zone) != wall:
        raise ValueError(
            f"{wall:%Y-%m-%d %H:%M} does not exist in {zone}: clocks are put forward over it. Write the time meant"
        )
    if instant(wall, zone) != instant(wall.replace(fold=1), zone):
        raise ValueError(
            f"{wall:%Y-%m-%d %H:%M} happens twice in {zone}, because clocks are put back: "
            f"write it with its offset, such as {_with_offsets(wall, zone)}"
        )
    return wall


def _with_offsets(wall: datetime, zone: str) -> str:
    readings = []
    for fold in (0, 1):
        shift = wall - instant(wall.replace(fold=fold), zone).replace(tzinfo=None)
        readings.append(wall.replace(tzinfo=timezone(shift)).isoformat(timespec="minutes"))
    return " or ".join(readings)


def _why_not_a_time(text: str) -> str:
    if _DAY.fullmatch(text):
        return f"{text} is a date without a time: write it as {text}T10:00"
    if _OTHER_DATE.match(text) and not _DAY.match(text):
        return (
            f"{_shown(text)} can be read as more than one date, and calsync does not guess: "
            "write year, month and day, as in 2026-11-24T10:00"
        )
    return f"{_shown(text)} is not a time: write it as 2026-11-24T10:00, or with an offset as 2026-11-24T10:00+01:00"


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")
