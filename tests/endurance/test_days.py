"""Virtual days: a quiet one leaves no row behind, and an edit always leaves the same number of them."""

from __future__ import annotations

from tests.endurance.days import Plan, live


def test_a_quiet_day_and_a_busy_one() -> None:
    told = live(Plan(days=2, calendars=3, polls_an_hour=4))
    assert told.problems == []
    assert len(told.rows_an_edit) == 2
    assert told.passes > 1000
    assert min(told.rows_an_edit) > 1
