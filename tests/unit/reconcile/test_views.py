"""What is seen of an event inside a window: whose slot is whose, where a series was cut, and what goes on after it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from calsync.domain.event import Event, Override
from calsync.reconcile.compare import Shown, Told, shown_kind, standing, view
from tests.unit.reconcile.test_compare import DAYS, WINDOW, _copy, seen, single, weekly, with_own

FAR = "2027-06-01T10:00"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def extra(event: Event, day: int, start: str) -> Event:
    """The event with something changed on its own, a number of days after its beginning."""
    at = event.master.span.start_at + day * DAY
    return replace(event, overrides=(*event.overrides, Override(at, seen(start))))


class TestWhatStands:
    def test_of_a_series_that_was_made_single_only_what_lies_in_the_window_does(self) -> None:
        assert standing(single(FAR), WINDOW, single=False) == {}
        assert standing(single(FAR), WINDOW) == {None: single(FAR).master}

    def test_a_single_sessions_own_slot_goes_by_no_start_and_all_others_by_theirs(self) -> None:
        assert list(standing(weekly(), WINDOW, single=True)) == [None, *DAYS[1:]]
        assert list(standing(weekly(), WINDOW, single=False)) == DAYS

    def test_only_its_own_slot_does_so_from_beyond_the_window(self) -> None:
        began = weekly("2026-06-02T10:00", 2)
        assert list(standing(began, WINDOW, single=True)) == [None]
        assert standing(began, WINDOW, single=False) == {}


class TestWhatBecameOfIt:
    @pytest.mark.parametrize(
        ("shown", "kind"),
        [
            (Shown(None, None, headless=True), "recurrence-changed"),
            (Shown(None, None), "deleted"),
            (Shown(seen("2026-12-01T12:00"), seen("2026-12-01T12:00"), headless=True), "moved"),
            (Shown(seen(), seen(), headless=True), None),
        ],
    )
    def test_a_series_of_which_single_changes_are_left_lost_its_rule(self, shown: Shown, kind: str | None) -> None:
        assert shown_kind(seen(), shown) == kind

    def test_one_session_is_the_same_however_far_it_went(self) -> None:
        assert view(single(), single(FAR), window=WINDOW).shown == {None: Shown(single(FAR).master, single(FAR).master)}

    def test_the_last_session_of_a_series_is_not_any_event_far_away(self) -> None:
        found = view(weekly(count=1), single(FAR), window=WINDOW).shown
        assert found[DAYS[0]].own is None

    def test_what_is_beside_a_single_session_is_seen(self) -> None:
        found = view(single(), extra(single(), 7, "2026-12-08T12:00"), window=WINDOW).shown
        assert [one.own and one.own.span.start.day for one in found.values()] == [1, 8]

    def test_a_session_that_was_brought_into_the_window_is_seen_by_its_own_start(self) -> None:
        endless = replace(weekly(count=100))
        far = DAYS[0] + 70 * DAY
        brought = replace(endless, overrides=(Override(far, seen("2026-12-03T10:00")),))
        found = view(endless, brought, window=WINDOW)
        assert found.shown[far].own == seen("2026-12-03T10:00")
        assert far in found.agreed

    def test_what_shows_as_agreed_was_edited_nowhere(self) -> None:
        written_out = with_own(weekly(), 1, seen("2026-12-08T10:00"))
        assert {one.level for one in view(weekly(), written_out, window=WINDOW).shown.values()} == {"master"}

    def test_only_a_series_can_lose_its_head(self) -> None:
        headless = extra(replace(single(), master=seen("2026-11-02T10:00")), 36, "2026-12-08T12:00")
        assert any(one.headless for one in view(weekly(), headless, window=WINDOW).shown.values())
        assert not any(one.headless for one in view(single(), headless, window=WINDOW).shown.values())


class TestWhereItWasCut:
    """A copy is the rest of our series only where ours ends."""

    def rests(self, observed: Event, start: str, count: int = 2, agreed: Event | None = None) -> list[datetime | None]:
        """Which sessions the copy is taken to go on with."""
        found = view(agreed or weekly(), observed, window=WINDOW, copies=[_copy("c-1", start, count)])
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
        copies = [_copy("c-2", "2026-12-15T14:00"), _copy("c-1", "2026-12-15T14:00")]
        found = view(weekly(), weekly(count=2), window=WINDOW, copies=copies)
        assert {one.copy_id for one in found.shown.values()} == {None, "c-1"}
        assert {one.copy.remote_id for one in found.duplicates} == {"c-2"}

    def test_what_a_rest_was_told_to_show_is_its_though_our_event_was_written_without_it(self) -> None:
        told = Told(rests={"c-1": {DAYS[2]: seen("2026-12-15T14:00")}})
        rest = _copy("c-1", "2026-12-15T14:00", 1)
        found = view(weekly(count=2), weekly(count=2), window=WINDOW, copies=[rest], told=told)
        assert found.shown[DAYS[2]].copy_id == "c-1"

    def test_what_was_taken_away_on_its_own_is_no_part_of_the_rest_unless_that_was_told(self) -> None:
        # The third was excluded by itself before the series was cut at the fourth.
        observed = weekly(count=3, excluded=(DAYS[2],))
        assert self.rests(observed, "2026-12-22T14:00", 1) == [DAYS[3]]
        told = Told(rests={"c-1": {DAYS[2]: seen("2026-12-22T14:00")}})
        found = view(weekly(), observed, window=WINDOW, copies=[_copy("c-1", "2026-12-22T14:00", 1)], told=told)
        assert found.shown[DAYS[2]].copy_id == "c-1"

    def test_dragged_while_it_was_cut_it_goes_on_in_order(self) -> None:
        assert self.rests(weekly(count=2), "2026-12-18T09:00") == DAYS[2:]
        assert self.rests(weekly(count=3), "2026-12-25T09:00", 1) == DAYS[3:]


class TestBesideTheRest:
    """What the rest shows and our event shows as well stands there twice."""

    def test_at_the_very_time_of_ours_it_is_told(self) -> None:
        found = view(weekly(), weekly(count=2), window=WINDOW, copies=[_copy("c-1", "2026-12-08T10:00", 3)])
        assert [one.original_start for one in found.duplicates] == [DAYS[1]]
