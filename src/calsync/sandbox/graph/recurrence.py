"""Patterns and ranges of recurrence as Outlook runs them: six patterns, three ranges, days that short months clamp."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from calsync.sandbox.graph.faults import bad

Json = dict[str, Any]

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_INDEX = {"first": 0, "second": 1, "third": 2, "fourth": 3, "last": -1}
_SETS = (frozenset(range(5)), frozenset({5, 6}), frozenset(range(7)))
_FAR = date(2200, 1, 1)


def checked(recurrence: Json, start: date, zone: str) -> Json:
    """Return a recurrence as it is stored, fillers and defaults included; a Fault for one that Graph refuses."""
    if list(recurrence)[:2] != ["pattern", "range"]:
        raise bad("UnableToDeserializePostBody", "pattern comes before range")
    return {"pattern": _pattern(recurrence["pattern"]), "range": _range(recurrence["range"], start, zone)}


def _pattern(given: Json) -> Json:
    kind = str(given.get("type", ""))
    days = [str(day).lower() for day in given.get("daysOfWeek") or []]
    interval = given.get("interval")
    if not isinstance(interval, int) or interval < 1 or any(day not in DAYS for day in days):
        raise bad("ErrorPropertyValidationFailure")
    if kind not in {"daily", "weekly", "absoluteMonthly", "relativeMonthly", "absoluteYearly", "relativeYearly"}:
        raise bad("UnableToDeserializePostBody")
    if kind in ("weekly", "relativeMonthly", "relativeYearly") and not days:
        raise bad("ErrorPropertyValidationFailure")
    chosen = frozenset(DAYS.index(day) for day in days)
    if kind.startswith("relative") and len(chosen) > 1 and chosen not in _SETS:
        raise bad("ErrorPropertyValidationFailure")
    if kind.startswith("absolute") and kind != "absolute" and not 1 <= int(given.get("dayOfMonth") or 0) <= 31:
        raise bad("ErrorPropertyValidationFailure")
    if kind.endswith("Yearly") and not 1 <= int(given.get("month") or 0) <= 12:
        raise bad("ErrorPropertyValidationFailure")
    index = str(given.get("index") or "first").lower()
    first = str(given.get("firstDayOfWeek") or "sunday").lower()
    if index not in _INDEX or first not in DAYS:
        raise bad("ErrorPropertyValidationFailure")
    return {
        "type": kind,
        "interval": interval,
        "month": int(given.get("month") or 0),
        "dayOfMonth": int(given.get("dayOfMonth") or 0),
        **({"daysOfWeek": days} if days else {}),
        "firstDayOfWeek": first,
        "index": index,
    }


def _range(given: Json, start: date, zone: str) -> Json:
    kind = str(given.get("type", ""))
    if kind not in ("endDate", "noEnd", "numbered"):
        raise bad("UnableToDeserializePostBody")
    first = _date(given.get("startDate"))
    if first != start:
        raise bad("ErrorPropertyValidationFailure", "startDate is not the date of start")
    end = _date(given.get("endDate")) if kind == "endDate" else date(1, 1, 1)
    count = given.get("numberOfOccurrences") or 0
    if kind == "numbered" and (not isinstance(count, int) or not 1 <= count <= 999):
        raise bad("ErrorPropertyValidationFailure")
    if kind == "endDate" and end < first:
        raise bad("ErrorPropertyValidationFailure")
    return {
        "type": kind,
        "startDate": first.isoformat(),
        "endDate": end.isoformat(),
        "recurrenceTimeZone": given.get("recurrenceTimeZone") or zone,
        "numberOfOccurrences": count if kind == "numbered" else 0,
    }


def _date(text: object) -> date:
    if not isinstance(text, str) or len(text) != 10:
        raise bad("UnableToDeserializePostBody", "a date without a time is wanted")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise bad("UnableToDeserializePostBody") from None


def dates_of(recurrence: Json, until: date) -> Iterator[date]:
    """Yield the dates of a stored recurrence up to `until`, the cancelled ones included."""
    limits = recurrence["range"]
    start = date.fromisoformat(limits["startDate"])
    end = min(until, date.fromisoformat(limits["endDate"]) if limits["type"] == "endDate" else _FAR)
    left = limits["numberOfOccurrences"] if limits["type"] == "numbered" else 10_000
    for day in _candidates(recurrence["pattern"], start):
        if day > end or left == 0:
            return
        if day >= start:
            left -= 1
            yield day


def _candidates(pattern: Json, start: date) -> Iterator[date]:
    kind, interval = pattern["type"], pattern["interval"]
    days = sorted(DAYS.index(day) for day in pattern.get("daysOfWeek", ()))
    if kind == "daily":
        day = start
        while day < _FAR:
            yield day
            day += timedelta(days=interval)
    elif kind == "weekly":
        first = DAYS.index(pattern["firstDayOfWeek"])
        week = start - timedelta(days=(start.weekday() - first) % 7)
        while week < _FAR:
            yield from sorted(week + timedelta(days=(day - first) % 7) for day in days)
            week += timedelta(weeks=interval)
    else:
        step = interval * (12 if kind.endswith("Yearly") else 1)
        number = start.year * 12 + (pattern["month"] if kind.endswith("Yearly") else start.month) - 1
        while number < _FAR.year * 12:
            found = _in_month(pattern, number // 12, number % 12 + 1, days)
            if found is not None:
                yield found
            number += step


def _in_month(pattern: Json, year: int, month: int, days: list[int]) -> date | None:
    length = calendar.monthrange(year, month)[1]
    if pattern["type"].startswith("absolute"):
        return date(year, month, min(pattern["dayOfMonth"], length))
    fitting = [date(year, month, day) for day in range(1, length + 1) if date(year, month, day).weekday() in days]
    at = _INDEX[pattern["index"]]
    return fitting[at] if -len(fitting) <= at < len(fitting) else None
