"""A provider's working times as a file, TOML or CSV. All that is wrong with it is told at once.

TOML has `every` and `gap` (durations), `[weekly]` (day of the week to a list of `"09:00-12:30"`, or of tables with
`hours` and `formats`) and `[dates]` (a date, or `"first/last"`, to what holds on it instead; `[]` is a day off). CSV
has the columns `day, start, end, formats`: a day of the week or a date; a date without times is a day off.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

from calsync.domain.time_text import read_day
from calsync.domain.working_times import DAY_MINUTES, DAYS, Hours, WorkingTimes, clock_text
from calsync.errors import Problem, Refused
from calsync.records.findings import Findings
from calsync.records.rows import Columns, read_rows
from calsync.records.values import read_short_text
from calsync.settings.durations import parse_duration
from calsync.settings.toml_files import TomlFile, read_toml

COLUMNS: Final = Columns(required=("day", "start", "end"), optional=("formats",))
LONGEST_RANGE: Final = timedelta(days=400)
_CLOCK: Final = re.compile(r"([0-9]{1,2}):([0-9]{2})", re.ASCII)
_DAYS_BY_NAME: Final = {name: place for place, day in enumerate(DAYS) for name in (day, day[:3])}
_KEYS: Final = ("every", "gap", "weekly", "dates")
_Complaint = Callable[[str, str], None]  # what, remedy


@dataclass(slots=True)
class _Draft:
    """What was read so far. A date that is named without hours is a day off."""

    weekly: dict[int, list[Hours]] = field(default_factory=dict)
    dates: dict[date, list[Hours]] = field(default_factory=dict)

    def days(self, days: int | list[date]) -> list[list[Hours]]:
        if isinstance(days, int):
            return [self.weekly.setdefault(days, [])]
        return [self.dates.setdefault(day, []) for day in days]

    def add(self, days: int | list[date], hours: Hours, complain: _Complaint) -> None:
        for known in self.days(days):
            if any(one.start < hours.end and hours.start < one.end for one in known):
                complain(f"{_text(hours)} overlaps other hours of the same day", "Let each begin after the other ends")
                return
            known.append(hours)

    def times(self, every: int, gap: int) -> WorkingTimes:
        weekly = tuple(tuple(sorted(self.weekly.get(day, ()))) for day in range(7))
        return WorkingTimes(weekly, {day: tuple(sorted(one)) for day, one in self.dates.items()}, every, gap)


def read_availability(path: Path, before: WorkingTimes | None = None) -> WorkingTimes:
    """Read a file; what CSV cannot say (`every`, `gap`) stays as `before`. `Refused` (`import-refused`) otherwise."""
    if path.suffix.lower() == ".toml":
        return _from_toml(read_toml(path))
    return _from_csv(path, before or WorkingTimes())


def availability_of(values: dict[str, Any]) -> WorkingTimes:
    """The times of a body with the keys of such a TOML file. `Refused` (`import-refused`) as for a file."""
    return _from_toml(TomlFile(Path("body"), values=values))


def availability_text(times: WorkingTimes) -> str:
    """The same times as TOML, from which `read_availability` makes them again."""
    lines = [f'every = "{times.every}m"', f'gap = "{times.gap}m"', "", "[weekly]"]
    lines += [f"{day} = {_list_text(hours)}" for day, hours in zip(DAYS, times.weekly, strict=True) if hours]
    if times.dates:
        lines += ["", "[dates]"]
        lines += [f"{day.isoformat()} = {_list_text(hours)}" for day, hours in sorted(times.dates.items())]
    return "\n".join(lines) + "\n"


def _text(hours: Hours) -> str:
    return f"{clock_text(hours.start)}-{clock_text(hours.end)}"


def _list_text(day: Iterable[Hours]) -> str:
    return "[" + ", ".join(_one_text(hours) for hours in day) + "]"


def _one_text(hours: Hours) -> str:
    if not hours.formats:
        return f'"{_text(hours)}"'
    named = ", ".join(f'"{one}"' for one in hours.formats)
    return f'{{ hours = "{_text(hours)}", formats = [{named}] }}'


# --- TOML ----------------------------------------------------------------------------------------------------------


def _from_toml(file: TomlFile) -> WorkingTimes:
    problems = list(file.problems)
    draft = _Draft()
    known = f"Known: {', '.join(_KEYS)}"
    problems += [Problem("there is no such key", file.where((key,)), known) for key in file.values if key not in _KEYS]
    readers: dict[str, Callable[[str], int | list[date]]] = {"weekly": _read_weekday, "dates": _read_dates}
    for table, read in readers.items():
        for name, value in _table(file, table, problems).items():
            complain = _complainer(problems, file.where((table, name)))
            days = _attempt(partial(read, name), complain)
            if days is not None:
                _take_day(draft, days, value, complain)
    every = _minutes(file, "every", WorkingTimes().every, problems)
    gap = _minutes(file, "gap", 0, problems)
    if not every and not problems:
        problems.append(Problem("zero", file.where(("every",)), 'Write at least "1m"'))
    if problems:
        raise Refused(problems, code="import-refused")
    return draft.times(every, gap)


def _table(file: TomlFile, name: str, problems: list[Problem]) -> dict[str, Any]:
    found = file.values.get(name, {})
    if isinstance(found, dict):
        return found
    problems.append(Problem("not a table", file.where((name,)), f"Write [{name}] with days under it"))
    return {}


def _take_day(draft: _Draft, days: int | list[date], value: object, complain: _Complaint) -> None:
    draft.days(days)
    if not isinstance(value, list):
        complain("not a list of hours", 'Write ["09:00-12:30", "13:30-17:00"], or [] for a day off')
        return
    for one in value:
        hours = _attempt(partial(_read_hours, one), complain)
        if hours is not None:
            draft.add(days, hours, complain)


def _read_hours(value: object) -> Hours:
    told: dict[str, object] = value if isinstance(value, dict) else {"hours": value}
    if set(told) - {"hours", "formats"}:
        raise ValueError('only "hours" and "formats" belong here')
    value, formats = told.get("hours"), told.get("formats", [])
    if not isinstance(value, str) or value.count("-") != 1:
        raise ValueError('not hours: write "09:00-12:30"')
    if not isinstance(formats, list) or not all(isinstance(one, str) for one in formats):
        raise ValueError('formats are a list of words, such as ["video", "office"]')
    start, _, end = value.partition("-")
    return _hours(start.strip(), end.strip(), formats)


def _minutes(file: TomlFile, key: str, default: int, problems: list[Problem]) -> int:
    if key not in file.values:
        return default
    try:
        length = parse_duration(file.values[key])
    except ValueError as problem:
        problems.append(Problem(str(problem), file.where((key,))))
        return default
    if length % timedelta(minutes=1) or length > timedelta(hours=24):
        problems.append(Problem("not whole minutes of at most a day", file.where((key,)), 'Write "15m"'))
    return length // timedelta(minutes=1)


# --- CSV -----------------------------------------------------------------------------------------------------------


def _from_csv(path: Path, before: WorkingTimes) -> WorkingTimes:
    findings = Findings(path.name)
    draft = _Draft()
    for row in read_rows(path, COLUMNS, findings):

        def complain(what: str, remedy: str = "", number: int = row.number) -> None:
            findings.add(number, what, remedy=remedy)

        cells = row.cells
        days = _attempt(partial(_read_csv_day, cells["day"]), complain)
        if days is None:
            continue
        draft.days(days)
        if not cells["start"] and not cells["end"] and not isinstance(days, int):
            continue
        formats = [one.strip() for one in cells.get("formats", "").split(";") if one.strip()]
        hours = _attempt(partial(_hours, cells["start"], cells["end"], formats), complain)
        if hours is not None:
            draft.add(days, hours, complain)
    findings.refuse()
    return draft.times(before.every, before.gap)


def _read_csv_day(name: str) -> int | list[date]:
    return _DAYS_BY_NAME[name.lower()] if name.lower() in _DAYS_BY_NAME else _read_dates(name)


# --- both ----------------------------------------------------------------------------------------------------------


def _read_weekday(name: str) -> int:
    if name.lower() not in _DAYS_BY_NAME:
        raise ValueError("not a day of the week: write monday to sunday")
    return _DAYS_BY_NAME[name.lower()]


def _read_dates(name: str) -> list[date]:
    first, slash, last = name.partition("/")
    start = read_day(first)
    end = read_day(last) if slash else start
    if not start <= end <= start + LONGEST_RANGE:
        raise ValueError("the last day lies before the first, or more than 400 days after it")
    return [start + timedelta(days=number) for number in range((end - start).days + 1)]


def _hours(start: str, end: str, formats: list[str]) -> Hours:
    first, last = _clock(start), _clock(end)
    if first >= last:
        raise ValueError(
            f"{start} to {end} is no time of one day: write hours over midnight as two, with 24:00 between"
        )
    return Hours(first, last, tuple(sorted({read_short_text(one) for one in formats})))


def _clock(text: str) -> int:
    form = _CLOCK.fullmatch(text)
    minutes = int(form[1]) * 60 + int(form[2]) if form and int(form[2]) < 60 else DAY_MINUTES + 1
    if minutes > DAY_MINUTES:
        raise ValueError(f"{text[:20]!r} is not a time of day: write it as 09:30, up to 24:00")
    return minutes


def _attempt(read: Callable[[], Any], complain: _Complaint) -> Any:
    try:
        return read()
    except ValueError as problem:
        complain(str(problem), "")
        return None


def _complainer(problems: list[Problem], where: str) -> _Complaint:
    def complain(what: str, remedy: str) -> None:
        problems.append(Problem(what, where, remedy))

    return complain
