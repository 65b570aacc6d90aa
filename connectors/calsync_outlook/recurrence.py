"""RRULE to Outlook's patterns and back (contract sheet 5.6). Pure.

What Outlook can hold, and how:

    DAILY;INTERVAL=n                              daily
    DAILY;BYDAY=... (every day's interval 1)      weekly on those days
    WEEKLY;INTERVAL=n;BYDAY;WKST                  weekly, with firstDayOfWeek always written
    MONTHLY;BYMONTHDAY=d, d up to 28              absoluteMonthly
    MONTHLY;BYMONTHDAY=28..d;BYSETPOS=-1          absoluteMonthly d: Outlook takes the last day of short months
    MONTHLY;BYMONTHDAY=-1                         relativeMonthly, all seven days, last
    MONTHLY;BYDAY=nXX or BYSETPOS=n, n 1-4, -1    relativeMonthly (one day, Mon-Fri, the weekend, or all seven)
    YEARLY on a day of a month, but 29 February   absoluteYearly
    YEARLY;BYMONTH=m;BYDAY=nXX                    relativeYearly
    COUNT up to 999 / UNTIL / neither             numbered / endDate (its local date) / noEnd

Everything else is refused with a reason, as is a start that the rule does not meet: `recurrence-dates` (RDATE),
`recurrence-parts`, `recurrence-short-months`, `recurrence-position`, `recurrence-count`, `recurrence-start`,
`recurrence-end`. EXDATE and overrides are not part of a pattern: they are occurrences deleted and changed.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from calsync.domain.event import Recurrence
from calsync.domain.rule import WEEKDAYS, Frequency, Rule, RuleRefused, Until, parse_rule
from calsync.domain.span import Span, instant, wall_time

Json = dict[str, Any]

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_INDEX = {1: "first", 2: "second", 3: "third", 4: "fourth", -1: "last"}
_NUMBER = {word: number for number, word in _INDEX.items()}
_DAY_SETS = ({0, 1, 2, 3, 4}, {5, 6}, set(range(7)))
_MOST = 999


class NotHeld(Exception):
    """Outlook has no form for this. `reason` is a stable word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def recurrence_for(recurrence: Recurrence, span: Span, zone_name: str) -> Json:
    """Return Graph's `recurrence` of a series whose first slot is `span`; NotHeld where there is none.

    `zone_name` is the name under which the times are sent.
    """
    if recurrence.added or not recurrence.rule:
        raise NotHeld("recurrence-dates")
    try:
        rule = parse_rule(recurrence.rule)
    except RuleRefused as refusal:
        raise NotHeld(f"rule-{refusal.broken}") from None
    if rule.hours or rule.minutes or rule.seconds or rule.year_days or rule.week_numbers:
        raise NotHeld("recurrence-parts")
    # The order of the two members matters to the service (sheet 5.6).
    return {"pattern": _pattern(rule, span.start), "range": _range(rule, span, zone_name)}


def rule_of(recurrence: Json, span: Span) -> str:
    """Return the RRULE of what Graph told, for a series whose first slot is `span`; NotHeld for what is no pattern."""
    try:
        pattern, limits = recurrence["pattern"], recurrence["range"]
        parts = [*_rule_parts(pattern), *_range_parts(limits, span)]
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise NotHeld("recurrence-unknown") from None
    return ";".join(parts)


def meets(pattern: Json, day: date) -> bool:
    """Tell whether a day fits a pattern: Graph starts a series at its first fitting day, whatever `start` says."""
    kind, length = pattern["type"], monthrange(day.year, day.month)[1]
    if kind == "daily":
        return True
    if kind == "weekly":
        return _DAYS[day.weekday()] in pattern["daysOfWeek"]
    if kind.endswith("Yearly") and day.month != pattern["month"]:
        return False
    if kind.startswith("absolute"):
        return day.day == min(int(pattern["dayOfMonth"]), length)
    fitting = [one for one in range(1, length + 1) if _DAYS[day.replace(day=one).weekday()] in pattern["daysOfWeek"]]
    number = _NUMBER[pattern["index"]]
    return fitting[number - 1 if number > 0 else -1] == day.day


