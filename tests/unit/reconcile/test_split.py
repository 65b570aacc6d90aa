"""The rest of a series that was cut in two: which copy it is, which sessions it goes on with, what stands besides."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from calsync.domain.event import Appearance, Event, Override, Recurrence
from calsync.domain.span import Window
from calsync.reconcile.compare import differences, view
from calsync.reconcile.shown import Told
from tests.unit.reconcile.scenes import DAYS, HOUR, WINDOW, copy_of, seen, weekly, with_own


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


class TestBesideTheRest:
    """What the rest shows and our event shows as well stands there twice."""

    def test_at_the_very_time_of_ours_it_is_told(self) -> None:
        found = view(weekly(), weekly(count=2), window=WINDOW, copies=[copy_of("c-1", "2026-12-08T10:00", 3)])
        assert [one.original_start for one in found.duplicates] == [DAYS[1]]
