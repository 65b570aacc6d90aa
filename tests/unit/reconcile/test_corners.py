"""Corners of deciding that no story passes by: what is built, kept or left to people where little is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from calsync.domain.drift import Disposition, Phase
from calsync.domain.event import Appearance, Event, Override, Recurrence
from calsync.domain.span import Span
from calsync.reconcile.brakes import check_stampede
from calsync.reconcile.case import CalendarFacts, Copy, RecentChange
from calsync.reconcile.disposition import phase_of
from calsync.reconcile.fleet import FleetBrake, FleetFacts, FleetLimits, check_fleet
from calsync.reconcile.plan import Decision
from calsync.reconcile.target import build_target
from tests.properties.pretend import NOW, POLICY, World

ZONE = "America/New_York"
SECOND = datetime(2026, 12, 8, 15, tzinfo=UTC)


def seen(start: str = "2026-12-01T10:00", minutes: int = 50, **more: object) -> Appearance:
    wall = datetime.fromisoformat(start)
    return Appearance(Span(wall, wall + timedelta(minutes=minutes), ZONE), "Session 1", **more)  # type: ignore[arg-type]


SINGLE = Event("u-1", seen())
WEEKLY = replace(SINGLE, recurrence=Recurrence("FREQ=WEEKLY;COUNT=3"))


class TestTheTarget:
    def test_the_one_occurrence_there_is_stays_though_it_should_be_absent(self) -> None:
        assert build_target(SINGLE, kept={None: None}) == SINGLE

    def test_what_is_kept_beside_a_single_event_is_a_date_added_to_it(self) -> None:
        target = build_target(SINGLE, kept={SECOND: seen("2026-12-08T10:00")})
        assert target.recurrence is not None
        assert (target.recurrence.rule, target.recurrence.added) == ("", (SECOND,))
        assert target.master == SINGLE.master

    def test_what_stands_in_its_slot_is_no_override(self) -> None:
        moved = replace(WEEKLY, overrides=(Override(SECOND, seen("2026-12-08T14:00")),))
        assert build_target(moved, kept={SECOND: seen("2026-12-08T10:00")}) == WEEKLY
        called_off = replace(WEEKLY, recurrence=Recurrence("FREQ=WEEKLY;COUNT=3", excluded=(SECOND,)))
        assert build_target(called_off, kept={SECOND: seen("2026-12-08T10:00")}) == WEEKLY
        assert build_target(WEEKLY, kept={SECOND: None}) == called_off

    def test_the_first_of_a_series_is_kept_under_its_own_slot(self) -> None:
        target = build_target(WEEKLY, kept={None: seen("2026-12-01T14:00")})
        assert [one.original_start for one in target.overrides] == [WEEKLY.master.span.start_at]

    def test_the_one_occurrence_goes_by_its_start_as_well(self) -> None:
        moved = seen("2026-12-01T14:00")
        for key in (None, SINGLE.master.span.start_at):
            assert build_target(SINGLE, kept={key: moved}) == replace(SINGLE, master=moved)

    def test_a_name_of_its_own_is_kept_in_its_slot(self) -> None:
        named = replace(seen("2026-12-08T10:00"), title="Yoga")
        assert build_target(WEEKLY, kept={SECOND: named}).overrides == (Override(SECOND, named),)

    def test_an_added_date_that_was_taken_away_stays_away(self) -> None:
        others = (SECOND + timedelta(days=2), SECOND + timedelta(days=3))
        added = replace(WEEKLY, recurrence=Recurrence("FREQ=WEEKLY;COUNT=3", added=others))
        target = build_target(added, kept={others[0]: None})
        assert target.recurrence == Recurrence("FREQ=WEEKLY;COUNT=3", added=others[1:], excluded=others[:1])

    def test_one_that_is_called_off_beside_the_slots_is_kept_so(self) -> None:
        off = seen("2026-12-09T10:00", cancelled=True)
        at = SECOND + timedelta(days=1)
        target = build_target(WEEKLY, kept={at: off})
        assert (target.overrides, target.recurrence and target.recurrence.added) == ((Override(at, off),), (at,))

    def test_what_is_kept_stands_in_the_order_of_time(self) -> None:
        days = [SECOND + timedelta(days=day) for day in (6, 1, 5, 2, 4, 3)]
        kept: dict[datetime | None, Appearance | None] = {day: seen(f"2026-12-{day.day:02}T14:00") for day in days}
        target = build_target(WEEKLY, kept=kept)
        assert target.recurrence is not None
        assert target.recurrence.added == tuple(one.original_start for one in target.overrides) == tuple(sorted(days))


@pytest.mark.parametrize(
    ("hours", "claimed", "phase"),
    [
        (-1.0, False, Phase.UPCOMING),
        (0.0, False, Phase.STARTED),
        (49 / 60, False, Phase.STARTED),
        (50 / 60, False, Phase.PAST),
        (-1.0, True, Phase.CLAIMED),
        (5.0, True, Phase.CLAIMED),
    ],
)
def test_a_session_begins_and_ends_to_the_minute(hours: float, claimed: bool, phase: Phase) -> None:
    now = seen().span.start_at + timedelta(hours=hours)
    assert phase_of(seen(), now, claimed=claimed) is phase
    assert phase_of(None, now, claimed=False) is Phase.UPCOMING


class TestACopy:
    def test_one_that_cannot_be_read_any_more_is_left_to_people(self) -> None:
        world = World.agreed(SINGLE)
        copy = Copy("c-1", "7", Event("u-2", seen("2026-12-03T10:00")))
        world.copies["c-1"] = copy
        world.one_pass()
        assert [one.disposition.reverts for one in world.drifts] == [True]
        world.copies["c-1"] = replace(copy, version="8", unreadable=True)
        world.now += POLICY.settle
        assert world.one_pass().writes == ()
        assert [one.disposition for one in world.drifts] == [Disposition.FLAG]
        assert "c-1" in world.copies

    def test_of_a_cancelled_session_it_goes_at_once_and_does_not_wait_for_quiet(self) -> None:
        world = World.agreed(SINGLE)
        world.copies["c-1"] = Copy("c-1", "7", Event("u-2", seen("2026-12-03T10:00")))
        world.expected = None
        (write,) = [one for one in world.one_pass().writes if one.remote_id == "c-1"]
        assert write.not_before == NOW


class TestNumbersForPeople:
    def test_with_nothing_upcoming_all_of_it_changed(self) -> None:
        facts = CalendarFacts(
            calendar="K-1",
            zone="UTC",
            upcoming_links=0,
            recent=tuple(RecentChange(f"L-{n}", vanished=False) for n in range(4)),
        )
        fresh = Decision("L-9", "cell", looked=True, changed_wholly=True, starts=(NOW + timedelta(days=9), NOW))
        stop = check_stampede([fresh], facts, POLICY)
        assert stop is not None
        assert (stop.changed, stop.share) == (5, 1.0)
        assert stop.suspects[-1].original_starts == (NOW, NOW + timedelta(days=9)), "in the order of their days"

    def test_the_fleet_is_stopped_for_new_logins_as_well(self) -> None:
        facts = FleetFacts(calendars=100, drifting=0, reconnecting=50)
        brake = check_fleet(facts, FleetLimits(drifting=0.5, reconnecting=0.1, floor=10))
        assert isinstance(brake, FleetBrake)
        assert str(brake) == "50 of 100 calendars began to need a new login, more than 10%"
