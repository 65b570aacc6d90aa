"""The brakes over all calendars (R-14): shares with a floor, and stages that grow."""

from __future__ import annotations

import pytest

from calsync.reconcile.fleet import STAGES, FleetFacts, FleetLimits, check_fleet, is_released

LIMITS = FleetLimits(drifting=0.05, reconnecting=0.1, floor=10)


@pytest.mark.parametrize(
    ("calendars", "drifting", "reconnecting", "what"),
    [
        (1, 1, 1, None),  # a small site is never stopped by itself
        (10, 10, 10, None),
        (11, 11, 0, "drifting"),
        (1000, 50, 100, None),  # exactly the limit is allowed
        (1000, 51, 0, "drifting"),
        (1000, 50, 101, "reconnecting"),
        (0, 0, 0, None),
    ],
)
def test_a_share_over_its_limit_stops_the_fleet(
    calendars: int, drifting: int, reconnecting: int, what: str | None
) -> None:
    brake = check_fleet(FleetFacts(calendars=calendars, drifting=drifting, reconnecting=reconnecting), LIMITS)
    assert (brake.what if brake else None) == what


def test_it_says_why_in_numbers() -> None:
    brake = check_fleet(FleetFacts(calendars=1000, drifting=51, reconnecting=0), LIMITS)
    assert str(brake) == "51 of 1000 calendars have new edits, more than 5%"


def test_stages_hold_about_their_share_and_each_those_before_it() -> None:
    names = [f"calendar-{number}" for number in range(20_000)]
    before: set[str] = set()
    for share in STAGES:
        released = {name for name in names if is_released(name, share)}
        assert before <= released
        assert len(released) == pytest.approx(share * len(names), rel=0.2)
        before = released
    assert not any(is_released(name, 0.0) for name in names)


def test_while_nothing_is_released_no_name_is() -> None:
    first_of_all = ""
    assert not is_released(first_of_all, 0.0)
    assert is_released(first_of_all, STAGES[0])