# ---------------------------------------------------------------- to Graph


def _pattern(rule: Rule, start: datetime) -> Json:
    make = {
        Frequency.DAILY: _daily,
        Frequency.WEEKLY: _weekly,
        Frequency.MONTHLY: _monthly,
        Frequency.YEARLY: _yearly,
    }[rule.frequency]
    return make(rule, start)


def _daily(rule: Rule, start: datetime) -> Json:
    if rule.months or rule.month_days or rule.positions or any(n for n, _ in rule.days):
        raise NotHeld("recurrence-parts")
    if not rule.days:
        return {"type": "daily", "interval": rule.interval}
    if rule.interval != 1:
        raise NotHeld("recurrence-parts")
    return _weekly(rule, start)


def _weekly(rule: Rule, start: datetime) -> Json:
    if rule.months or rule.month_days or rule.positions or any(n for n, _ in rule.days):
        raise NotHeld("recurrence-parts")
    days = [day for _, day in rule.days] or [start.weekday()]
    first = _DAYS[rule.week_start]
    return {"type": "weekly", "interval": rule.interval, "daysOfWeek": _names(days), "firstDayOfWeek": first}


def _monthly(rule: Rule, start: datetime) -> Json:
    if rule.months:
        raise NotHeld("recurrence-parts")
    if rule.days:
        return {**_relative(rule), "type": "relativeMonthly", "interval": rule.interval}
    if rule.month_days == (-1,) and not rule.positions:
        every = {"daysOfWeek": list(_DAYS), "index": "last"}
        return {"type": "relativeMonthly", "interval": rule.interval, **every}
    return {"type": "absoluteMonthly", "interval": rule.interval, "dayOfMonth": _month_day(rule, start)}


def _yearly(rule: Rule, start: datetime) -> Json:
    if len(rule.months) > 1 or (rule.days and not rule.months):
        raise NotHeld("recurrence-parts")
    month = rule.months[0] if rule.months else start.month
    common = {"interval": rule.interval, "month": month}
    if rule.days:
        return {"type": "relativeYearly", **common, **_relative(rule)}
    if rule.positions or (not rule.months and rule.month_days):
        raise NotHeld("recurrence-parts")
    days = rule.month_days or (start.day,)
    # In a common year, so that 29 February is left out.
    if len(days) != 1 or not 1 <= days[0] <= monthrange(2027, month)[1]:
        raise NotHeld("recurrence-short-months")
    return {"type": "absoluteYearly", **common, "dayOfMonth": days[0]}


def _month_day(rule: Rule, start: datetime) -> int:
    if rule.positions:
        last = rule.month_days[-1] if rule.month_days else 0
        if rule.positions == (-1,) and last > 28 and rule.month_days == tuple(range(28, last + 1)):
            return last
        raise NotHeld("recurrence-parts")
    days = rule.month_days or (start.day,)
    if len(days) != 1:
        raise NotHeld("recurrence-parts")
    if not 1 <= days[0] <= 28:
        raise NotHeld("recurrence-short-months")
    return days[0]


def _relative(rule: Rule) -> Json:
    days = [day for _, day in rule.days]
    numbers = {n for n, _ in rule.days}
    if rule.month_days:
        raise NotHeld("recurrence-parts")
    if len(days) == 1 and numbers != {0} and not rule.positions:
        position = numbers.pop()
    elif numbers == {0} and len(rule.positions) == 1 and (len(days) == 1 or set(days) in _DAY_SETS):
        position = rule.positions[0]
    else:
        raise NotHeld("recurrence-position")
    if position not in _INDEX:
        raise NotHeld("recurrence-position")
    return {"daysOfWeek": _names(days), "index": _INDEX[position]}


