"""The rest of a series that was cut in two: which copy it is, which sessions it goes on with, what stands besides."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from calsync.domain.event import Appearance, Event, OriginalStart, Override, Recurrence
from calsync.domain.span import Window
from calsync.reconcile.case import Copy
from calsync.reconcile.compare import differences, view
from calsync.reconcile.shown import NOTHING_TOLD, Told
from calsync.reconcile.split import Ours, taken_over
from tests.unit.reconcile.scenes import DAY, DAYS, HOUR, WINDOW, copy_of, seen, single, weekly, with_own

WIDE = Window(WINDOW.start, WINDOW.end + 60 * DAY)


class TestTheRest:
    @pytest.mark.parametrize(
        ("start", "split"),
        [
            ("2026-12-15T10:00", True),
            ("2026-12-15T14:00", True),
            ("2026-12-14T10:00", True),
            ("2026-12-08T10:00", True),
            ("2026-12-07T10:00", False),
            ("2026-12-01T10:00", False),
        ],
    )
    def test_one_that_begins_nearer_to_the_cut_than_to_the_start_is_the_rest(self, start: str, split: bool) -> None:
        found = differences(weekly(), weekly(count=2), window=WINDOW, copies=[copy_of("c-1", start)])
        kinds = {str(one.kind) for one in found if one.original_start in DAYS[2:]}
        assert ("split" in kinds) is split
        assert any(one.kind == "duplicated" for one in found) is not split

    def test_of_two_rests_each_shows_its_own(self) -> None:
        copies = [copy_of("c-2", "2026-12-22T14:00", 1), copy_of("c-1", "2026-12-15T12:00", 1)]
        found = differences(weekly(), weekly(count=2), window=WINDOW, copies=copies)
        assert [(one.original_start, one.copy_id) for one in found] == [(DAYS[2], "c-1"), (DAYS[3], "c-2")]

    @pytest.mark.parametrize(
        ("shown", "beside"),
        [
            (seen("2026-12-08T12:00"), [DAYS[1]]),
            (seen("2026-12-08T12:00", cancelled=True), []),
            (seen("2027-03-08T12:00"), []),
        ],
    )
    def test_what_a_rest_shows_besides_stands_beside_a_session_of_ours(
        self, shown: Appearance, beside: list[datetime]
    ) -> None:
        at = DAYS[1] + timedelta(hours=2)
        rest = copy_of("rest", "2026-12-15T10:00", recurrence=Recurrence("FREQ=WEEKLY;COUNT=2", added=(at,)))
        rest = replace(rest, event=replace(rest.event, overrides=(Override(at, shown),)))
        found = view(weekly(), weekly(count=2), window=WINDOW, copies=(rest,))
        assert [key for key, one in found.shown.items() if one.copy_id == "rest"] == DAYS[2:]
        assert [one.original_start for one in found.duplicates] == beside

    @pytest.mark.parametrize(("count", "beyond"), [(30, []), (4, ["2026-12-28T15:00", "2027-01-04T15:00"])])
    def test_at_the_windows_end_a_rest_shows_sessions_of_ours_from_beyond(self, count: int, beyond: list[str]) -> None:
        window = Window(WINDOW.start, datetime(2026, 12, 29, tzinfo=UTC) + timedelta(days=7 if count == 4 else 0))
        rest = copy_of("rest", "2026-12-14T10:00", 28 if count > 4 else 4)
        found = view(weekly(count=count), weekly(count=2), window=window, copies=(rest,))
        assert [f"{one.original_start:%Y-%m-%dT%H:%M}" for one in found.beyond] == beyond

    @pytest.mark.parametrize(("start", "count", "beyond"), [("2026-11-03T10:00", 7, 0), ("2026-12-01T10:00", 3, 1)])
    def test_at_the_windows_beginning_as_well(self, start: str, count: int, beyond: int) -> None:
        window = Window(datetime(2026, 11, 27, tzinfo=UTC), WINDOW.end)
        told = Told({"rest": {day: seen(f"{day + timedelta(days=3):%Y-%m-%d}T10:00") for day in DAYS[:3]}})
        rest = copy_of("rest", "2026-11-27T10:00", 4)
        found = view(weekly(start, count), weekly(start, 1), window=window, copies=(rest,), told=told)
        assert len(found.beyond) == beyond

    @pytest.mark.parametrize(
        ("start", "shown"),
        [
            ("2026-12-15T14:00", ["2026-12-15T14:00", "2026-12-22T14:00"]),
            ("2026-12-19T10:00", ["2026-12-19T10:00", "2026-12-26T10:00"]),
        ],
    )
    def test_behind_the_windows_end_it_shows_the_last_of_ours_inside(self, start: str, shown: list[str]) -> None:
        # The window ends while the fourth session runs; the series goes on for months.
        window = Window(WINDOW.start, DAYS[3] + timedelta(minutes=30))
        found = view(weekly(count=30), weekly(count=2), window=window, copies=[copy_of("rest", start, 28)])
        told = [one.seen for one in found.shown.values() if one.copy_id == "rest" and one.seen is not None]
        assert [f"{one.span.start:%Y-%m-%dT%H:%M}" for one in told] == shown

    def test_behind_the_windows_end_it_shows_those_of_ours_from_there(self) -> None:
        window = Window(WINDOW.start, DAYS[3] + timedelta(minutes=30))
        rest = copy_of(
            "rest", "2026-12-15T14:00", recurrence=Recurrence("FREQ=WEEKLY;COUNT=28", excluded=(DAYS[3] + 4 * HOUR,))
        )
        found = view(weekly(count=30), weekly(count=2), window=window, copies=[rest])
        assert [found.shown[day].copy_id for day in DAYS[2:]] == ["rest", None], "the fourth was taken out of the rest"

    def test_behind_the_windows_end_the_next_of_ours_is_not_the_last_inside(self) -> None:
        window = Window(WINDOW.start, DAYS[3])
        rest = copy_of("rest", "2026-12-22T14:00", 1)
        assert view(weekly(), weekly(count=2), window=window, copies=(rest,)).shown[DAYS[2]].copy_id is None
        # Where ours still shows the next one on its own, the rest shows the last inside.
        kept = with_own(weekly(count=2), 3, seen("2026-12-22T10:00"))
        assert view(weekly(), kept, window=window, copies=(rest,)).shown[DAYS[2]].copy_id == "rest"

    def test_what_was_told_to_stand_beside_is_no_rest(self) -> None:
        found = view(
            weekly(),
            weekly(count=2),
            window=WINDOW,
            copies=[copy_of("c-1", "2026-12-15T10:00")],
            told=Told(beside=frozenset({"c-1"})),
        )
        assert [one.original_start for one in found.duplicates] == DAYS[2:]
        assert all(found.shown[day].copy_id is None for day in DAYS)

    def test_what_was_told_of_as_standing_beside_goes_on_with_no_other_of_ours(self) -> None:
        # The fourth was called off, and the rest shows it all the same; the second is missing as well by now.
        agreed = replace(weekly(), recurrence=Recurrence("FREQ=WEEKLY;COUNT=4", excluded=(DAYS[3],)))
        fourth = seen("2026-12-22T14:00")
        told = Told({"rest": {DAYS[2]: seen("2026-12-15T14:00")}}, extra={"rest": {DAYS[3] + 4 * HOUR: fourth}})
        rest = copy_of("rest", "2026-12-15T14:00", 2)
        found = view(agreed, weekly(count=1), window=WINDOW, copies=(rest,), told=told)
        assert [found.shown[day].copy_id for day in DAYS[1:3]] == [None, "rest"]
        assert [(one.original_start, one.seen) for one in found.beyond] == [(DAYS[3] + 4 * HOUR, fourth)]

    def test_a_rest_that_was_told_of_comes_first_and_keeps_what_it_showed(self) -> None:
        told = Told(rests={"c-9": {DAYS[2]: seen("2026-12-15T12:00"), DAYS[3]: seen("2026-12-22T12:00")}})
        copies = [copy_of("c-1", "2026-12-15T10:00"), copy_of("c-9", "2026-12-15T12:00")]
        found = view(weekly(), weekly(count=2), window=WINDOW, copies=copies, told=told)
        assert [found.shown[day].copy_id for day in DAYS] == [None, None, "c-9", "c-9"]
        assert {one.copy.remote_id for one in found.duplicates} == {"c-1"}


class TestWhereItWasCut:
    """A copy is the rest of our series only where ours ends."""

    def rests(self, observed: Event, start: str, count: int = 2, agreed: Event | None = None) -> list[datetime | None]:
        """Which sessions the copy is taken to go on with."""
        found = view(agreed or weekly(), observed, window=WINDOW, copies=[copy_of("c-1", start, count)])
        return [key for key, one in found.shown.items() if one.copy_id == "c-1"]

    def test_what_our_event_has_kept_on_its_own_does_not_make_it_go_further(self) -> None:
        kept = with_own(weekly(count=2), 3, seen("2026-12-22T16:00"))
        assert self.rests(kept, "2026-12-15T14:00", 1) == [DAYS[2]]

    def test_where_ours_goes_on_one_that_is_missing_was_taken_away(self) -> None:
        assert self.rests(weekly(excluded=(DAYS[1],)), "2026-12-08T14:00", 1) == []
        assert self.rests(weekly(excluded=(DAYS[2],)), "2026-12-15T14:00", 1) == []

    def test_where_ours_shows_nothing_more_than_its_changes_it_was_cut(self) -> None:
        shown = with_own(weekly(count=2), 1, seen("2026-12-08T12:00"))
        assert self.rests(shown, "2026-12-15T14:00") == DAYS[2:]

    def test_of_two_copies_alike_the_first_goes_on_with_it(self) -> None:
        copies = [copy_of("c-2", "2026-12-15T14:00"), copy_of("c-1", "2026-12-15T14:00")]
        found = view(weekly(), weekly(count=2), window=WINDOW, copies=copies)
        assert {one.copy_id for one in found.shown.values()} == {None, "c-1"}
        assert {one.copy.remote_id for one in found.duplicates} == {"c-2"}

    def test_what_a_rest_was_told_to_show_is_its_though_our_event_was_written_without_it(self) -> None:
        told = Told(rests={"c-1": {DAYS[2]: seen("2026-12-15T14:00")}})
        rest = copy_of("c-1", "2026-12-15T14:00", 1)
        found = view(weekly(count=2), weekly(count=2), window=WINDOW, copies=[rest], told=told)
        assert found.shown[DAYS[2]].copy_id == "c-1"

    def test_what_was_taken_away_on_its_own_is_no_part_of_the_rest_unless_that_was_told(self) -> None:
        # The third was excluded by itself before the series was cut at the fourth.
        observed = weekly(count=3, excluded=(DAYS[2],))
        assert self.rests(observed, "2026-12-22T14:00", 1) == [DAYS[3]]
        told = Told(rests={"c-1": {DAYS[2]: seen("2026-12-22T14:00")}})
        found = view(weekly(), observed, window=WINDOW, copies=[copy_of("c-1", "2026-12-22T14:00", 1)], told=told)
        assert found.shown[DAYS[2]].copy_id == "c-1"

    def test_dragged_while_it_was_cut_it_goes_on_in_order(self) -> None:
        assert self.rests(weekly(count=2), "2026-12-18T09:00") == DAYS[2:]
        assert self.rests(weekly(count=3), "2026-12-25T09:00", 1) == DAYS[3:]

    def test_what_was_taken_away_on_its_own_is_passed_over_as_the_rest_goes_on(self) -> None:
        # It begins between the two: nearer to the one that was excluded.
        assert self.rests(weekly(count=3, excluded=(DAYS[2],)), "2026-12-18T10:00", 1) == [DAYS[3]]

    def test_the_first_that_is_missing_may_be_one_beside_the_rule(self) -> None:
        on_thursday = DAYS[0] + 2 * DAY
        agreed = replace(weekly(), overrides=(Override(on_thursday, seen("2026-12-03T12:00")),))
        assert self.rests(weekly(count=1), "2026-12-03T14:00", 1, agreed) == [on_thursday]

    def test_where_ours_goes_on_in_another_rhythm_it_was_not_cut(self) -> None:
        every_other = replace(weekly(), recurrence=Recurrence("FREQ=WEEKLY;INTERVAL=2;COUNT=2"))
        assert self.rests(every_other, "2026-12-08T14:00", 1) == []

    def test_a_single_session_that_shows_nowhere_has_no_rest(self) -> None:
        emptied = weekly(count=1, excluded=(DAYS[0],))
        copy = Copy("c-1", "1", replace(single("2026-12-03T10:00"), uid="u-c"))
        found = view(single(), emptied, window=WINDOW, copies=[copy])
        assert found.shown[None].copy_id is None
        assert [one.original_start for one in found.duplicates] == [None]

    def test_a_date_added_to_a_single_session_may_go_its_own_way(self) -> None:
        both = replace(single(), recurrence=Recurrence("", added=(DAYS[2],)))
        found = view(both, single(), window=WINDOW, copies=[copy_of("c-1", "2026-12-15T14:00", 1)], single=True)
        assert {key: one.copy_id for key, one in found.shown.items()} == {None: None, DAYS[2]: "c-1"}


def shown_by(rest: Copy, observed: Event, agreed: Event | None = None, told: Told = NOTHING_TOLD) -> dict[int, str]:
    """Which of our sessions a rest shows, and when: by their place in the series."""
    found = view(agreed or weekly(), observed, window=WINDOW, copies=[rest], told=told)
    times = {key: one.seen for key, one in found.shown.items() if one.copy_id == rest.remote_id}
    days = sorted(key for key in found.agreed if key is not None)
    return {days.index(key): f"{seen.span.start:%m-%dT%H:%M}" for key, seen in times.items() if key and seen}


class TestWithWhichOfOursItGoesOn:
    def test_its_first_is_the_first_that_is_missing_though_the_second_is_nearer(self) -> None:
        assert shown_by(copy_of("c-1", "2026-12-18T10:00", 2), weekly(count=3)) == {3: "12-18T10:00"}

    def test_a_whole_period_later_it_is_the_next_that_goes_on(self) -> None:
        rest = copy_of("c-1", "2026-12-15T14:00", 2)
        assert shown_by(rest, weekly(count=1)) == {2: "12-15T14:00", 3: "12-22T14:00"}

    def test_the_period_is_the_shortest_that_two_sessions_lie_apart(self) -> None:
        twice_a_week = replace(weekly(), recurrence=Recurrence("FREQ=WEEKLY;BYDAY=TU,TH;COUNT=8"))
        until = replace(weekly(), recurrence=Recurrence("FREQ=WEEKLY;BYDAY=TU,TH;COUNT=4"))
        rest = copy_of("c-1", "2026-12-17T14:00", recurrence=Recurrence("FREQ=WEEKLY;BYDAY=TU,TH;COUNT=3"))
        assert shown_by(rest, until, twice_a_week) == {5: "12-17T14:00", 6: "12-22T14:00", 7: "12-24T14:00"}

    def test_its_rule_counts_and_not_where_its_first_was_moved(self) -> None:
        rest = copy_of("c-1", "2026-12-13T10:00", 2)
        moved = Override(DAYS[2] - 2 * DAY, seen("2026-12-20T09:00"))
        rest = replace(rest, event=replace(rest.event, overrides=(moved,)))
        assert shown_by(rest, weekly(count=2)) == {2: "12-20T09:00", 3: "12-20T10:00"}

    @pytest.mark.parametrize("hours", [0, 2])
    def test_where_ours_has_kept_the_first_on_its_own_the_rest_begins_with_that(self, hours: int) -> None:
        # The second time the series had been dragged before it was cut.
        ours = weekly(f"2026-12-01T{10 + hours}:00", 1)
        kept = replace(ours, overrides=(Override(DAYS[1] + hours * HOUR, seen("2026-12-08T16:00")),))
        rest = copy_of("c-1", f"2026-12-08T{12 + hours}:00", 3)
        assert shown_by(rest, kept) == {2: f"12-15T{12 + hours}:00", 3: f"12-22T{12 + hours}:00"}

    @pytest.mark.parametrize(
        ("observed", "third", "fourth"),
        [
            # It still belongs to the rule that was cut.
            (with_own(weekly(count=2), 1, seen("2026-12-08T12:00")), "12-11T10:00", "12-18T10:00"),
            # It lies farther from where the rest begins than what is missing, or just as far.
            (with_own(weekly(count=1), 1, seen("2026-12-08T16:00")), "12-12T10:00", "12-19T10:00"),
            (with_own(weekly(count=1), 1, seen("2026-12-08T16:00")), "12-11T22:00", "12-18T22:00"),
        ],
    )
    def test_otherwise_what_ours_shows_on_its_own_is_not_what_the_rest_begins_with(
        self, observed: Event, third: str, fourth: str
    ) -> None:
        assert shown_by(copy_of("c-1", f"2026-{third}", 2), observed) == {2: third, 3: fourth}

    def test_in_whichever_zone_it_goes_on_its_clocks_count(self) -> None:
        first = seen("2026-12-15T13:00", zone="America/Chicago")
        an_hour_later = tuple(day + 5 * HOUR for day in DAYS[2:])
        rest = copy_of("c-1", "2026-12-15T13:00", recurrence=Recurrence("FREQ=WEEKLY;COUNT=2", added=an_hour_later))
        rest = replace(rest, event=replace(rest.event, master=first))
        assert shown_by(rest, weekly(count=2)) == {2: "12-15T13:00", 3: "12-22T13:00"}

    def test_what_it_has_kept_of_later_ones_does_not_matter(self) -> None:
        kept = with_own(weekly(count=2), 3, seen("2026-12-22T16:00"))
        assert shown_by(copy_of("c-1", "2026-12-20T10:00", 1), kept) == {2: "12-20T10:00"}

    @pytest.mark.parametrize("observed", [weekly(), weekly(count=2)])
    def test_a_copy_that_is_no_rest_shows_none_of_ours(self, observed: Event) -> None:
        ours, found = Ours(weekly(), observed, WINDOW), view(weekly(), observed, window=WINDOW).shown
        assert taken_over(ours, copy_of("c-1", "2026-12-02T10:00"), found, NOTHING_TOLD) == {}

    def test_what_it_was_told_to_show_at_the_next_ones_time_is_not_the_next_one(self) -> None:
        told = Told(rests={"c-1": {DAYS[2]: seen("2026-12-22T10:00")}})
        assert shown_by(copy_of("c-1", "2026-12-22T10:00", 1), weekly(count=2), told=told) == {2: "12-22T10:00"}

    def test_what_it_was_told_to_show_it_still_shows_though_another_stands_in_its_slot(self) -> None:
        told = Told(rests={"c-1": {DAYS[2]: seen("2026-12-22T10:00")}})
        found = shown_by(copy_of("c-1", "2026-12-15T10:00", 2), weekly(count=2), told=told)
        assert found[2] == "12-22T10:00"

    def test_what_it_was_told_to_show_goes_before_what_was_told_to_stand_beside(self) -> None:
        third, fourth = seen("2026-12-15T14:00"), seen("2026-12-22T14:00")
        told = Told(rests={"c-1": {DAYS[2]: third}}, extra={"c-1": {DAYS[2]: fourth}})
        assert shown_by(copy_of("c-1", "2026-12-15T14:00", 2), weekly(count=2), told=told) == {2: "12-15T14:00"}

    def test_what_is_off_in_it_is_none_of_what_was_told_to_be_gone(self) -> None:
        told = Told(rests={"c-1": {DAYS[2]: seen("2026-12-15T14:00")}}, extra={"c-1": {DAYS[1]: None}})
        off = Override(DAYS[3] + 4 * HOUR, seen("2026-12-22T14:00", cancelled=True))
        rest = copy_of("c-1", "2026-12-15T14:00", 2, overrides=(off,))
        found = view(weekly(), weekly(count=2), window=WINDOW, copies=(rest,), told=told)
        assert [found.shown[day].copy_id for day in DAYS[2:]] == ["c-1", "c-1"]

    def test_what_was_added_before_its_first_comes_first(self) -> None:
        before = Recurrence("FREQ=WEEKLY;COUNT=1", added=(DAYS[2] + 4 * HOUR,))
        rest = copy_of("c-1", "2026-12-22T14:00", recurrence=before)
        assert shown_by(rest, weekly(count=2)) == {2: "12-15T14:00", 3: "12-22T14:00"}


class TestBesideTheRest:
    """What the rest shows and our event shows as well stands there twice."""

    def found(self, rest: Copy, **more: Any) -> tuple[list[OriginalStart], list[OriginalStart]]:
        """What stands beside ours, and what lies beyond, of a series of four that was cut after two."""
        agreed, observed = more.pop("agreed", weekly()), more.pop("observed", weekly(count=2))
        found = view(agreed, observed, copies=(rest,), **{"window": WINDOW, **more})
        return [one.original_start for one in found.duplicates], [one.original_start for one in found.beyond]

    def with_dates(self, start: str, count: int, *added: datetime, **more: Any) -> Copy:
        """A rest that shows more dates than those of its rule."""
        return copy_of("c-1", start, recurrence=Recurrence(f"FREQ=WEEKLY;COUNT={count}", added=added), **more)

    def test_it_is_near_within_a_whole_period(self) -> None:
        near, far = DAYS[1] + 6 * DAY, DAYS[0] - 6 * DAY
        rest = self.with_dates("2026-12-15T14:00", 2, far, near)
        assert self.found(rest) == ([DAYS[0], DAYS[1]], [])
        assert self.found(self.with_dates("2026-12-15T14:00", 2, DAYS[3] + 20 * DAY), window=WIDE)[0] == []

    def test_sessions_are_told_of_in_order_wherever_they_came_from(self) -> None:
        # One of long before the window was moved into it, and so is seen last.
        before = DAYS[0] - 28 * DAY
        ours = replace(weekly("2026-11-03T10:00", 6), overrides=(Override(before, seen("2026-11-27T10:00")),))
        agreed = weekly("2026-11-03T10:00", 8)
        rest = self.with_dates("2026-12-15T14:00", 2, DAYS[1] + 4 * DAY, DAYS[0] - 3 * DAY)
        assert self.found(rest, agreed=agreed, observed=ours) == ([DAYS[0], DAYS[1]], [])

    @pytest.mark.parametrize(
        ("start", "count", "added", "its_own"),
        [
            # Between what it goes on with there is no room for another of ours.
            ("2026-11-03T10:00", 20, "2026-12-18T10:00", True),
            # Past its last and before its first it may stand for one of ours that lies outside the window, if any does.
            ("2026-11-03T10:00", 20, "2026-12-30T16:00", False),
            ("2026-11-03T10:00", 9, "2026-12-30T16:00", True),
            ("2026-11-03T10:00", 9, "2026-12-10T10:00", False),
            ("2026-12-01T10:00", 9, "2026-12-10T10:00", True),
            # At the very time of its first or last it shows that one twice.
            ("2026-11-03T10:00", 20, "2026-12-15T14:00", True),
            ("2026-11-03T10:00", 20, "2026-12-29T14:00", True),
        ],
    )
    def test_between_those_that_it_goes_on_with_what_it_shows_is_its_own(
        self, start: str, count: int, added: str, its_own: bool
    ) -> None:
        agreed = weekly(start, count)
        observed = weekly(start, 6 if start < "2026-12" else 2)
        more = DAYS[1] + 9 * DAY
        rest = self.with_dates("2026-12-15T14:00", 3, more)
        rest = replace(rest, event=replace(rest.event, overrides=(Override(more, seen(added, 80)),)))
        assert self.found(rest, agreed=agreed, observed=observed) == ([], [more] if its_own else [])

    def test_what_lies_beyond_is_told_of_in_order(self) -> None:
        between = DAYS[2] + 3 * DAY
        rest = self.with_dates("2026-12-15T14:00", 4, between)
        later = [DAYS[3] + days * DAY + 4 * HOUR for days in (7, 14)]
        assert self.found(rest, window=WIDE) == ([], [between, *later])

    def test_with_one_session_in_the_window_a_week_is_near(self) -> None:
        # Our event was written anew without what the rest shows.
        alone = weekly(count=1)
        told = Told(rests={"c-1": {DAYS[3]: seen("2026-12-22T14:00")}})
        for days, near in ((6, True), (8, False)):
            rest = self.with_dates("2026-12-22T14:00", 1, DAYS[0] + days * DAY)
            beside, beyond = self.found(rest, agreed=alone, observed=alone, told=told)
            assert (beside, beyond) == (([DAYS[0]], []) if near else ([], [DAYS[0] + days * DAY]))

    def test_at_the_very_time_of_ours_it_is_told(self) -> None:
        found = view(weekly(), weekly(count=2), window=WINDOW, copies=[copy_of("c-1", "2026-12-08T10:00", 3)])
        assert [one.original_start for one in found.duplicates] == [DAYS[1]]
