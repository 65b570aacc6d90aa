"""A burst of hooks is two rings: one at once, one when it is over; and whoever never falls silent is not forgotten."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from calsync.web.bell import LONGEST, QUIET, Bell

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
ZERO = timedelta()


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_the_first_rings_at_once_and_the_others_together_when_it_is_quiet() -> None:
    bell = Bell()
    assert bell.hear("work", NOW) == ZERO
    assert bell.hear("work", after(0.5)) == QUIET
    assert bell.hear("work", after(1)) is None
    assert bell.look("work", after(2.5)) == timedelta(seconds=0.5)
    assert bell.look("work", after(3)) == ZERO
    assert bell.look("work", after(3)) is None


def test_one_that_is_never_quiet_is_rung_for_now_and_then() -> None:
    bell, rings, look_at = Bell(), 0, None
    for tenth in range(251):
        now = after(tenth / 10)
        if look_at is not None and now >= look_at:
            wait = bell.look("work", now)
            rings, look_at = (rings + 1, None) if wait == ZERO else (rings, now + (wait or QUIET))
        wait = bell.hear("work", now)
        rings += wait == ZERO
        if wait:
            look_at = now + wait
    assert rings == 1 + 25 // LONGEST.seconds


def test_a_single_one_later_is_rung_for_at_once_and_calendars_do_not_meet() -> None:
    bell = Bell()
    assert [bell.hear("work", NOW), bell.hear("home", NOW)] == [ZERO, ZERO]
    assert bell.hear("work", NOW + LONGEST) == ZERO


def test_after_a_burst_is_over_the_next_rings_at_once() -> None:
    """An edit that is put back is followed by the hook of our own write, and often by the next edit."""
    bell = Bell()
    bell.hear("work", NOW)
    assert bell.hear("work", after(0.1)) == QUIET
    assert bell.look("work", after(2.1)) == ZERO
    assert bell.hear("work", after(3)) == QUIET
    assert bell.look("work", after(5)) == ZERO
    assert bell.hear("work", after(7)) == ZERO


def test_a_look_that_never_came_and_a_clock_that_was_set_back_silence_nobody() -> None:
    bell = Bell()
    bell.hear("work", NOW)
    assert bell.hear("work", after(1)) == QUIET
    assert bell.hear("work", after(5.5)) == QUIET
    assert bell.hear("work", NOW - timedelta(hours=1)) == ZERO