def _names(days: list[int]) -> list[str]:
    return [_DAYS[day] for day in sorted(days)]


def _range(rule: Rule, span: Span, zone_name: str) -> Json:
    common = {"startDate": span.start.date().isoformat(), "recurrenceTimeZone": zone_name}
    if rule.count is not None:
        if rule.count > _MOST:
            raise NotHeld("recurrence-count")
        return {"type": "numbered", **common, "numberOfOccurrences": rule.count}
    if rule.until is None:
        return {"type": "noEnd", **common}
    last = _last_date(rule.until, span)
    if last < span.start.date():
        raise NotHeld("recurrence-end")
    return {"type": "endDate", **common, "endDate": last.isoformat()}


def _last_date(until: Until, span: Span) -> date:
    if until.whole_day or span.all_day:
        return until.at.date()
    wall = wall_time(until.at.replace(tzinfo=UTC), span.zone) if until.utc else until.at
    # A slot on that date but later in the day is over the end.
    return wall.date() if wall.time() >= span.start.time() else wall.date() - timedelta(days=1)


# ---------------------------------------------------------------- from Graph


def _rule_parts(pattern: Json) -> list[str]:
    kind, interval = str(pattern["type"]), int(pattern["interval"])
    if interval < 1:
        raise NotHeld("recurrence-unknown")
    every = [f"INTERVAL={interval}"] if interval > 1 else []
    match kind:
        case "daily":
            return ["FREQ=DAILY", *every]
        case "weekly":
            first = WEEKDAYS[_DAYS.index(str(pattern.get("firstDayOfWeek") or "sunday").lower())]
            return ["FREQ=WEEKLY", *every, f"BYDAY={_codes(pattern)}", f"WKST={first}"]
        case "absoluteMonthly":
            return ["FREQ=MONTHLY", *every, *_clamped(int(pattern["dayOfMonth"]), 28)]
        case "relativeMonthly":
            return ["FREQ=MONTHLY", *every, *_positioned(pattern)]
        case "absoluteYearly":
            month = int(pattern["month"])
            safe = monthrange(2027, month)[1]
            return ["FREQ=YEARLY", *every, f"BYMONTH={month}", *_clamped(int(pattern["dayOfMonth"]), safe)]
        case "relativeYearly":
            return ["FREQ=YEARLY", *every, f"BYMONTH={int(pattern['month'])}", *_positioned(pattern)]
    raise NotHeld("recurrence-unknown")


def _clamped(day: int, safe: int) -> list[str]:
    if not 1 <= day <= 31:
        raise NotHeld("recurrence-unknown")
    if day <= safe:
        return [f"BYMONTHDAY={day}"]
    return [f"BYMONTHDAY={','.join(str(one) for one in range(28, day + 1))}", "BYSETPOS=-1"]


def _positioned(pattern: Json) -> list[str]:
    number = _NUMBER[str(pattern.get("index") or "first").lower()]
    codes = _codes(pattern)
    return [f"BYDAY={codes}", f"BYSETPOS={number}"] if "," in codes else [f"BYDAY={number}{codes}"]


def _codes(pattern: Json) -> str:
    days = sorted({_DAYS.index(str(day).lower()) for day in pattern["daysOfWeek"]})
    if not days:
        raise NotHeld("recurrence-unknown")
    return ",".join(WEEKDAYS[day] for day in days)


def _range_parts(limits: Json, span: Span) -> list[str]:
    match str(limits["type"]):
        case "noEnd":
            return []
        case "numbered":
            return [f"COUNT={int(limits['numberOfOccurrences'])}"]
        case "endDate":
            last = date.fromisoformat(str(limits["endDate"]))
            if span.all_day:
                return [f"UNTIL={last:%Y%m%d}"]
            return [f"UNTIL={instant(datetime.combine(last, time(23, 59, 59)), span.zone):%Y%m%dT%H%M%SZ}"]
    raise NotHeld("recurrence-unknown")
