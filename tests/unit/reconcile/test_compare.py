"""What differs between two events, as people see it: names, levels, order, and what a window shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from calsync.domain.event import Appearance, Event, Override, Recurrence
from calsync.domain.span import Span, Window
from calsync.reconcile.case import Copy
from calsync.reconcile.compare import Shown, Told, differences, kind_of, shown_kind, sort_key, standing, view

ZONE = "America/New_York"
WINDOW = Window(datetime(2026, 11, 25, tzinfo=UTC), datetime(2026, 12, 31, tzinfo=UTC))
DAYS = [datetime(2026, 12, day, 15, tzinfo=UTC) for day in (1, 8, 15, 22)]


def seen(start: str = "2026-12-01T10:00", minutes: int = 50, zone: str = ZONE, **more: object) -> Appearance:
    wall = datetime.fromisoformat(start)
    return Appearance(Span(wall, wall + timedelta(minutes=minutes), zone), "Session 1", **more)  # type: ignore[arg-type]


def whole_day() -> Appearance:
    return Appearance(Span(datetime(2026, 12, 1), datetime(2026, 12, 2), ZONE, all_day=True), "Session 1")


def single(start: str = "2026-12-01T10:00") -> Event:
    return Event("u-1", seen(start))


def weekly(start: str = "2026-12-01T10:00", count: int = 4, **more: object) -> Event:
    return replace(single(start), recurrence=Recurrence(f"FREQ=WEEKLY;COUNT={count}", **more))  # type: ignore[arg-type]


def with_own(event: Event, day: int, shown: Appearance) -> Event:
    return replace(event, overrides=(*event.overrides, Override(DAYS[day], shown)))


@pytest.mark.parametrize(
    ("expected", "observed", "kind"),
    [
        (seen(), seen(), None),
        (seen(), None, "deleted"),
        (seen(), seen(cancelled=True), "cancelled"),
        (seen(cancelled=True), None, None),
        (seen(cancelled=True), replace(seen(cancelled=True), title="Yoga"), None),
        (None, None, None),
        (None, seen(cancelled=True), None),
        (None, seen(), "recurrence-changed"),
        (seen(cancelled=True), seen(), "recurrence-changed"),
        (seen(), seen("2026-12-01T11:00"), "moved"),
        (seen(), seen(minutes=40), "resized"),
        (seen(), seen("2026-12-01T10:10", 40), "moved"),
        (seen(), whole_day(), "made-all-day"),
        (seen(), seen(zone="America/Chicago"), "zone-changed"),
        (seen(), seen("2026-12-01T09:00", zone="America/Chicago"), None),
        (seen(), seen("2026-12-01T11:00", zone="America/Chicago"), "moved"),
        (seen(), seen(minutes=40, zone="America/Chicago"), "moved"),
        (seen(), seen("2026-12-01T09:00", 40, zone="America/Chicago"), "resized"),
        (seen(), seen(answer="declined"), "declined"),
        (seen(answer="declined"), seen(answer="declined"), None),
        (seen(), seen(answer="tentative"), None),
        (seen(), seen(busy=False), "marked-free"),
        (seen(), replace(seen(busy=False), title="Yoga"), "marked-free"),
        (seen(), replace(seen(), title="Yoga"), "retitled"),
    ],
)
def test_a_difference_is_called_by_its_gravest_name(
    expected: Appearance | None, observed: Appearance | None, kind: str | None
) -> None:
    assert kind_of(expected, observed) == kind


@pytest.mark.parametrize(
    ("shown", "elsewhere", "kind"),
    [
        (Shown(None, None), None, "deleted"),
        (Shown(None, None), "K-2", "relocated"),
        (Shown(seen(), seen()), "K-2", None),
        (Shown(seen("2026-12-01T12:00"), seen("2026-12-01T12:00")), "K-2", "moved"),
        (Shown(None, seen("2026-12-01T12:00"), copy_id="c-1"), None, "split"),
        (Shown(None, seen("2026-12-01T12:00"), relabelled=True), None, "zone-changed"),
        (Shown(None, seen(minutes=20), relabelled=True), None, "zone-changed"),
        (Shown(None, seen(busy=False), relabelled=True), None, "marked-free"),
    ],
)
def test_what_only_the_whole_event_tells_goes_before(shown: Shown, elsewhere: str | None, kind: str | None) -> None:
    assert shown_kind(seen(), shown, elsewhere=elsewhere) == kind


def test_a_single_events_start_comes_before_all_others() -> None:
    early = datetime(1960, 1, 1, tzinfo=UTC)
    assert sorted([DAYS[1], None, early, DAYS[0]], key=sort_key) == [None, early, DAYS[0], DAYS[1]]


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


def _copy(name: str, start: str, count: int = 2, **more: object) -> Copy:
    return Copy(name, "1", replace(weekly(start, count), uid=f"u-{name}", **more))  # type: ignore[arg-type]


class TestCopies:
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
        found = differences(weekly(), weekly(count=2), window=WINDOW, copies=[_copy("c-1", start)])
        kinds = {str(one.kind) for one in found if one.original_start in DAYS[2:]}
        assert ("split" in kinds) is split
        assert any(one.kind == "duplicated" for one in found) is not split

    def test_of_two_rests_each_shows_its_own(self) -> None:
        copies = [_copy("c-2", "2026-12-22T14:00", 1), _copy("c-1", "2026-12-15T12:00", 1)]
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
        rest = _copy("rest", "2026-12-15T10:00", recurrence=Recurrence("FREQ=WEEKLY;COUNT=2", added=(at,)))
        rest = replace(rest, event=replace(rest.event, overrides=(Override(at, shown),)))
        found = view(weekly(), weekly(count=2), window=WINDOW, copies=(rest,))
        assert [key for key, one in found.shown.items() if one.copy_id == "rest"] == DAYS[2:]
        assert [one.original_start for one in found.duplicates] == beside

    @pytest.mark.parametrize(("count", "beyond"), [(30, []), (4, ["2026-12-28T15:00", "2027-01-04T15:00"])])
    def test_at_the_windows_end_a_rest_shows_sessions_of_ours_from_beyond(self, count: int, beyond: list[str]) -> None:
        window = Window(WINDOW.start, datetime(2026, 12, 29, tzinfo=UTC) + timedelta(days=7 if count == 4 else 0))
        rest = _copy("rest", "2026-12-14T10:00", 28 if count > 4 else 4)
        found = view(weekly(count=count), weekly(count=2), window=window, copies=(rest,))
        assert [f"{one.original_start:%Y-%m-%dT%H:%M}" for one in found.beyond] == beyond

    @pytest.mark.parametrize(("start", "count", "beyond"), [("2026-11-03T10:00", 7, 0), ("2026-12-01T10:00", 3, 1)])
    def test_at_the_windows_beginning_as_well(self, start: str, count: int, beyond: int) -> None:
        window = Window(datetime(2026, 11, 27, tzinfo=UTC), WINDOW.end)
        told = Told({"rest": {day: seen(f"{day + timedelta(days=3):%Y-%m-%d}T10:00") for day in DAYS[:3]}})
        rest = _copy("rest", "2026-11-27T10:00", 4)
        found = view(weekly(start, count), weekly(start, 1), window=window, copies=(rest,), told=told)
        assert len(found.beyond) == beyond

    def test_beside_an_event_that_is_whole_each_of_its_sessions_is_shown_twice(self) -> None:
        found = differences(weekly(), weekly(), window=WINDOW, copies=[_copy("c-1", "2026-12-01T10:00", 4)])
        assert [(one.original_start, str(one.kind), one.copy_id) for one in found] == [
            (day, "duplicated", "c-1") for day in DAYS
        ]
        assert all(one.observed is not None for one in found)

    def test_beside_a_single_event_its_one_session_is_shown_twice(self) -> None:
        copy = Copy("c-1", "1", replace(single("2026-12-03T10:00"), uid="u-c"))
        (found,) = differences(single(), single(), window=WINDOW, copies=[copy])
        assert (found.original_start, str(found.kind), found.level) == (None, "duplicated", "master")

    def test_without_our_event_nothing_is_its_rest(self) -> None:
        found = differences(weekly(), None, window=WINDOW, copies=[_copy("c-1", "2026-12-15T10:00")])
        assert {str(one.kind) for one in found if one.copy_id is None} == {"deleted"}
        assert {str(one.kind) for one in found if one.copy_id is not None} == {"duplicated"}

    def test_what_was_told_to_stand_beside_is_no_rest(self) -> None:
        found = view(
            weekly(),
            weekly(count=2),
            window=WINDOW,
            copies=[_copy("c-1", "2026-12-15T10:00")],
            told=Told(beside=frozenset({"c-1"})),
        )
        assert [one.original_start for one in found.duplicates] == DAYS[2:]
        assert all(found.shown[day].copy_id is None for day in DAYS)

    def test_a_rest_that_was_told_of_comes_first_and_keeps_what_it_showed(self) -> None:
        told = Told(rests={"c-9": {DAYS[2]: seen("2026-12-15T12:00"), DAYS[3]: seen("2026-12-22T12:00")}})
        copies = [_copy("c-1", "2026-12-15T10:00"), _copy("c-9", "2026-12-15T12:00")]
        found = view(weekly(), weekly(count=2), window=WINDOW, copies=copies, told=told)
        assert [found.shown[day].copy_id for day in DAYS] == [None, None, "c-9", "c-9"]
        assert {one.copy.remote_id for one in found.duplicates} == {"c-1"}


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
