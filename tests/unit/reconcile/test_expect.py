"""What the calendar should show for appointments, series and blocks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from calsync.domain.appointment import Appointment, AppointmentStatus, Block, Series
from calsync.domain.event import Event
from calsync.domain.recurrence import expand
from calsync.domain.span import Span, Window, instant
from calsync.reconcile.expect import (
    Privacy,
    expect_appointment,
    expect_block,
    expect_series,
    occurrences_of_series,
    title_for,
)

ZONE = "America/New_York"
SPAN = Span(datetime(2026, 12, 1, 10), datetime(2026, 12, 1, 10, 50), ZONE)
SERIES = Series("S-1", "P-1", "C-1", SPAN, "FREQ=WEEKLY;COUNT=4")
WINDOW = Window(datetime(2026, 11, 1, tzinfo=UTC), datetime(2027, 11, 1, tzinfo=UTC))


def slot(day: int, hour: int = 10) -> datetime:
    return instant(datetime(2026, 12, day, hour), ZONE)


def appointment(day: int, *, hour: int = 10, on: int | None = None, status: str = "scheduled") -> Appointment:
    span = SPAN.starting(datetime(2026, 12, on or day, hour))
    return Appointment(
        f"A-{day}", "P-1", "C-1", span, status=AppointmentStatus(status), series="S-1", original_start=slot(day)
    )


def expected(*appointments: Appointment, series: Series = SERIES) -> Event | None:
    return expect_series(series, appointments, title="Session S-1", uid="u-1")


def shown(event: Event | None) -> list[str]:
    assert event is not None
    return [f"{one.span.start:%d %H}" for one in expand(event, WINDOW).values()]


@pytest.mark.parametrize(
    ("status", "stays"),
    [("scheduled", True), ("completed", True), ("no-show", True), ("cancelled", False), ("late-cancelled", False)],
)
def test_a_cancelled_session_leaves_the_calendar(status: str, stays: bool) -> None:
    one = replace(appointment(1, status=status), series=None, original_start=None)
    event = expect_appointment(one, title="Session 1", uid="u-1")
    assert (event is not None) is stays
    assert event is None or (event.master.span, event.master.title, event.uid) == (SPAN, "Session 1", "u-1")


def test_a_series_as_its_rule_says() -> None:
    event = expected(*(appointment(day) for day in (1, 8, 15, 22)))
    assert event is not None
    assert event.recurrence is not None
    assert (event.recurrence.excluded, event.recurrence.added, event.overrides) == ((), (), ())
    assert shown(event) == shown(expected()) == ["01 10", "08 10", "15 10", "22 10"]


def test_cancelled_and_rescheduled_occurrences() -> None:
    event = expected(appointment(8, status="cancelled"), appointment(15, on=16, hour=14))
    assert shown(event) == ["01 10", "16 14", "22 10"]
    assert event is not None
    assert [one.original_start for one in event.overrides] == [slot(15)]


def test_an_appointment_off_the_rule_is_a_date_of_its_own() -> None:
    event = expected(replace(appointment(10), original_start=slot(10)))
    assert event is not None
    assert event.recurrence is not None
    assert event.recurrence.added == (slot(10),)
    assert event.overrides == ()
    assert sorted(shown(event)) == ["01 10", "08 10", "10 10", "15 10", "22 10"]


def test_added_and_excluded_dates_of_the_series() -> None:
    series = replace(SERIES, added=(slot(10, 15),), excluded=(slot(8),))
    assert sorted(shown(expected(series=series))) == ["01 10", "10 15", "15 10", "22 10"]
    assert sorted(shown(expected(appointment(8), series=series))) == ["01 10", "08 10", "10 15", "15 10", "22 10"]


def test_nothing_left_is_no_event() -> None:
    assert expected(series=replace(SERIES, cancelled=True)) is None
    assert expected(*(appointment(day, status="cancelled") for day in (1, 8, 15, 22))) is None
    assert expected(*(appointment(day, status="cancelled") for day in (1, 8, 15))) is not None
    endless = replace(SERIES, rule="FREQ=WEEKLY")
    assert expected(*(appointment(day, status="cancelled") for day in (1, 8, 15, 22)), series=endless) is not None


def test_a_series_that_ends_on_a_day_is_no_event_once_all_of_it_is_cancelled() -> None:
    until = replace(SERIES, rule="FREQ=WEEKLY;UNTIL=20261222T150000Z")
    assert expected(*(appointment(day, status="cancelled") for day in (1, 8, 15, 22)), series=until) is None
    assert expected(*(appointment(day, status="cancelled") for day in (1, 8, 15)), series=until) is not None


def test_all_that_is_said_of_single_dates_is_said_in_order() -> None:
    days = (29, 3, 17, 10, 24, 5, 12)
    daily = replace(
        SERIES, rule="FREQ=DAILY;COUNT=31", excluded=tuple(map(slot, days)), added=tuple(slot(day, 20) for day in days)
    )
    moved = [appointment(day, hour=16) for day in (22, 15, 8, 26, 2)]
    event = expected(*moved, series=daily)
    assert event is not None
    assert event.recurrence is not None
    assert event.recurrence.excluded == tuple(map(slot, sorted(days)))
    assert event.recurrence.added == tuple(slot(day, 20) for day in sorted(days))
    assert [one.original_start for one in event.overrides] == list(map(slot, (2, 8, 15, 22, 26)))


def test_an_appointment_that_is_no_part_of_the_series_is_left_out() -> None:
    assert shown(expected(replace(appointment(3), original_start=None))) == shown(expected())


def test_what_appointments_are_made_from() -> None:
    series = replace(SERIES, added=(slot(10, 15),), excluded=(slot(8),))
    found = occurrences_of_series(series, WINDOW)
    assert [at for at, _ in found] == [slot(1), slot(10, 15), slot(15), slot(22)]
    assert {span.length for _, span in found} == {timedelta(minutes=50)}
    assert occurrences_of_series(replace(series, cancelled=True), WINDOW) == ()


def test_a_block_is_shown_until_it_is_cancelled() -> None:
    block = Block("B-1", "P-1", SPAN)
    event = expect_block(block, uid="u-1")
    assert event is not None
    assert event.master.title == "Out of office"
    assert expect_block(replace(block, cancelled=True), uid="u-1") is None
    named = expect_block(replace(block, title="Holiday"), uid="u-1")
    assert named is not None
    assert named.master.title == "Holiday"


@pytest.mark.parametrize(
    ("privacy", "title", "without_names"),
    [
        ("id", "Session 4821", "Session 4821"),
        ("initials", "Session M. E.", "Session 4821"),
        ("first-name", "Session Mira", "Session 4821"),
        ("full-name", "Session Mira Example", "Session 4821"),
    ],
)
def test_titles_obey_the_privacy_setting(privacy: str, title: str, without_names: str) -> None:
    setting = Privacy(privacy)
    assert title_for(setting, number="4821", first_name="mira".title(), last_name=" Example ") == title
    assert title_for(setting, number="4821") == without_names
