"""RRULE to Outlook's patterns and back: the same dates by the stand-in's own engine, or a refusal with its reason."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from calsync.domain.event import Appearance, Event, Recurrence
from calsync.domain.recurrence import slots_between
from calsync.domain.span import Span
from calsync.sandbox.graph.recurrence import checked, dates_of
from calsync_outlook.composing import check_held
from calsync_outlook.recurrence import NotHeld, recurrence_for, rule_of

ZONE = "America/New_York"
WINDOWS = "Eastern Standard Time"
END = date(2031, 1, 1)


def span(start: str) -> Span:
    at = datetime.fromisoformat(start)
    return Span(at, at + timedelta(minutes=50), ZONE)


def dates(rule: str, at: Span) -> list[date]:
    event = Event("u", Appearance(at), Recurrence(rule))
    slots = slots_between(event, at.start_at, datetime(2031, 1, 1, 4, tzinfo=UTC))
    return [one.start.date() for one in slots.values()]


HELD = [
    ("2026-03-02T10:00", "FREQ=DAILY"),
    ("2026-03-02T10:00", "FREQ=DAILY;INTERVAL=3;COUNT=20"),
    ("2026-03-02T10:00", "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR"),
    ("2026-03-02T10:00", "FREQ=WEEKLY"),
    ("2026-03-03T10:00", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU"),
    ("2026-03-03T10:00", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=SU"),
    ("2026-03-02T10:00", "FREQ=WEEKLY;BYDAY=MO;UNTIL=20260427T140000Z"),
    ("2026-03-02T10:00", "FREQ=WEEKLY;BYDAY=MO;UNTIL=20260427T135959Z"),
    ("2026-03-02T10:00", "FREQ=WEEKLY;BYDAY=MO;UNTIL=20260427"),
    ("2026-01-15T10:00", "FREQ=MONTHLY;BYMONTHDAY=15"),
    ("2026-01-31T10:00", "FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1"),
    ("2026-01-30T10:00", "FREQ=MONTHLY;BYMONTHDAY=28,29,30;BYSETPOS=-1"),
    ("2026-01-31T10:00", "FREQ=MONTHLY;BYMONTHDAY=-1"),
    ("2026-01-27T10:00", "FREQ=MONTHLY;BYDAY=4TU"),
    ("2026-01-27T10:00", "FREQ=MONTHLY;BYDAY=-1TU"),
    ("2026-01-27T10:00", "FREQ=MONTHLY;BYDAY=TU;BYSETPOS=4"),
    ("2026-01-01T10:00", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1"),
    ("2026-05-31T10:00", "FREQ=YEARLY"),
    ("2026-05-31T10:00", "FREQ=YEARLY;BYMONTH=5;BYMONTHDAY=31"),
    ("2026-11-26T10:00", "FREQ=YEARLY;BYMONTH=11;BYDAY=4TH"),
]


@pytest.mark.parametrize(("start", "rule"), HELD, ids=[rule for _, rule in HELD])
def test_what_outlook_holds_has_the_same_dates_there_and_back(start: str, rule: str) -> None:
    at = span(start)
    told = recurrence_for(Recurrence(rule), at, WINDOWS)
    assert list(told) == ["pattern", "range"]
    stored = checked(told, at.start.date(), WINDOWS)
    wanted = dates(rule, at)
    assert list(dates_of(stored, END))[: len(wanted)] == wanted
    assert dates(rule_of(stored, at), at) == wanted
    check_held(Event("u", Appearance(at), Recurrence(rule)))


REFUSED = [
    ("2026-01-31T10:00", "FREQ=MONTHLY;BYMONTHDAY=31", "recurrence-short-months"),
    ("2026-01-31T10:00", "FREQ=MONTHLY", "recurrence-short-months"),
    ("2028-02-29T10:00", "FREQ=YEARLY", "recurrence-short-months"),
    ("2026-01-30T10:00", "FREQ=MONTHLY;BYDAY=5FR", "recurrence-position"),
    ("2026-01-23T10:00", "FREQ=MONTHLY;BYDAY=-2FR", "recurrence-position"),
    ("2026-01-01T10:00", "FREQ=MONTHLY;BYDAY=TH,FR;BYSETPOS=1", "recurrence-position"),
    ("2026-01-01T10:00", "FREQ=MONTHLY;BYMONTHDAY=1,15", "recurrence-parts"),
    ("2026-03-02T10:00", "FREQ=DAILY;INTERVAL=2;BYDAY=MO,WE", "recurrence-parts"),
    ("2026-03-02T10:00", "FREQ=WEEKLY;BYMONTH=3", "recurrence-parts"),
    ("2026-03-02T10:00", "FREQ=DAILY;BYHOUR=10,14", "recurrence-parts"),
    ("2026-03-02T10:00", "FREQ=YEARLY;BYYEARDAY=61", "recurrence-parts"),
    ("2026-03-02T10:00", "FREQ=YEARLY;BYWEEKNO=10", "recurrence-parts"),
    ("2026-03-02T10:00", "FREQ=WEEKLY;COUNT=1000", "recurrence-count"),
    ("2026-03-02T10:00", "FREQ=WEEKLY;BYDAY=TU", "recurrence-start"),
    ("2026-03-02T10:00", "FREQ=SECONDLY", "rule-frequency"),
]


@pytest.mark.parametrize(("start", "rule", "reason"), REFUSED, ids=[rule for _, rule, _ in REFUSED])
def test_what_outlook_cannot_hold_is_refused_by_name(start: str, rule: str, reason: str) -> None:
    with pytest.raises(NotHeld) as refusal:
        check_held(Event("u", Appearance(span(start)), Recurrence(rule)))
    assert refusal.value.reason == reason


def test_dates_of_their_own_are_refused() -> None:
    at = span("2026-03-02T10:00")
    with pytest.raises(NotHeld, match="recurrence-dates"):
        check_held(Event("u", Appearance(at), Recurrence("FREQ=WEEKLY", (at.start_at + timedelta(hours=50),))))


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"pattern": {"type": "hourly", "interval": 1}, "range": {"type": "noEnd"}},
        {"pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["someday"]}, "range": {"type": "noEnd"}},
        {"pattern": {"type": "weekly", "interval": 0, "daysOfWeek": ["monday"]}, "range": {"type": "noEnd"}},
        {"pattern": {"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 0}, "range": {"type": "noEnd"}},
        {
            "pattern": {"type": "absoluteYearly", "interval": 1, "month": 13, "dayOfMonth": 1},
            "range": {"type": "noEnd"},
        },
        {"pattern": {"type": "daily", "interval": 1}, "range": {"type": "endDate", "endDate": "2026-02-30"}},
        {"pattern": {"type": "daily", "interval": 1}, "range": None},
    ],
)
def test_patterns_that_are_none_are_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(NotHeld, match="recurrence-unknown"):
        rule_of(broken, span("2026-03-02T10:00"))
