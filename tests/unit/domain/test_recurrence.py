"""Expansion: wall time over the changes of the clocks, odd dates, overrides at the window's edge, hostile rules."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from calsync.domain.event import Appearance, Event, Override, Recurrence
from calsync.domain.recurrence import RuleRefused, expand, expand_slots, normalise_rule, rule_with_until, slots_between
from calsync.domain.rule import parse_rule
from calsync.domain.span import Span, Window, instant

NEW_YORK = "America/New_York"


def event(start: str, rule: str | None = None, *, zone: str = NEW_YORK, minutes: int = 50, **more: object) -> Event:
    wall = datetime.fromisoformat(start)
    recurrence = None if rule is None else Recurrence(rule, **more)  # type: ignore[arg-type]
    return Event("u", Appearance(Span(wall, wall + timedelta(minutes=minutes), zone), "S"), recurrence)


def window(first: str, last: str) -> Window:
    return Window(datetime.fromisoformat(first).replace(tzinfo=UTC), datetime.fromisoformat(last).replace(tzinfo=UTC))


def at(wall: str, zone: str = NEW_YORK) -> datetime:
    return instant(datetime.fromisoformat(wall), zone)


def walls(shown: Event, within: Window) -> list[str]:
    return [f"{one.span.start:%Y-%m-%dT%H:%M}" for _, one in sorted(expand(shown, within).items())]


YEAR = window("2026-01-01", "2027-01-01")


@pytest.mark.parametrize("zone", [NEW_YORK, "Europe/Berlin", "Australia/Lord_Howe", "UTC", "Asia/Kathmandu"])
def test_ten_stays_ten_all_year_round(zone: str) -> None:
    shown = expand(event("2026-01-05T10:00", "FREQ=WEEKLY", zone=zone), YEAR)
    assert len(shown) == 52
    assert {one.span.start.hour for one in shown.values()} == {10}
    assert all(key == one.span.start_at for key, one in shown.items())


def test_an_hour_that_the_clocks_skip_is_read_with_the_offset_before() -> None:
    shown = expand(event("2026-03-07T02:30", "FREQ=DAILY;COUNT=3"), YEAR)
    assert [key.isoformat() for key in shown if key] == [
        "2026-03-07T07:30:00+00:00",
        "2026-03-08T07:30:00+00:00",
        "2026-03-09T06:30:00+00:00",
    ]
    assert walls(event("2026-03-07T02:30", "FREQ=DAILY;COUNT=3"), YEAR)[1] == "2026-03-08T03:30"


def test_an_hour_that_comes_twice_means_the_first() -> None:
    shown = expand(event("2026-10-31T01:30", "FREQ=DAILY;COUNT=2"), YEAR)
    assert at("2026-11-01T01:30") in shown
    assert datetime(2026, 11, 1, 5, 30, tzinfo=UTC) in shown


def test_a_session_across_the_change_keeps_its_length() -> None:
    shown = expand(event("2026-03-07T01:30", "FREQ=DAILY;COUNT=2", minutes=60), YEAR)
    assert {one.span.length for one in shown.values()} == {timedelta(hours=1)}


def test_leap_days_and_fifth_fridays() -> None:
    century = window("2024-01-01", "2033-01-01")
    assert walls(event("2024-02-29T09:00", "FREQ=YEARLY"), century) == [
        "2024-02-29T09:00",
        "2028-02-29T09:00",
        "2032-02-29T09:00",
    ]
    assert walls(event("2026-01-30T09:00", "FREQ=MONTHLY;BYDAY=5FR"), YEAR) == [
        "2026-01-30T09:00",
        "2026-05-29T09:00",
        "2026-07-31T09:00",
        "2026-10-30T09:00",
    ]


def test_a_start_that_does_not_fit_its_rule_counts_all_the_same() -> None:
    shown = walls(event("2026-01-05T09:00", "FREQ=WEEKLY;BYDAY=TU;COUNT=3"), YEAR)
    assert shown == ["2026-01-05T09:00", "2026-01-06T09:00", "2026-01-13T09:00"]


@pytest.mark.parametrize(
    ("until", "last"),
    [
        ("20260120", "2026-01-20T10:00"),  # a date: to the end of that day
        ("20260120T150000Z", "2026-01-20T10:00"),  # that very instant
        ("20260120T145959Z", "2026-01-13T10:00"),
        ("20260120T100000", "2026-01-20T10:00"),  # local
        ("20260120T095959", "2026-01-13T10:00"),
    ],
)
def test_until_in_every_form(until: str, last: str) -> None:
    assert walls(event("2026-01-06T10:00", f"FREQ=WEEKLY;UNTIL={until}"), YEAR)[-1] == last


def test_an_end_before_the_start_leaves_nothing() -> None:
    assert expand(event("2026-01-06T10:00", "FREQ=WEEKLY;UNTIL=20250101"), YEAR) == {}


def test_an_all_day_series_ends_with_its_last_date() -> None:
    day = Event("u", Appearance(Span(datetime(2026, 1, 5), datetime(2026, 1, 6), NEW_YORK, all_day=True)))
    series = replace(day, recurrence=Recurrence("FREQ=DAILY;UNTIL=20260107T000000Z"))
    assert [f"{one.span.start:%d}" for one in expand(series, YEAR).values()] == ["05", "06", "07"]


def test_dates_added_and_taken_away() -> None:
    added, excluded = (at("2026-01-08T15:00"),), (at("2026-01-13T10:00"),)
    series = event("2026-01-06T10:00", "FREQ=WEEKLY;COUNT=3", added=added, excluded=excluded)
    assert walls(series, YEAR) == ["2026-01-06T10:00", "2026-01-08T15:00", "2026-01-20T10:00"]


def test_dates_alone_make_a_series() -> None:
    assert walls(event("2026-01-06T10:00", "", added=(at("2026-01-08T15:00"),)), YEAR) == [
        "2026-01-06T10:00",
        "2026-01-08T15:00",
    ]


def test_a_date_taken_away_is_its_whole_day_unless_the_series_starts_at_midnight() -> None:
    assert len(expand(event("2026-01-06T10:00", "FREQ=WEEKLY;COUNT=3", excluded=(at("2026-01-13T00:00"),)), YEAR)) == 2
    late = event("2026-01-06T00:00", "FREQ=DAILY;BYHOUR=0,12;COUNT=4", excluded=(at("2026-01-06T00:00"),))
    assert walls(late, YEAR) == ["2026-01-06T12:00", "2026-01-07T00:00", "2026-01-07T12:00"]


JANUARY = window("2026-01-01", "2026-02-01")
MOVED_OUT = Override(at("2026-01-13T10:00"), Appearance(Span(datetime(2026, 3, 1, 9), datetime(2026, 3, 1, 10), "UTC")))
MOVED_IN = Override(at("2026-06-02T10:00"), Appearance(Span(datetime(2026, 1, 2, 9), datetime(2026, 1, 2, 10), "UTC")))
ORPHAN = Override(at("2026-01-15T08:00"), Appearance(Span(datetime(2026, 1, 15, 9), datetime(2026, 1, 15, 10), "UTC")))


def with_overrides(*overrides: Override, excluded: tuple[datetime, ...] = ()) -> Event:
    return replace(event("2026-01-06T10:00", "FREQ=WEEKLY", excluded=excluded), overrides=overrides)


def test_a_long_session_that_reaches_into_the_window_is_inside() -> None:
    long = event("2025-12-29T10:00", "FREQ=WEEKLY;COUNT=2", minutes=5 * 24 * 60)
    assert walls(long, JANUARY) == ["2025-12-29T10:00", "2026-01-05T10:00"]
    assert walls(long, window("2026-01-03T15:00", "2026-01-04")) == []


def test_overrides_count_where_they_were_moved_to() -> None:
    plain, shown = expand(with_overrides(), JANUARY), expand(with_overrides(MOVED_OUT, MOVED_IN), JANUARY)
    assert set(plain) - set(shown) == {MOVED_OUT.original_start}
    assert set(shown) - set(plain) == {MOVED_IN.original_start}
    assert MOVED_OUT.original_start in expand_slots(with_overrides(MOVED_OUT), JANUARY)


def test_an_override_without_a_slot_shows_under_its_own_start() -> None:
    assert expand(with_overrides(ORPHAN), JANUARY)[ORPHAN.original_start] == ORPHAN.appearance
    alone = replace(event("2026-01-06T10:00"), overrides=(ORPHAN,))
    assert set(expand(alone, JANUARY)) == {None, ORPHAN.original_start}


def test_an_excluded_slot_shows_nothing_though_an_override_is_left_over() -> None:
    left = Override(at("2026-01-13T10:00"), ORPHAN.appearance)
    assert at("2026-01-13T10:00") not in expand(with_overrides(left, excluded=(at("2026-01-13T10:00"),)), JANUARY)


def test_a_single_event_goes_by_no_start() -> None:
    assert list(expand(event("2026-01-06T10:00"), JANUARY)) == [None]
    assert expand(event("2026-02-06T10:00"), JANUARY) == {}
    own = Override(at("2026-01-06T10:00"), ORPHAN.appearance)
    assert expand(replace(event("2026-01-06T10:00"), overrides=(own,)), JANUARY) == {None: ORPHAN.appearance}
    assert slots_between(event("2026-01-06T10:00"), JANUARY.start, JANUARY.end) == {}


@pytest.mark.parametrize(
    ("rule", "broken"),
    [
        ("FREQ=SECONDLY", "frequency"),
        ("FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=30", "frequency"),
        ("FREQ=HOURLY", "frequency"),
        ("COUNT=3", "frequency"),
        ("FREQ=DAILY;INTERVAL=0", "interval"),
        ("FREQ=DAILY;INTERVAL=-1", "interval"),
        ("FREQ=DAILY;INTERVAL=two", "interval"),
        ("FREQ=DAILY;COUNT=100000001", "count"),
        ("FREQ=DAILY;COUNT=0", "count"),
        ("FREQ=DAILY\nRRULE:FREQ=WEEKLY", "two-rules"),
        ("RSCALE=GREGORIAN;FREQ=DAILY", "rscale"),
        ("FREQ=DAILY;SKIP=OMIT", "rscale"),
        ("FREQ=DAILY;BYEASTER=1", "syntax"),
        ("FREQ=DAILY;COUNT=1;COUNT=2", "syntax"),
        ("FREQ=DAILY;WKST=XX", "syntax"),
        ("FREQ=DAILY;BYMONTH=13", "syntax"),
        ("FREQ=DAILY;BYMONTH=-1", "syntax"),
        ("FREQ=DAILY;BYDAY=54MO", "syntax"),
        ("FREQ=DAILY;BYDAY=MONDAY", "syntax"),
        ("FREQ=DAILY;BYHOUR=1,2,3,4,5;BYMINUTE=1,2,3,4,5", "times-a-day"),
        ("FREQ=DAILY;UNTIL=20260230", "until"),
        ("FREQ=DAILY;UNTIL=tomorrow", "until"),
        ("FREQ=DAILY;BYMONTHDAY=" + ",".join(["1"] * 2000), "syntax"),
    ],
)
def test_hostile_rules_are_refused_by_name(rule: str, broken: str) -> None:
    with pytest.raises(RuleRefused) as refused:
        expand(event("2026-01-06T10:00", rule), YEAR)
    assert refused.value.broken == broken
    assert rule not in str(refused.value)


def test_other_hostile_events_are_refused() -> None:
    many = tuple(at("2026-01-06T10:00") + timedelta(minutes=n) for n in range(501))
    cases = {
        "start-year": event("1899-01-01T10:00", "FREQ=DAILY"),
        "too-many-dates": event("2026-01-06T10:00", "FREQ=DAILY", excluded=many),
        "too-many-overrides": with_overrides(*(replace(ORPHAN, original_start=one) for one in many[:201])),
    }
    for broken, hostile in cases.items():
        with pytest.raises(RuleRefused, match=broken):
            expand(hostile, YEAR)
    with pytest.raises(RuleRefused, match="start-year"):
        expand(event("2201-01-01T10:00"), YEAR)


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;INTERVAL=7;BYDAY=MO",
        "FREQ=YEARLY;INTERVAL=2;BYMONTH=2;BYMONTHDAY=29",
        "FREQ=YEARLY;BYWEEKNO=53;BYMONTH=6",
        "FREQ=MONTHLY;BYDAY=1MO;BYSETPOS=9",
        "FREQ=WEEKLY;INTERVAL=999999999",
        "FREQ=MONTHLY;INTERVAL=999999999",
        "FREQ=YEARLY;INTERVAL=999999999",
        "FREQ=DAILY;INTERVAL=999999999",
    ],
)
def test_rules_that_never_match_end_at_once(rule: str) -> None:
    began = time.process_time()
    assert walls(event("2025-01-07T10:00", rule), window("2025-01-01", "2027-01-01")) == ["2025-01-07T10:00"]
    assert time.process_time() - began < 0.5


def test_a_rule_that_has_to_be_counted_for_too_long_is_stopped() -> None:
    with pytest.raises(RuleRefused, match="step-budget"):
        expand(
            event("1900-01-02T10:00", "FREQ=DAILY;INTERVAL=1;BYMONTH=2;BYMONTHDAY=30;COUNT=2"),
            window("2199-01-01", "2200-01-01"),
        )


def test_an_endless_series_far_ahead_costs_little() -> None:
    began = time.process_time()
    assert len(expand(event("1901-01-01T10:00", "FREQ=DAILY"), window("2199-01-01", "2200-01-01"))) == 365
    assert time.process_time() - began < 0.5


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("FREQ=WEEKLY;INTERVAL=1", "RRULE:FREQ=WEEKLY"),
        ("BYDAY=TH,MO;FREQ=WEEKLY", "freq=weekly;byday=MO,TH"),
        ("FREQ=WEEKLY;WKST=SU", "FREQ=WEEKLY"),
        ("FREQ=MONTHLY;BYDAY=+1MO", "FREQ=MONTHLY;BYDAY=1MO;"),
    ],
)
def test_equal_rules_have_one_form(one: str, other: str) -> None:
    assert normalise_rule(one) == normalise_rule(other)


def test_the_start_of_the_week_stays_where_it_matters() -> None:
    assert normalise_rule("FREQ=WEEKLY;WKST=SU;INTERVAL=2") == "FREQ=WEEKLY;INTERVAL=2;WKST=SU"
    assert parse_rule("FREQ=YEARLY;BYWEEKNO=1;WKST=SU").week_start == 6


def test_a_rule_is_ended_at_an_instant() -> None:
    last = at("2026-01-20T10:00")
    ended = rule_with_until("FREQ=WEEKLY;COUNT=30", last)
    assert ended == "FREQ=WEEKLY;UNTIL=20260120T150000Z"
    assert len(expand(event("2026-01-06T10:00", ended), YEAR)) == 3
