"""What differs between two events, as people see it: where, in which order, and what a window shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from calsync.domain.event import Appearance, Event, Override, Recurrence
from calsync.domain.span import Window
from calsync.reconcile.case import Copy
from calsync.reconcile.compare import differences, standing, view
from calsync.reconcile.shown import Shown
from tests.unit.reconcile.scenes import DAY, DAYS, HOUR, WINDOW, copy_of, extra, seen, single, weekly, with_own

FAR = "2027-06-01T10:00"


def _moved(one: int) -> Appearance:
    return seen(f"2026-12-{DAYS[one].day:02}T14:00")


def _all(kind: str, level: str = "master") -> list[tuple[int | None, str, str]]:
    return [(day, kind, level) for day in range(4)]


@pytest.mark.parametrize(
    ("agreed", "observed", "found"),
    [
        (weekly(), None, _all("deleted")),
        (weekly(), weekly("2026-12-01T12:00"), _all("moved")),
        (weekly(), weekly(count=2), [(2, "deleted", "master"), (3, "deleted", "master")]),
        (weekly(), with_own(weekly(), 2, _moved(2)), [(2, "moved", "override")]),
        (weekly(), weekly(excluded=(DAYS[1],)), [(1, "deleted", "override")]),
        (weekly(), with_own(weekly(), 1, seen("2026-12-08T10:00", cancelled=True)), [(1, "cancelled", "override")]),
        (weekly(), replace(weekly(), master=replace(seen(), title="Yoga")), _all("retitled")),
        # What was apart before and goes back is an edit of its own.
        (with_own(weekly(), 1, _moved(1)), weekly(), [(1, "moved", "override")]),
        (single(), single("2027-03-01T10:00"), [(None, "moved", "master")]),
        (single(), weekly(), [(day, "recurrence-changed", "master") for day in (1, 2, 3)]),
        (weekly(), single(), [(day, "deleted", "master") for day in (1, 2, 3)]),
        (
            weekly(),
            weekly(added=(DAYS[0] + timedelta(days=2),)),
            [(DAYS[0] + timedelta(days=2), "recurrence-changed", "override")],
        ),
        (
            weekly(added=(DAYS[0] + timedelta(days=2),)),
            weekly(),
            [(DAYS[0] + timedelta(days=2), "deleted", "override")],
        ),
        (weekly(count=3), weekly(count=4), [(3, "recurrence-changed", "master")]),
        (
            weekly(),
            replace(weekly(), master=seen("2026-12-01T09:00", zone="America/Chicago")),
            [],
        ),
        (
            weekly(),
            replace(weekly(), master=seen("2026-12-01T10:00", zone="America/Chicago")),
            _all("zone-changed"),
        ),
    ],
)
def test_where_an_edit_was_made(
    agreed: Event, observed: Event | None, found: list[tuple[int | datetime | None, str, str]]
) -> None:
    told = [(one.original_start, str(one.kind), str(one.level)) for one in differences(agreed, observed, window=WINDOW)]
    assert told == [(DAYS[key] if isinstance(key, int) else key, kind, level) for key, kind, level in found]


class TestWhatAWindowShows:
    def test_an_occurrence_belongs_to_it_by_its_slot_or_by_what_it_shows(self) -> None:
        narrow = Window(datetime(2026, 12, 7, tzinfo=UTC), datetime(2026, 12, 9, tzinfo=UTC))
        event = with_own(with_own(weekly(), 1, seen("2026-12-20T10:00")), 3, seen("2026-12-08T16:00"))
        assert list(standing(event, narrow)) == [DAYS[1], DAYS[3]]
        assert list(standing(single("2027-03-01T10:00"), narrow)) == [None]

    @pytest.mark.parametrize("days", [0, 60])
    def test_what_was_made_to_repeat_goes_on_by_none_though_it_began_outside(self, days: int) -> None:
        later = Window(WINDOW.start + timedelta(days=days), WINDOW.end + timedelta(days=days))
        made = replace(weekly(count=20))
        found = standing(made, later, single=True)
        assert found[None] == made.master
        assert DAYS[0] not in found
        assert len([key for key in found if key is not None]) == (4 if days == 0 else 5)
        assert None not in standing(made, later)

    def test_an_event_that_nobody_agreed_to_is_unexplained_whole(self) -> None:
        found = view(None, weekly(), window=WINDOW)
        assert (found.agreed, set(found.shown), found.duplicates) == ({}, set(DAYS), ())
        assert all(one.own == one.seen and one.seen is not None for one in found.shown.values())
        assert view(None, None, window=WINDOW).shown == {}


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

    def test_of_single_changes_that_are_left_of_a_series_each_is_looked_for(self) -> None:
        left = extra(single(), 7, "2026-12-08T12:00")
        assert [one.own for one in view(left, single(), window=WINDOW).shown.values()] == [single().master, None]

    def test_only_a_series_can_lose_its_head(self) -> None:
        headless = extra(replace(single(), master=seen("2026-11-02T10:00")), 36, "2026-12-08T12:00")
        assert any(one.headless for one in view(weekly(), headless, window=WINDOW).shown.values())
        assert not any(one.headless for one in view(single(), headless, window=WINDOW).shown.values())
        one_left = extra(single(), 7, "2026-12-08T12:00")
        two_left = extra(one_left, 14, "2026-12-15T12:00")
        assert not any(one.headless for one in view(two_left, one_left, window=WINDOW).shown.values())

    def test_a_single_session_may_go_while_a_date_added_to_it_stays(self) -> None:
        both = replace(single(), recurrence=Recurrence("", added=(DAYS[2],)))
        without = replace(single(), recurrence=Recurrence("", added=(DAYS[2],), excluded=(DAYS[0],)))
        found = view(both, without, window=WINDOW, single=True).shown
        assert found[None] == Shown(None, None)
        assert found[DAYS[2]].own == seen("2026-12-15T10:00")


class TestCopies:
    def test_beside_an_event_that_is_whole_each_of_its_sessions_is_shown_twice(self) -> None:
        found = differences(weekly(), weekly(), window=WINDOW, copies=[copy_of("c-1", "2026-12-01T10:00", 4)])
        assert [(one.original_start, str(one.kind), one.copy_id) for one in found] == [
            (day, "duplicated", "c-1") for day in DAYS
        ]
        assert all(one.observed is not None for one in found)

    def test_they_are_told_of_in_the_window_only(self) -> None:
        long = weekly("2026-06-02T10:00", 60)
        found = view(long, long, window=WINDOW, copies=[copy_of("c-1", "2026-06-02T10:00", 60)])
        assert [one.original_start for one in found.duplicates] == [*DAYS, DAYS[3] + 7 * DAY]

    def test_where_ours_shows_nothing_any_more_all_that_one_shows_is_told_of_by_itself(self) -> None:
        empty = weekly(excluded=DAYS)
        outside = copy_of("c-2", "2027-06-01T10:00", 2)
        off = Copy("c-3", "1", replace(single(), master=seen("2026-12-03T10:00", cancelled=True), uid="u-c"))
        copies = [copy_of("c-1", "2026-12-03T11:00", 2), outside, off]
        found = view(empty, empty, window=WINDOW, copies=copies).duplicates
        starts = [datetime(2026, 12, day, 16, tzinfo=UTC) for day in (3, 10)]
        assert [(one.original_start, one.copy.remote_id) for one in found] == [(at, "c-1") for at in starts]
        assert [one.seen.span.start_at for one in found] == starts

    def test_that_is_told_in_the_order_of_time(self) -> None:
        empty, before = weekly(excluded=DAYS), Recurrence("FREQ=WEEKLY;COUNT=1", added=(DAYS[1] + HOUR,))
        found = view(empty, empty, window=WINDOW, copies=[copy_of("c-1", "2026-12-22T11:00", recurrence=before)])
        assert [one.original_start for one in found.duplicates] == [DAYS[1] + HOUR, DAYS[3] + HOUR]

    def test_beside_a_single_event_its_one_session_is_shown_twice(self) -> None:
        copy = Copy("c-1", "1", replace(single("2026-12-03T10:00"), uid="u-c"))
        (found,) = differences(single(), single(), window=WINDOW, copies=[copy])
        assert (found.original_start, str(found.kind), found.level) == (None, "duplicated", "master")

    def test_without_our_event_nothing_is_its_rest(self) -> None:
        found = differences(weekly(), None, window=WINDOW, copies=[copy_of("c-1", "2026-12-15T10:00")])
        assert {str(one.kind) for one in found if one.copy_id is None} == {"deleted"}
        assert {str(one.kind) for one in found if one.copy_id is not None} == {"duplicated"}


def test_differences_are_told_in_the_order_of_the_sessions() -> None:
    observed = with_own(weekly(excluded=(DAYS[1],)), 3, seen("2026-12-22T12:00"))
    found = [(one.original_start, str(one.kind)) for one in differences(weekly(), observed, window=WINDOW)]
    assert found == [(DAYS[1], "deleted"), (DAYS[3], "moved")]


def test_another_zone_with_another_time_is_a_move() -> None:
    chicago = replace(weekly(), master=seen("2026-12-01T11:00", zone="America/Chicago"))
    assert {str(one.kind) for one in differences(weekly(), chicago, window=WINDOW)} == {"moved"}


def test_nothing_differs_from_itself_however_it_is_written() -> None:
    written_out: Callable[[Event], Event] = lambda event: with_own(event, 1, seen("2026-12-08T10:00"))  # noqa: E731
    assert differences(weekly(), written_out(weekly()), window=WINDOW) == ()
    assert differences(written_out(weekly()), weekly(), window=WINDOW) == ()
