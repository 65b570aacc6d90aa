"""Recurrence rules as text and as parts: read, refused when hostile, brought to one normal form (RFC 5545 3.3.10).

Whoever may invite a provider may send any rule, so everything that would make an expansion long is refused here, before
anything runs. Called by `recurrence` and `expect`; never computes a date.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from math import prod

# Only a limit of sense: what a count may cost is bounded where it is expanded (`rule_days.STEP_BUDGET`).
MAX_COUNT = 100_000_000
MAX_TIMES_A_DAY = 24
_USUAL_LENGTH = 200  # so long at most is a rule that is kept once it was read
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")

# Name of a part -> least and greatest absolute value; True where negative values count from the end.
_NUMBERS: dict[str, tuple[int, int, bool]] = {
    "BYMONTH": (1, 12, False),
    "BYWEEKNO": (1, 53, True),
    "BYYEARDAY": (1, 366, True),
    "BYMONTHDAY": (1, 31, True),
    "BYHOUR": (0, 23, False),
    "BYMINUTE": (0, 59, False),
    "BYSECOND": (0, 59, False),
    "BYSETPOS": (1, 366, True),
}
_KNOWN = frozenset({"FREQ", "UNTIL", "COUNT", "INTERVAL", "BYDAY", "WKST", *_NUMBERS})
_DAY = re.compile(r"([+-]?[0-9]{1,2})?(MO|TU|WE|TH|FR|SA|SU)", re.ASCII)
_INTEGER = re.compile(r"[+-]?[0-9]{1,9}", re.ASCII)
_UNTIL = re.compile(r"[0-9]{8}(T[0-9]{6}Z?)?", re.ASCII)


class RuleRefused(ValueError):
    """The recurrence breaks a limit and was not run. `broken` names the limit, the same word for every such event."""

    def __init__(self, broken: str, detail: str = "") -> None:
        super().__init__(f"recurrence refused: {broken}" + (f" ({detail})" if detail else ""))
        self.broken = broken


class Frequency(StrEnum):
    """The frequencies that calendars of sessions use; finer ones are refused."""

    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"
    YEARLY = "YEARLY"


@dataclass(frozen=True, slots=True)
class Until:
    """The last moment of a rule: a wall time, or an instant when `utc`, or a whole day when `whole_day`."""

    at: datetime
    utc: bool = False
    whole_day: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """The parts of a rule. Weekdays count from Monday = 0; `days` holds (n, weekday), n = 0 for every such weekday."""

    frequency: Frequency
    interval: int = 1
    count: int | None = None
    until: Until | None = None
    week_start: int = 0
    months: tuple[int, ...] = ()
    week_numbers: tuple[int, ...] = ()
    year_days: tuple[int, ...] = ()
    month_days: tuple[int, ...] = ()
    days: tuple[tuple[int, int], ...] = ()
    hours: tuple[int, ...] = ()
    minutes: tuple[int, ...] = ()
    seconds: tuple[int, ...] = ()
    positions: tuple[int, ...] = ()


def parse_rule(text: str) -> Rule:
    """Read an RRULE value; `RuleRefused` names what is wrong with it or which limit it breaks."""
    return _kept(text) if len(text) <= _USUAL_LENGTH else _parse(text)


@lru_cache(maxsize=1024)
def _kept(text: str) -> Rule:
    return _parse(text)


def _parse(text: str) -> Rule:
    parts = _parts(text)
    numbers = {name: _numbers(parts, name) for name in _NUMBERS}
    if prod(max(1, len(numbers[name])) for name in ("BYHOUR", "BYMINUTE", "BYSECOND")) > MAX_TIMES_A_DAY:
        raise RuleRefused("times-a-day")
    return Rule(
        frequency=_frequency(parts),
        interval=_interval(parts),
        count=_count(parts),
        until=_until(parts),
        week_start=_week_start(parts),
        months=numbers["BYMONTH"],
        week_numbers=numbers["BYWEEKNO"],
        year_days=numbers["BYYEARDAY"],
        month_days=numbers["BYMONTHDAY"],
        days=_days(parts),
        hours=numbers["BYHOUR"],
        minutes=numbers["BYMINUTE"],
        seconds=numbers["BYSECOND"],
        positions=numbers["BYSETPOS"],
    )


def normalise_rule(text: str) -> str:
    """Return the one way of writing a rule: fixed order of parts, sorted values, nothing that is a default."""
    rule = parse_rule(text)
    parts = [f"FREQ={rule.frequency}"]
    if rule.until is not None:
        parts.append(f"UNTIL={_until_text(rule.until)}")
    if rule.count is not None:
        parts.append(f"COUNT={rule.count}")
    if rule.interval != 1:
        parts.append(f"INTERVAL={rule.interval}")
    for name, values in (
        ("BYMONTH", rule.months),
        ("BYWEEKNO", rule.week_numbers),
        ("BYYEARDAY", rule.year_days),
        ("BYMONTHDAY", rule.month_days),
        ("BYDAY", tuple(f"{n or ''}{WEEKDAYS[day]}" for n, day in rule.days)),
        ("BYHOUR", rule.hours),
        ("BYMINUTE", rule.minutes),
        ("BYSECOND", rule.seconds),
        ("BYSETPOS", rule.positions),
    ):
        if values:
            parts.append(f"{name}={','.join(map(str, values))}")
    if rule.week_start and _week_start_matters(rule):
        parts.append(f"WKST={WEEKDAYS[rule.week_start]}")
    return ";".join(parts)


def rule_with_until(text: str, last: datetime) -> str:
    """Return the rule ended at an aware instant (inclusive), in place of any COUNT or UNTIL of its own."""
    kept = [f"{name}={value}" for name, value in _parts(text).items() if name not in ("COUNT", "UNTIL")]
    return normalise_rule(";".join([*kept, f"UNTIL={last.astimezone(UTC):%Y%m%dT%H%M%SZ}"]))


def _week_start_matters(rule: Rule) -> bool:
    by_weeks = rule.frequency is Frequency.WEEKLY and (rule.interval > 1 or bool(rule.positions))
    return by_weeks or bool(rule.week_numbers)


def _parts(text: str) -> dict[str, str]:
    value = text.strip().upper().removeprefix("RRULE:").rstrip(";")
    if "\n" in value or "RRULE" in value:
        raise RuleRefused("two-rules")
    if len(value) > 2_000:
        raise RuleRefused("syntax", "too long")
    parts: dict[str, str] = {}
    for part in value.split(";"):
        name, equals, content = part.partition("=")
        if name in ("RSCALE", "SKIP"):
            raise RuleRefused("rscale")
        if not equals or name not in _KNOWN or name in parts:
            raise RuleRefused("syntax", "unknown, doubled or empty part")
        parts[name] = content
    return parts


def _frequency(parts: dict[str, str]) -> Frequency:
    try:
        return Frequency(parts.get("FREQ", ""))
    except ValueError:
        raise RuleRefused("frequency", "only DAILY, WEEKLY, MONTHLY and YEARLY") from None


def _integer(value: str, broken: str) -> int:
    if not _INTEGER.fullmatch(value):
        raise RuleRefused(broken, "not a whole number")
    return int(value)


def _interval(parts: dict[str, str]) -> int:
    interval = _integer(parts.get("INTERVAL", "1"), "interval")
    if interval < 1:
        raise RuleRefused("interval", "less than 1")
    return interval


def _count(parts: dict[str, str]) -> int | None:
    if "COUNT" not in parts:
        return None
    count = _integer(parts["COUNT"], "count")
    if not 1 <= count <= MAX_COUNT:
        raise RuleRefused("count", f"not within 1 and {MAX_COUNT}")
    return count


def _until(parts: dict[str, str]) -> Until | None:
    value = parts.get("UNTIL")
    if value is None:
        return None
    if not _UNTIL.fullmatch(value):
        raise RuleRefused("until", "neither a date nor a time")
    try:
        if len(value) == 8:
            return Until(_naive(value, "%Y%m%d"), whole_day=True)
        return Until(_naive(value.rstrip("Z"), "%Y%m%dT%H%M%S"), utc=value.endswith("Z"))
    except ValueError:
        raise RuleRefused("until", "no such date or time") from None


def _naive(value: str, form: str) -> datetime:
    return datetime.strptime(value, form)  # noqa: DTZ007 - a wall time, as RFC 5545 has it


def _until_text(until: Until) -> str:
    if until.whole_day:
        return f"{until.at:%Y%m%d}"
    return f"{until.at:%Y%m%dT%H%M%S}{'Z' if until.utc else ''}"


def _week_start(parts: dict[str, str]) -> int:
    day = parts.get("WKST", "MO")
    if day not in WEEKDAYS:
        raise RuleRefused("syntax", "WKST is no weekday")
    return WEEKDAYS.index(day)


def _numbers(parts: dict[str, str], name: str) -> tuple[int, ...]:
    if name not in parts:
        return ()
    least, greatest, negative = _NUMBERS[name]
    found = set()
    for value in parts[name].split(","):
        number = _integer(value, "syntax")
        if not least <= abs(number) <= greatest or (number < 0 and not negative):
            raise RuleRefused("syntax", f"{name} out of range")
        found.add(number)
    return tuple(sorted(found))


def _days(parts: dict[str, str]) -> tuple[tuple[int, int], ...]:
    if "BYDAY" not in parts:
        return ()
    found = set()
    for value in parts["BYDAY"].split(","):
        match = _DAY.fullmatch(value)
        if match is None or (match[1] is not None and not 1 <= abs(int(match[1])) <= 53):
            raise RuleRefused("syntax", "BYDAY is no weekday")
        found.add((int(match[1] or 0), WEEKDAYS.index(match[2])))
    return tuple(sorted(found, key=lambda day: (day[1], day[0])))
