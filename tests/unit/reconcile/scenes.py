"""Sessions, series and copies of them that the tests of what is seen speak of."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from calsync.domain.event import Appearance, Event, Override, Recurrence
from calsync.domain.span import Span, Window
from calsync.reconcile.case import Copy

ZONE = "America/New_York"
WINDOW = Window(datetime(2026, 11, 25, tzinfo=UTC), datetime(2026, 12, 31, tzinfo=UTC))
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DAYS = [datetime(2026, 12, day, 15, tzinfo=UTC) for day in (1, 8, 15, 22)]


def seen(start: str = "2026-12-01T10:00", minutes: int = 50, zone: str = ZONE, **more: object) -> Appearance:
    wall = datetime.fromisoformat(start)
    return Appearance(Span(wall, wall + timedelta(minutes=minutes), zone), "Session 1", **more)  # type: ignore[arg-type]


def whole_day() -> Appearance:
    return Appearance(Span(datetime(2026, 12, 1), datetime(2026, 12, 2), ZONE, all_day=True), "Session 1")


def single(start: str = "2026-12-01T10:00") -> Event:
    return Event("u-1", seen(start))


def weekly(start: str = "2026-12-01T10:00", count: int = 4, **more: object) -> Event:
    return replace(single(start), recurrence=Recurrence(f"FREQ=WEEKLY;COUNT={count}", **more))  # type: ignore[arg-type]


def event(
    start: str = "2026-12-01T10:00", rule: str | None = None, *, title: str = "Session 1", **more: object
) -> Event:
    wall = datetime.fromisoformat(start)
    recurrence = None if rule is None else Recurrence(rule, **more)  # type: ignore[arg-type]
    return Event("u-1", Appearance(Span(wall, wall + timedelta(minutes=50), ZONE), title), recurrence)


def with_own(event: Event, day: int, shown: Appearance) -> Event:
    return replace(event, overrides=(*event.overrides, Override(DAYS[day], shown)))


def copy_of(name: str, start: str, count: int = 2, **more: object) -> Copy:
    return Copy(name, "1", replace(weekly(start, count), uid=f"u-{name}", **more))  # type: ignore[arg-type]


def extra(event: Event, day: int, start: str) -> Event:
    """The event with something changed on its own, a number of days after its beginning."""
    at = event.master.span.start_at + day * DAY
    return replace(event, overrides=(*event.overrides, Override(at, seen(start))))
