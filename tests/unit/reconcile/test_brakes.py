"""Fight and stampede: the limits, to the last one on either side."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from calsync.domain.drift import Disposition, DriftKind, Phase, Scope
from calsync.domain.event import Appearance
from calsync.domain.span import Span
from calsync.reconcile.brakes import check_stampede, is_fight
from calsync.reconcile.case import CalendarFacts, LinkCase, NothingNew, PastRevert, RecentChange
from calsync.reconcile.plan import Decision, FoundDrift
from tests.properties.pretend import NOW, POLICY, link

DAY = datetime(2026, 12, 1, 15, tzinfo=UTC)


def vanished(*days: int) -> list[Decision]:
    return [Decision(f"L{day:03d}", "same/edited", vanished=True, starts=(DAY + timedelta(days=day),)) for day in days]


def facts(upcoming: int, **more: object) -> CalendarFacts:
    return replace(CalendarFacts("K-1", "America/New_York", upcoming), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("gone", "upcoming", "stops"),
    [
        (5, 25, True),  # exactly the least number and exactly the share
        (5, 26, False),
        (4, 5, False),
        (1, 1, False),  # the only one there is: an edit
        (2, 2, True),  # all of two
        (1, 2, False),
        (0, 0, False),
    ],
)
def test_counts_and_shares(gone: int, upcoming: int, stops: bool) -> None:
    # Ten days apart, so that no week holds two of them.
    stampede = check_stampede(vanished(*range(0, gone * 10, 10)), facts(upcoming), POLICY)
    assert (stampede is not None) is stops
    if stampede is not None:
        assert (stampede.changed, stampede.upcoming, stampede.share) == (gone, upcoming, gone / upcoming)
        assert [one.link for one in stampede.suspects] == sorted(one.link for one in stampede.suspects)


def test_a_cleared_week_is_a_question_while_others_stand() -> None:
    # 2026-12-01 is a Tuesday: five days to Saturday.
    week = vanished(0, 1, 2, 3, 4)
    assert check_stampede(week, facts(10), POLICY) is None
    assert check_stampede(week, facts(5), POLICY) is not None
    assert check_stampede([*week, *vanished(6)], facts(10), POLICY) is not None


def test_the_week_is_the_local_one() -> None:
    # Monday 03:00 UTC is still Sunday in New York.
    start = datetime(2026, 12, 7, 3, tzinfo=UTC)
    late = Decision("L900", "same/edited", vanished=True, starts=(start,))
    assert check_stampede([*vanished(0, 1, 2, 3), late], facts(10), POLICY) is None
    assert check_stampede([*vanished(0, 1, 2, 3), late], facts(10, zone="Europe/Berlin"), POLICY) is not None


def test_a_change_among_deletions_of_a_week_is_no_question() -> None:
    moved = Decision("L900", "same/edited", changed_wholly=True)
    assert check_stampede([*vanished(0, 1, 2, 3), moved], facts(10), POLICY) is not None
    before = (RecentChange("L900", vanished=False, starts=(DAY,)),)
    assert check_stampede(vanished(0, 1, 2, 3), facts(10, recent=before), POLICY) is not None


def test_it_rolls_over_passes() -> None:
    recent = tuple(RecentChange(f"L{n}", vanished=False) for n in range(4))
    assert check_stampede(vanished(0), facts(10, recent=recent), POLICY) is not None
    assert check_stampede(vanished(0), facts(10, recent=recent[:3]), POLICY) is None
    edited = tuple(RecentChange(f"L{day:03d}", vanished=False) for day in (0, 10))
    assert check_stampede(vanished(0, 10), facts(2, recent=edited), POLICY) is not None, "gone since, all of them"
    # The same links seen once more are no news.
    again = [Decision("L1", "same/edited", changed_wholly=True)]
    assert check_stampede(again, facts(10, recent=(*recent, RecentChange("L9", vanished=True))), POLICY) is None
    gone = tuple(RecentChange(one.link, vanished=True, starts=one.starts) for one in vanished(*range(0, 50, 10)))
    assert check_stampede(vanished(0), facts(10, recent=gone), POLICY) is None


def test_what_a_release_let_through_is_no_news_though_it_still_shows() -> None:
    # Such links are not among the recent ones: the release took them out.
    still = [replace(one, told_before=True) for one in vanished(*range(0, 80, 8))]
    assert check_stampede(still, facts(10), POLICY) is None
    assert check_stampede([*still, *vanished(90)], facts(10), POLICY) is None
    assert check_stampede([*still, *vanished(*range(90, 170, 8))], facts(10), POLICY) is not None


def copied(link: str, times: int) -> Decision:
    look = seen(15)
    found = [
        FoundDrift(
            original_start=None,
            appointment="A-1",
            kind=DriftKind.DUPLICATED,
            phase=Phase.UPCOMING,
            expected=look,
            observed=look,
            scope=Scope.OCCURRENCE,
            mixed=False,
            disposition=Disposition.REVERT,
            copy_id=f"copy-{number}",
        )
        for number in range(times)
    ]
    return Decision(link, "same/same", found=tuple(found))


def test_many_copies_of_one_event_are_no_ones_wish() -> None:
    stampede = check_stampede([copied("L1", 6)], facts(25), POLICY)
    assert stampede is not None
    assert (stampede.changed, [(one.link, one.vanished) for one in stampede.suspects]) == (5, [("L1", False)])
    assert check_stampede([copied("L1", 5)], facts(25), POLICY) is None
    assert check_stampede([copied("L1", 6)], facts(26), POLICY) is None
    assert check_stampede([copied("L1", 500)], facts(25, released="edits"), POLICY) is None


def test_only_copies_count_as_copies() -> None:
    one = copied("L1", 6)
    split = replace(one, found=tuple(replace(each, kind=DriftKind.SPLIT) for each in one.found))
    assert check_stampede([split], facts(25), POLICY) is None


def test_a_week_that_was_pasted_once_is_no_stampede() -> None:
    assert check_stampede([copied(f"L{number}", 1) for number in range(20)], facts(20), POLICY) is None


def test_a_person_releases_it() -> None:
    assert check_stampede(vanished(*range(0, 90, 10)), facts(9, released="edits"), POLICY) is None


def seen(hour: int) -> Appearance:
    start = datetime(2026, 12, 1, hour)
    return Appearance(Span(start, start + timedelta(minutes=50), "America/New_York"))


def fights(reverts: list[PastRevert], observed: Appearance | None) -> bool:
    case = LinkCase(link(), None, {}, NothingNew(), reverts=tuple(reverts))
    return is_fight(case, None, observed, now=NOW, policy=POLICY)


def test_the_same_time_again_is_meant() -> None:
    assert fights([PastRevert(None, NOW - timedelta(days=9), seen(14))], seen(14))
    assert fights([PastRevert(None, NOW, None)], None)
    assert not fights([PastRevert(None, NOW, seen(14))], seen(15))
    assert not fights([PastRevert(DAY, NOW, seen(14))], seen(14)), "another occurrence's"


def test_the_limit_counts_what_lies_within_the_period() -> None:
    inside, edge = NOW - timedelta(hours=23, minutes=59), NOW - timedelta(hours=24)
    assert fights([PastRevert(None, inside, seen(hour)) for hour in (8, 9, 11)], seen(15))
    assert not fights([PastRevert(None, inside, seen(hour)) for hour in (8, 9)], seen(15))
    assert not fights([PastRevert(None, edge, seen(hour)) for hour in (8, 9, 11)], seen(15))
