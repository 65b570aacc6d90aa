"""The wall times of a rule, one period (day, week, month, year) after the other, every step counted.

dateutil's engine cannot be let loose on rules of strangers: one that never matches keeps it busy until the year 9999
with no place to stop it, and it cannot start near the window. Ours steps over periods, counts each candidate day,
starts at any period, and is compared with dateutil in the tests. Called by `recurrence` only; knows no zones.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import product

from calsync.domain.rule import Frequency, Rule, RuleRefused

STEP_BUDGET = 100_000
_LAST_YEAR = 2300
_NEVER = datetime.combine(date.max, time())


def rule_times(rule: Rule, start: datetime, *, first: datetime, last: datetime) -> Iterator[datetime]:
    """Yield the naive wall times of a rule from `start` on, in order, that lie within `first` and `last` (inclusive).

    `start` itself always counts as the first occurrence. COUNT is honoured, UNTIL is the caller's. `RuleRefused` after
    100,000 candidate days.
    """
    days = _Days(rule, start)
    left = rule.count
    # A counted rule has to be counted from its start; any other may be entered near the window.
    period = 0 if rule.count is not None else days.period_of(first)
    if period == 0:
        if first <= start <= last:
            yield start
        left = None if left is None else left - 1
    while (left is None or left > 0) and days.begins(period) <= last:
        for wall in days.times(period):
            if wall <= start:
                continue
            if wall > last or left == 0:
                return
            left = None if left is None else left - 1
            if wall >= first:
                yield wall
        period += 1


class _Days:
    """A rule's periods, numbered from the one that holds the start; steps are counted over all of them."""

    def __init__(self, rule: Rule, start: datetime) -> None:
        self._rule = rule
        self._start = start
        self._steps = 0
        explicit = bool(rule.days or rule.month_days or rule.year_days or rule.week_numbers)
        frequency = rule.frequency
        # What the rule leaves open is taken from the start (RFC 5545 3.3.10).
        self._months = rule.months
        self._month_days = rule.month_days
        self._weekdays = {day for n, day in rule.days if n == 0 or frequency in (Frequency.DAILY, Frequency.WEEKLY)}
        self._nth = tuple((n, day) for n, day in rule.days if n != 0) if not self._ignores_nth() else ()
        if not explicit and frequency is Frequency.YEARLY:
            self._months = rule.months or (start.month,)
            self._month_days = (start.day,)
        elif not explicit and frequency is Frequency.MONTHLY:
            self._month_days = (start.day,)
        elif not explicit and frequency is Frequency.WEEKLY:
            self._weekdays = {start.weekday()}
        self._clock = sorted(
            time(hour, minute, second)
            for hour, minute, second in product(
                rule.hours or (start.hour,), rule.minutes or (start.minute,), rule.seconds or (start.second,)
            )
        )

    def _ignores_nth(self) -> bool:
        return self._rule.frequency in (Frequency.DAILY, Frequency.WEEKLY)

    def period_of(self, wall: datetime) -> int:
        """Return the number of a period that begins at or before a wall time, 0 at least."""
        days = (wall.date() - self._start.date()).days
        months = (wall.year - self._start.year) * 12 + wall.month - self._start.month
        units = {
            Frequency.DAILY: days,
            Frequency.WEEKLY: days // 7,
            Frequency.MONTHLY: months,
            Frequency.YEARLY: wall.year - self._start.year,
        }[self._rule.frequency]
        return max(0, units // self._rule.interval - 1)

    def begins(self, period: int) -> datetime:
        """Return the first moment of a period; a moment beyond all windows where the calendar would end."""
        first = self._first_day(period)
        return _NEVER if first is None else datetime.combine(first, time())

    def times(self, period: int) -> list[datetime]:
        """Return the wall times of one period, in order, with BYSETPOS applied."""
        first = self._first_day(period)
        if first is None:
            return []
        walls = [
            datetime.combine(day, clock) for day in self._candidates(first) if self._fits(day) for clock in self._clock
        ]
        if not self._rule.positions:
            return walls
        size = len(walls)
        picked = {position - 1 if position > 0 else size + position for position in self._rule.positions}
        return [wall for index, wall in enumerate(walls) if index in picked]

    def _first_day(self, period: int) -> date | None:
        start, steps = self._start.date(), period * self._rule.interval
        if self._rule.frequency is Frequency.DAILY:
            return _plus_days(start, steps)
        if self._rule.frequency is Frequency.WEEKLY:
            return _plus_days(start, steps * 7 - (start.weekday() - self._rule.week_start) % 7)
        months = steps if self._rule.frequency is Frequency.MONTHLY else steps * 12
        first_month = start.month - 1 if self._rule.frequency is Frequency.MONTHLY else 0
        years, month = divmod(first_month + months, 12)
        return date(start.year + years, month + 1, 1) if start.year + years <= _LAST_YEAR else None

    def _candidates(self, first: date) -> Iterator[date]:
        length = {
            Frequency.DAILY: 1,
            Frequency.WEEKLY: 7,
            Frequency.MONTHLY: (_next_month(first) - first).days,
            Frequency.YEARLY: _year_length(first.year),
        }[self._rule.frequency]
        for offset in range(length):
            day = first + timedelta(days=offset)
            self._steps += 1
            if self._steps > STEP_BUDGET:
                raise RuleRefused("step-budget", f"more than {STEP_BUDGET} candidate days")
            yield day

    def _fits(self, day: date) -> bool:
        rule = self._rule
        if self._months and day.month not in self._months:
            return False
        if self._month_days and not _counts(day.day, (_next_month(day) - day.replace(day=1)).days, self._month_days):
            return False
        if rule.year_days and not _counts(_year_day(day), _year_length(day.year), rule.year_days):
            return False
        if rule.week_numbers and not _counts(*_week_of(day, rule.week_start), rule.week_numbers):
            return False
        return (not rule.days and not self._weekdays) or day.weekday() in self._weekdays or self._is_nth(day)

    def _is_nth(self, day: date) -> bool:
        if not self._nth:
            return False
        if self._rule.frequency is Frequency.YEARLY and not self._rule.months:
            place, length = _year_day(day), _year_length(day.year)
        else:
            place, length = day.day, (_next_month(day) - day.replace(day=1)).days
        forward, backward = (place - 1) // 7 + 1, -((length - place) // 7 + 1)
        return any(weekday == day.weekday() and n in (forward, backward) for n, weekday in self._nth)


def _plus_days(day: date, days: int) -> date | None:
    if days > (date(_LAST_YEAR, 12, 31) - day).days:
        return None
    return day + timedelta(days=days)


def _next_month(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def _year_day(day: date) -> int:
    return (day - date(day.year, 1, 1)).days + 1


def _year_length(year: int) -> int:
    return (date(year + 1, 1, 1) - date(year, 1, 1)).days


def _counts(place: int, length: int, wanted: tuple[int, ...]) -> bool:
    """Tell whether a place, counted from the front or (negative) from the back, is wanted."""
    return place in wanted or place - length - 1 in wanted


def _week_of(day: date, week_start: int) -> tuple[int, int]:
    """Return the number of the day's week and of weeks in that week's year; week 1 holds at least four days."""
    middle = day - timedelta(days=(day.weekday() - week_start) % 7) + timedelta(days=3)
    number = (_year_day(middle) - 1) // 7 + 1
    # The year's last week is the last one whose middle day still lies in the year.
    ahead = (_year_length(middle.year) - _year_day(middle)) // 7
    return number, number + ahead
