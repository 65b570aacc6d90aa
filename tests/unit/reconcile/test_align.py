"""Which occurrence is which: by its slot, by a common shift, then in order; what is left over stands alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from calsync.domain.event import Appearance, Event, Override, Recurrence
from calsync.domain.span import Span, Window
from calsync.reconcile import align as module
from calsync.reconcile.align import align, keyed, pair_in_order, touches

ZONE = "America/New_York"
WINDOW = Window(datetime(2026, 11, 25, tzinfo=UTC), datetime(2027, 1, 5, tzinfo=UTC))
HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
FIRST = datetime(2026, 12, 1, 15, tzinfo=UTC)
SLOTS = [FIRST + n * WEEK for n in range(4)]
BOTH = (ZONE, ZONE)


def seen(start: str = "2026-12-01T10:00", **more: object) -> Appearance:
    wall = datetime.fromisoformat(start)
    return Appearance(Span(wall, wall + timedelta(minutes=50), ZONE), "Session 1", **more)  # type: ignore[arg-type]


def weekly(start: str = "2026-12-01T10:00", rule: str = "FREQ=WEEKLY;COUNT=4", **more: object) -> Event:
    return Event("u-1", seen(start), Recurrence(rule, **more))  # type: ignore[arg-type]


def paired(left: Sequence[datetime], right: Sequence[datetime], shift: timedelta = timedelta()) -> dict[int, int]:
    found = pair_in_order(left, right, shift=shift, zones=BOTH, period=WEEK)
    return {left.index(one): right.index(other) for one, other in found.items()}


class TestInOrder:
    def test_a_common_shift_explains_first(self) -> None:
        assert paired(SLOTS, [one + 4 * HOUR for one in SLOTS], 4 * HOUR) == {0: 0, 1: 1, 2: 2, 3: 3}
        assert paired(SLOTS, [SLOTS[1] + 3 * DAY], 3 * DAY) == {1: 0}
        assert paired(SLOTS, [SLOTS[1] - 3 * DAY], -3 * DAY) == {1: 0}

    @pytest.mark.parametrize("shift", [WEEK, -WEEK, 2 * WEEK])
    def test_a_shift_of_a_period_or_more_is_another_beginning(self, shift: timedelta) -> None:
        assert paired(SLOTS[:2], [SLOTS[1], SLOTS[2] + DAY], shift) == {1: 0}
        assert paired(SLOTS[:1], [SLOTS[0], SLOTS[0] + DAY], shift) == {0: 0}

    def test_then_the_nearest_without_crossing(self) -> None:
        assert paired(SLOTS[:3], [SLOTS[1] + DAY, SLOTS[2] + DAY]) == {1: 0, 2: 1}
        assert paired(SLOTS[:3], [SLOTS[0] + HOUR, SLOTS[2] - HOUR]) == {0: 0, 2: 1}
        assert paired(SLOTS[1:2], [SLOTS[0], SLOTS[1] + 2 * DAY]) == {0: 1}

    @pytest.mark.parametrize(("away", "pairs"), [(14 * DAY, {0: 0}), (14 * DAY + HOUR, {})])
    def test_two_periods_apart_they_are_one_and_farther_they_are_two(
        self, away: timedelta, pairs: dict[int, int]
    ) -> None:
        assert paired(SLOTS[:1], [SLOTS[0] + away]) == pairs
        assert paired(SLOTS[:1], [SLOTS[0] - away]) == pairs

    def test_what_fits_exactly_is_taken_and_only_the_rest_is_paired_by_nearness(self) -> None:
        assert paired(SLOTS, [SLOTS[0], SLOTS[2] + HOUR, SLOTS[3]]) == {0: 0, 2: 1, 3: 2}
        assert paired(SLOTS, []) == {}
        assert paired([], SLOTS) == {}

    def test_times_are_moved_on_the_wall_and_not_on_the_dial(self) -> None:
        around = [datetime(2026, 10, 27, 14, tzinfo=UTC), datetime(2026, 11, 3, 15, tzinfo=UTC)]
        later = [one + HOUR for one in around]
        assert pair_in_order(around, later, shift=HOUR, zones=BOTH, period=WEEK) == dict(
            zip(around, later, strict=True)
        )
        same_wall = [one + HOUR for one in SLOTS]
        found = pair_in_order(SLOTS, same_wall, shift=timedelta(), zones=(ZONE, "America/Chicago"), period=HOUR / 4)
        assert found == dict(zip(SLOTS, same_wall, strict=True))

    @pytest.mark.parametrize("period", [HOUR, 2 * HOUR, 5 * HOUR])
    def test_no_other_pairing_in_order_is_cheaper(self, period: timedelta) -> None:
        # One alone costs a period, a pair its distance; two that fit exactly are not among these.
        alone = period.total_seconds()

        def cheapest(left: Sequence[datetime], right: Sequence[datetime]) -> float:
            if not left or not right:
                return alone * (len(left) + len(right))
            return min(
                abs((left[0] - right[0]).total_seconds()) + cheapest(left[1:], right[1:]),
                alone + cheapest(left[1:], right),
                alone + cheapest(left, right[1:]),
            )

        lefts = [[FIRST + n * HOUR for n in hours] for hours in ([0], [0, 1], [0, 1, 3], [2, 3, 4, 9], [0, 6, 7, 8])]
        rights = [[one + HOUR / 4 for one in left] for left in lefts]
        for left, right in product(lefts, rights):
            pairs = pair_in_order(left, right, shift=timedelta(), zones=BOTH, period=period)
            paid = sum(abs((one - other).total_seconds()) for one, other in pairs.items())
            paid += alone * (len(left) + len(right) - 2 * len(pairs))
            in_order = [pairs[one] for one in sorted(pairs)]
            assert (in_order, paid) == (sorted(set(in_order)), cheapest(left, right))

    def test_when_the_clocks_go_back_a_time_that_comes_twice_is_the_first(self) -> None:
        twice = [datetime(2026, 11, 1, 5, 30, tzinfo=UTC), datetime(2026, 11, 1, 6, 30, tzinfo=UTC)]
        for asked in twice:
            assert pair_in_order([asked], twice, shift=timedelta(), zones=BOTH, period=WEEK) == {asked: twice[0]}

    def test_just_what_may_be_compared_is(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "_MOST_CELLS", 6)
        off = [one + HOUR for one in SLOTS]
        assert paired(SLOTS[:2], off[:3]) == {0: 0, 1: 1}
        assert paired(SLOTS[:2], off) == {}

    def test_what_would_take_too_long_is_left_alone(self) -> None:
        many = [FIRST + n * DAY for n in range(501)]
        assert paired(many, [one + HOUR for one in many]) == {}
        assert len(paired(many[:20], [one + HOUR for one in many[:20]])) == 20


class TestAligning:
    def test_slots_of_the_same_name_are_the_same(self) -> None:
        found = align(weekly(), weekly("2026-12-01T12:00", added=(SLOTS[1],)), WINDOW)
        assert found.pairs[SLOTS[1]] == SLOTS[1]
        assert {found.other[at].span.start.hour for key, at in found.pairs.items() if key != SLOTS[1]} == {12}

    def test_a_dragged_series_keeps_its_order(self) -> None:
        found = align(weekly(), weekly("2026-12-03T12:00"), WINDOW)
        assert found.pairs == {one: one + 2 * DAY + 2 * HOUR for one in SLOTS}
        assert found.extra == ()

    def test_a_series_dragged_by_nearly_a_week_keeps_its_order(self) -> None:
        found = align(weekly(), weekly("2026-12-07T10:00"), WINDOW)
        assert found.pairs == {one: one + 6 * DAY for one in SLOTS}

    def test_what_is_added_to_a_dragged_series_takes_nobodys_place(self) -> None:
        added = FIRST + 4 * DAY + 5 * HOUR
        found = align(weekly(), weekly("2026-12-03T10:00", added=(added,)), WINDOW)
        assert (found.pairs, found.extra) == ({one: one + 2 * DAY for one in SLOTS}, (added,))

    def test_what_is_lost_beyond_the_window_explains_nothing_within(self) -> None:
        beyond = WINDOW.end + 6 * DAY
        extra = FIRST - DAY
        found = align(weekly(added=(beyond,)), weekly(added=(extra,)), WINDOW)
        assert (beyond in found.pairs, found.extra) == (False, (extra,))

    def test_one_taken_away_and_one_added_far_off_are_a_move(self) -> None:
        added = SLOTS[3] + 10 * DAY
        found = align(weekly(), weekly(excluded=(SLOTS[0],), added=(added,)), WINDOW)
        assert (found.pairs[SLOTS[0]], found.extra) == (added, ())

    def test_what_is_added_beside_them_stands_alone_in_order(self) -> None:
        added = (SLOTS[0] + DAY, SLOTS[2] + DAY, SLOTS[3] + 12 * DAY)
        found = align(weekly(), weekly(added=added), WINDOW)
        assert (found.extra, found.pairs) == (added, {one: one for one in SLOTS})

    def test_what_stands_alone_is_told_in_the_order_of_time(self) -> None:
        early, late = SLOTS[0] + DAY, SLOTS[2] + DAY
        found = align(weekly(), weekly(added=(early, late)), WINDOW, alone={early: seen("2026-12-02T10:00")})
        assert found.extra == (early, late)

    def test_in_whatever_order_a_service_lists_changed_occurrences_they_are_paired_by_time(self) -> None:
        moved = [Override(SLOTS[n] + HOUR, seen(f"2026-12-{1 + 7 * n:02}T11:00")) for n in (2, 1)]
        odd = replace(weekly(excluded=SLOTS[:3]), overrides=tuple(moved))
        assert align(weekly(), odd, WINDOW).pairs == {at: at + (at != SLOTS[3]) * HOUR for at in SLOTS[1:]}
        assert align(odd, weekly(), WINDOW).pairs == {at + (at != SLOTS[3]) * HOUR: at for at in SLOTS[1:]}

    @pytest.mark.parametrize(("years", "beyond"), [(0, 35 * DAY), (1, 400 * DAY), (3, 400 * DAY)])
    def test_no_more_is_looked_at_than_the_drag_asks_for(self, years: int, beyond: timedelta) -> None:
        endless = weekly("2024-12-03T10:00", rule="FREQ=WEEKLY")
        dragged = weekly(f"{2024 - years}-12-03T10:00", rule="FREQ=WEEKLY")
        looked = align(endless, dragged, WINDOW).other
        assert WINDOW.end + beyond - WEEK < max(looked) < WINDOW.end + beyond
        assert WINDOW.start - beyond - DAY < min(looked) < WINDOW.start - beyond + WEEK

    def test_beyond_the_window_nothing_is_extra(self) -> None:
        assert align(weekly(), weekly(added=(WINDOW.end + DAY,)), WINDOW).extra == ()
        early = weekly(added=(WINDOW.start - 3 * DAY,))
        assert align(weekly(), early, WINDOW).extra == ()

    def test_what_is_known_to_be_nobodys_counterpart_stays_so_while_it_looks_like_that(self) -> None:
        added = SLOTS[1] + DAY
        observed = weekly(excluded=(SLOTS[1],), added=(added,))
        shown = seen("2026-12-09T10:00")
        assert align(weekly(), observed, WINDOW).pairs[SLOTS[1]] == added
        known = align(weekly(), observed, WINDOW, alone={added: shown})
        assert (SLOTS[1] in known.pairs, known.extra) == (False, (added,))
        for other in (seen("2026-12-09T11:00"), None):
            assert align(weekly(), observed, WINDOW, alone={added: other}).pairs[SLOTS[1]] == added
        outside = WINDOW.end + DAY
        far = weekly(added=(outside,))
        assert align(weekly(), far, WINDOW, alone={outside: seen("2027-01-05T19:00")}).extra == ()

    def test_a_cancelled_occurrence_without_a_slot_shows_nobody_anything(self) -> None:
        odd = Override(SLOTS[1] + DAY, seen("2026-12-09T10:00", cancelled=True))
        lost = weekly(excluded=(SLOTS[1],))
        found = align(weekly(), replace(lost, overrides=(odd,)), WINDOW)
        assert (SLOTS[1] in found.pairs, found.extra) == (False, ())

    def test_a_single_event_is_the_same_however_far_it_went(self) -> None:
        single = Event("u-1", seen())
        far = Event("u-1", seen("2028-03-01T09:00"))
        assert keyed(far, WINDOW) == {far.master.span.start_at: far.master}
        assert align(single, Event("u-1", seen("2026-12-04T10:00")), WINDOW).pairs == {FIRST: FIRST + 3 * DAY}

    def test_a_series_that_was_made_single_shows_what_was_changed_on_its_own_as_well(self) -> None:
        other = Override(SLOTS[1], seen("2026-12-08T12:00"))
        headless = Event("u-1", seen(), overrides=(other,))
        assert keyed(headless, WINDOW) == {FIRST: headless.master, SLOTS[1]: other.appearance}

    def test_a_series_that_begins_weeks_later_is_not_dragged(self) -> None:
        found = align(weekly(), weekly("2026-12-15T10:00"), WINDOW)
        assert {key: at for key, at in found.pairs.items() if key == at} == {one: one for one in SLOTS[2:]}

    def test_the_shortest_gap_is_the_period_wherever_it_lies(self) -> None:
        # Two days apart once, so that a day is the most that costs less than to stand alone.
        one = weekly(added=(SLOTS[3] + 2 * DAY, FIRST - WEEK))
        near, far = SLOTS[3] + 2 * DAY + DAY, SLOTS[3] + 2 * DAY + 5 * DAY
        for added, pairs in ((near, True), (far, False)):
            found = align(one, weekly(added=(added, FIRST - WEEK)), Window(WINDOW.start, SLOTS[3]))
            assert (found.pairs.get(SLOTS[3] + 2 * DAY) == added) is pairs

    def test_daily_sessions_are_paired_by_days_and_not_by_weeks(self) -> None:
        daily = weekly(rule="FREQ=DAILY;COUNT=5")
        later = weekly("2026-12-01T16:00", rule="FREQ=DAILY;COUNT=5")
        days = [FIRST + n * DAY for n in range(5)]
        assert align(daily, later, WINDOW).pairs == {one: one + 6 * HOUR for one in days}
        cut = weekly("2026-12-01T10:00", rule="FREQ=DAILY;COUNT=2", added=(days[4] + 7 * HOUR,))
        assert align(daily, cut, WINDOW).pairs[days[4]] == days[4] + 7 * HOUR


@pytest.mark.parametrize(
    ("key", "shown", "inside"),
    [
        (SLOTS[1], seen("2026-12-08T10:00"), True),
        (SLOTS[1], seen("2028-12-08T10:00"), True),
        (FIRST - 10 * WEEK, seen("2026-12-08T10:00"), True),
        (FIRST - 10 * WEEK, seen("2026-09-22T10:00"), False),
    ],
)
def test_an_occurrence_concerns_a_window_by_its_slot_or_its_time(
    key: datetime, shown: Appearance, inside: bool
) -> None:
    assert touches(weekly(), key, shown, WINDOW) is inside


@pytest.mark.parametrize(
    ("far", "into"),
    [
        (datetime(2028, 12, 5, 15, tzinfo=UTC), "2026-12-02T10:00"),
        (datetime(2024, 12, 3, 15, tzinfo=UTC), "2026-12-02T10:00"),
        (datetime(2027, 2, 9, 15, tzinfo=UTC), "2026-12-02T10:00"),  # where what is looked at ends
    ],
)
def test_an_occurrence_far_beyond_the_window_finds_its_slot_in_the_other_event(far: datetime, into: str) -> None:
    endless = weekly("2024-12-03T10:00", rule="FREQ=WEEKLY")
    brought = replace(endless, overrides=(Override(far, seen(into)),))
    window = Window(WINDOW.start, datetime(2027, 1, 5, 15, tzinfo=UTC))
    for one, other in ((endless, brought), (brought, endless)):
        found = align(one, other, window)
        assert (found.pairs[far], found.extra) == (far, ())


@pytest.mark.parametrize(
    ("own", "pairs"),
    [
        (seen("2026-12-01T12:00"), {0: 1, 1: 4, 2: 2, 3: 3}),  # stands where it stood: who it was is told by that
        (seen("2026-12-01T13:00"), {0: 4, 1: 1, 2: 2, 3: 3}),
        (seen("2026-12-01T12:00", cancelled=True), {0: 4, 1: 1, 2: 2, 3: 3}),
    ],
)
def test_what_stands_on_its_own_stays_who_it_is_in_a_series_dragged_by_a_week(
    own: Appearance, pairs: dict[int, int]
) -> None:
    slots = [*SLOTS, SLOTS[3] + WEEK]
    before = replace(weekly(), overrides=(Override(SLOTS[0], seen("2026-12-01T12:00")),))
    dragged = replace(weekly("2026-12-08T10:00"), overrides=(Override(SLOTS[1], own),))
    found = align(before, dragged, WINDOW).pairs
    assert {slots.index(one): slots.index(other) for one, other in found.items()} == pairs


def test_so_it_does_where_another_one_has_come_into_its_slot() -> None:
    before = replace(weekly(), overrides=(Override(SLOTS[2], seen("2026-12-15T12:00")),))
    dragged = replace(weekly("2026-11-24T10:00"), overrides=(Override(SLOTS[1], seen("2026-12-15T12:00")),))
    assert align(before, dragged, WINDOW).pairs[SLOTS[2]] == SLOTS[1]


def test_its_slot_is_that_of_its_own_zone() -> None:
    stands = seen("2026-12-01T12:00")
    before = replace(weekly(), overrides=(Override(SLOTS[0], stands),))
    ten = datetime(2026, 12, 8, 10)
    chicago = Appearance(Span(ten, ten + timedelta(minutes=50), "America/Chicago"), "Session 1")
    dragged = replace(weekly(), master=chicago, overrides=(Override(SLOTS[1] + HOUR, stands),))
    assert align(before, dragged, WINDOW).pairs[SLOTS[0]] == SLOTS[1] + HOUR


def test_what_went_along_to_behind_all_that_is_looked_at_is_paired_with_nothing() -> None:
    last, summer = datetime(2027, 2, 9, 15, tzinfo=UTC), seen("2027-06-01T10:00")
    before = replace(weekly(rule="FREQ=WEEKLY"), overrides=(Override(last, summer),))
    dragged = replace(weekly("2026-12-08T10:00", rule="FREQ=WEEKLY"), overrides=(Override(last + WEEK, summer),))
    found = align(before, dragged, WINDOW)
    assert last in found.one
    assert last + WEEK not in found.other
    assert set(found.pairs.values()) <= set(found.other)


def test_neither_does_one_that_stood_in_its_slot_become_another() -> None:
    """It was given a title, which makes it one of its own, and then its series was dragged by more than a week."""
    later = timedelta(hours=4)
    stays = Override(SLOTS[2] + later, replace(seen("2026-12-08T10:00"), title="Mine"))
    dragged = replace(weekly("2026-12-08T14:00"), overrides=(stays,))
    found = align(weekly(), dragged, WINDOW).pairs
    assert found[SLOTS[1]] == SLOTS[2] + later
    assert SLOTS[2] + later not in {found.get(key) for key in (SLOTS[0], *SLOTS[2:])}
