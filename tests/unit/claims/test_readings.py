"""Which instants and dates a session time can mean (claims sheet, 6)."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from calsync.claims.readings import Dates, Span, instants, spans, zone_named
from tests.unit.claims.cases import codes, judge, read, rules, word

NEW_YORK, CHICAGO = ZoneInfo("America/New_York"), ZoneInfo("America/Chicago")


@pytest.mark.parametrize(
    ("wall", "count"),
    [
        ("2026-11-01T01:30", 2),
        ("2026-11-01T02:00", 1),
        ("2026-11-01T00:59", 1),
        ("2026-03-08T02:30", 0),
        ("2026-03-08T03:00", 1),
    ],
)
def test_a_wall_time_has_as_many_readings_as_the_clock_shows_it(wall: str, count: int) -> None:
    assert len(instants(datetime.fromisoformat(wall), NEW_YORK)) == count


def test_a_fold_that_was_set_by_a_library_changes_nothing() -> None:
    assert len(instants(datetime(2026, 11, 1, 1, 30, fold=1), NEW_YORK)) == 2


def test_an_offset_leaves_one_reading() -> None:
    assert instants(datetime.fromisoformat("2026-11-01T01:30-05:00"), NEW_YORK) == (
        datetime(2026, 11, 1, 6, 30, tzinfo=UTC),
    )


def test_a_span_keeps_the_readings_that_end_after_they_start() -> None:
    found = spans(datetime(2026, 11, 1, 1, 0), datetime(2026, 11, 1, 1, 45), NEW_YORK)
    assert [one.length for one in found] == [timedelta(minutes=45), timedelta(minutes=105), timedelta(minutes=45)]


@pytest.mark.parametrize(
    "name", ["", "localtime", "Mars/Olympus", "America", "../etc/passwd", "right/UTC", "posix/UTC", "a\0b"]
)
def test_no_zone_but_a_real_one(name: str) -> None:
    assert zone_named(name) is None
    assert codes(judge(record={"zone": name})) == {"zone-unknown"}


def test_midnight_belongs_to_the_day_that_it_ends() -> None:
    to_midnight = Span(datetime(2026, 11, 11, 5, 15, tzinfo=UTC), datetime(2026, 11, 11, 6, 0, tzinfo=UTC))
    for rule in ("hold", "start", "end"):
        assert Dates((CHICAGO,), rule).of([to_midnight]) == {date(2026, 11, 10)}
    assert not Dates((CHICAGO,), "hold").cross_midnight([to_midnight])


LATE = {"start": "2026-11-10T23:30", "end": "2026-11-11T00:15"}
READ = [read("11T08:00")]


@pytest.mark.parametrize(("rule", "day"), [("start", "2026-11-10"), ("end", "2026-11-11")])
def test_the_practices_rule_for_midnight_decides_and_is_named(rule: str, day: str) -> None:
    answer = judge(record=LATE, observations=READ, policy={"midnight": rule})
    assert (str(answer.date_of_service), "midnight-rule" in rules(answer)) == (day, True)


def test_a_ruling_for_the_case_goes_before_the_rule() -> None:
    ruling = {
        "id": "R-1",
        "by": "billing:ann",
        "at": "2026-11-11T08:00:00Z",
        "about": "crosses-midnight",
        "says": "end",
    }
    answer = judge(record=LATE, observations=READ, decisions=[ruling])
    assert (str(answer.date_of_service), "midnight-rule" in rules(answer)) == ("2026-11-11", True)
    assert codes(judge(record=LATE, observations=READ, decisions=[{**ruling, "says": "both"}])) == {"crosses-midnight"}


WEST = {"start": "2026-11-10T21:30", "end": "2026-11-10T22:15", "zone": "America/Los_Angeles"}


@pytest.mark.parametrize("whose", ["client_zone", "provider_zone"])
def test_every_zone_stored_with_the_session_must_give_one_date(whose: str) -> None:
    given = {"record": {**WEST, whose: "America/New_York"}, "observations": READ}
    assert codes(judge(**given)) == {"date-depends-on-zone"}
    by_rule = judge(**given, policy={"date_zone": whose.removesuffix("_zone")})
    assert (str(by_rule.date_of_service), "zone-rule" in rules(by_rule)) == ("2026-11-11", True)
    by_record = judge(**given, policy={"date_zone": "record"})
    assert (str(by_record.date_of_service), "zone-rule" in rules(by_record)) == ("2026-11-10", True)
    ruling = {"id": "R-1", "by": "b", "at": "2026-11-11T08:00:00Z", "about": "date-depends-on-zone", "says": "record"}
    assert str(judge(**given, decisions=[ruling]).date_of_service) == "2026-11-10"


def test_a_zone_rule_that_changes_nothing_is_not_named() -> None:
    assert "zone-rule" not in rules(judge(record={"client_zone": "America/New_York"}, policy={"date_zone": "record"}))


@pytest.mark.parametrize("rule", ["provider", "client"])
def test_a_rule_for_a_zone_that_was_not_stored_holds(rule: str) -> None:
    assert codes(judge(policy={"date_zone": rule})) == {"zone-unknown"}


def test_a_stored_zone_that_is_no_zone_holds_unless_it_is_not_in_use() -> None:
    odd = {"client_zone": "Mars/Olympus"}
    assert codes(judge(record=odd)) == {"zone-unknown"}
    assert codes(judge(record=odd, policy={"date_zone": "record"})) == set()


@pytest.mark.parametrize(
    "times",
    [
        {"start": "2026-03-08T02:15", "end": "2026-03-08T03:15"},
        {"start": "2026-03-08T01:30", "end": "2026-03-08T02:15"},
    ],
)
def test_a_time_that_the_clocks_skip_holds_and_ends_the_assessment(times: dict[str, str]) -> None:
    answer = judge(record=times, statements=[word("did-not-take-place")])
    assert codes(answer) == {"local-time-gap"}


def test_a_session_that_ends_before_it_starts_holds() -> None:
    assert codes(judge(record={"end": "2026-11-10T09:00"})) == {"local-time-gap"}


def test_the_shorter_reading_of_a_repeated_hour_counts_for_minutes() -> None:
    record = {"start": "2026-11-01T01:15", "end": "2026-11-01T02:00", "zone": "America/New_York", "code": "90837"}
    answer = judge(record=record, observations=[read("02T08:00")])
    assert codes(answer) == {"minutes-below-code"}


def test_a_log_near_one_reading_of_a_repeated_hour_agrees() -> None:
    record = {"start": "2026-11-01T01:15", "end": "2026-11-01T02:00", "zone": "America/New_York"}
    desk = {"id": "E-1", "start": "2026-11-01T06:15:00Z", "end": "2026-11-01T07:00:00Z"}
    assert codes(judge(record=record, evidence=[desk], observations=[read("02T08:00")])) == set()


def test_the_records_own_zone_must_be_one_whoever_decides_the_date() -> None:
    record = {"zone": "Mars/Olympus", "client_zone": "America/New_York"}
    assert codes(judge(record=record, policy={"date_zone": "client"})) == {"zone-unknown"}


def test_a_time_that_cannot_be_placed_holds_even_an_absence() -> None:
    assert codes(judge(record={"zone": "Mars/Olympus", "status": "no-show"})) == {"zone-unknown"}


def test_a_missing_end_is_as_far_off_as_the_longest_reading() -> None:
    record = {"start": "2026-11-01T01:15", "end": "2026-11-01T02:00", "zone": "America/New_York"}
    said = word("took-place", "02T08:00", start="2026-11-01T01:15")
    assert codes(judge(record=record, statements=[said], observations=[read("01T07:30")])) == {"observation-stale"}


def test_spans_overlap_that_share_more_than_an_instant() -> None:
    at = [datetime(2026, 11, 10, hour, tzinfo=UTC) for hour in range(9, 13)]
    found = {(b, c): Span(at[0], at[b]).overlaps(Span(at[c], at[3])) for b in (1, 2) for c in (0, 1, 2)}
    assert found == {(1, 0): True, (1, 1): False, (1, 2): False, (2, 0): True, (2, 1): True, (2, 2): False}
    assert not Span(at[2], at[3]).overlaps(Span(at[0], at[1]))
    assert not Span(at[1], at[3]).overlaps(Span(at[0], at[1]))


def test_the_readings_of_a_repeated_hour_come_in_their_order() -> None:
    found = instants(datetime(2026, 11, 1, 1, 30), NEW_YORK)
    assert found == (datetime(2026, 11, 1, 5, 30, tzinfo=UTC), datetime(2026, 11, 1, 6, 30, tzinfo=UTC))
