"""Where an occurrence was edited: through its series, or on its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from calsync.domain.event import Appearance, Event, Override, Recurrence
from calsync.domain.span import Span
from calsync.reconcile.level import Level, Levels

ZONE = "America/New_York"
FIRST = datetime(2026, 12, 1, 15, tzinfo=UTC)
SECOND, BETWEEN = FIRST + timedelta(days=7), FIRST + timedelta(days=2)


def seen(start: str = "2026-12-01T10:00") -> Appearance:
    wall = datetime.fromisoformat(start)
    return Appearance(Span(wall, wall + timedelta(minutes=50), ZONE), "Session 1")


def weekly(start: str = "2026-12-01T10:00", count: int = 3, **more: object) -> Event:
    return Event("u-1", seen(start), Recurrence(f"FREQ=WEEKLY;COUNT={count}", **more))  # type: ignore[arg-type]


def apart(event: Event) -> Event:
    return replace(event, overrides=(Override(SECOND, seen("2026-12-08T14:00")),))


SINGLE = Event("u-1", seen())


@pytest.mark.parametrize(
    ("agreed", "observed", "key", "shown", "level"),
    [
        (weekly(), apart(weekly()), SECOND, True, Level.OVERRIDE),
        (apart(weekly()), weekly(), SECOND, True, Level.OVERRIDE),
        (weekly(), weekly(excluded=(SECOND,)), SECOND, False, Level.OVERRIDE),
        (weekly(excluded=(SECOND,)), weekly(), SECOND, True, Level.MASTER),
        (weekly(), weekly("2026-12-01T12:00"), SECOND, True, Level.MASTER),
        (weekly(), weekly(count=1), SECOND, False, Level.MASTER),
        (weekly(count=1), weekly(), SECOND, True, Level.MASTER),
        (weekly(), replace(weekly(), master=replace(seen(), title="Yoga")), SECOND, True, Level.MASTER),
        (weekly(added=(BETWEEN,)), weekly(), BETWEEN, False, Level.OVERRIDE),
        (weekly(added=(BETWEEN,)), weekly("2026-12-01T12:00"), BETWEEN, False, Level.OVERRIDE),
        (weekly(), SINGLE, SECOND, False, Level.MASTER),
        (SINGLE, weekly(), FIRST, True, Level.MASTER),
        (SINGLE, SINGLE, FIRST, True, Level.MASTER),
    ],
)
def test_a_difference_was_made_on_its_own_where_the_rule_still_has_the_slot(
    agreed: Event, observed: Event, key: datetime, shown: bool, level: Level
) -> None:
    assert Levels(agreed, observed).of(key, seen() if shown else None) is level


@pytest.mark.parametrize(
    ("agreed", "observed", "key", "level"),
    [
        (weekly(), weekly(added=(BETWEEN,)), BETWEEN, Level.OVERRIDE),
        (weekly(), apart(weekly(count=1)), SECOND, Level.OVERRIDE),
        (weekly(), weekly(count=4), FIRST + timedelta(days=21), Level.MASTER),
        (SINGLE, weekly(added=(BETWEEN,)), BETWEEN, Level.MASTER),
        (SINGLE, apart(weekly()), SECOND, Level.MASTER),
        (weekly(), SINGLE, FIRST, Level.MASTER),
    ],
)
def test_what_nothing_explains_came_by_itself_if_it_was_added_or_stands_apart(
    agreed: Event, observed: Event, key: datetime, level: Level
) -> None:
    assert Levels(agreed, observed).of_extra(key) is level


def test_a_series_that_was_made_longer_is_so_on_each_of_its_days() -> None:
    wall = datetime(2026, 12, 1, 10)
    longer = replace(weekly(), master=Appearance(Span(wall, wall + timedelta(minutes=80), ZONE), "Session 1"))
    assert Levels(weekly(), apart(longer)).of(SECOND, seen("2026-12-08T14:00")) is Level.MASTER


def test_what_is_left_of_a_series_without_its_rule_comes_from_the_whole_of_it() -> None:
    headless = replace(apart(weekly()), recurrence=None)
    assert Levels(weekly(), headless).of_extra(SECOND) is Level.MASTER
    assert Levels(headless, weekly()).of_extra(SECOND) is Level.MASTER
    assert Levels(weekly(), apart(weekly())).of_extra(SECOND) is Level.OVERRIDE
