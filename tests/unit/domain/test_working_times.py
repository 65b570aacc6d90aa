"""Working times by the wall clock, and where sessions fit between what is taken."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from calsync.domain.free_starts import Interval, free_starts, merged, without
from calsync.domain.working_times import Hours, WorkingTimes

MORNING = Hours(9 * 60, 12 * 60)
NIGHT = Hours(60, 4 * 60)
EVERY_DAY = WorkingTimes(weekly=((MORNING,),) * 7)
ZERO = datetime(2026, 11, 24, tzinfo=UTC)


def windows(times: WorkingTimes, day: str, zone: str = "Europe/Berlin") -> list[str]:
    on = date.fromisoformat(day)
    return [f"{start:%d %H:%M}-{end:%H:%M}" for start, end in times.windows(on, on, zone)]


def test_nine_o_clock_stays_nine_when_clocks_change() -> None:
    assert windows(EVERY_DAY, "2026-10-24") == ["24 07:00-10:00"]
    assert windows(EVERY_DAY, "2026-10-25") == ["25 08:00-11:00"]


def test_hours_over_a_change_of_clocks_have_their_elapsed_length() -> None:
    nights = WorkingTimes(weekly=((NIGHT,),) * 7)
    assert windows(nights, "2026-03-29") == ["29 00:00-02:00"]
    assert windows(nights, "2026-10-25") == ["24 23:00-03:00"]


def test_hours_that_the_clocks_skip_are_none() -> None:
    skipped = WorkingTimes(weekly=((Hours(2 * 60, 3 * 60),),) * 7)
    assert windows(skipped, "2026-03-28") == ["28 01:00-02:00"]
    # From 2:00 to 3:00 nothing passes on the day on which 3:00 follows 1:59.
    assert windows(skipped, "2026-03-29") == []


def test_a_date_replaces_its_weekday() -> None:
    times = WorkingTimes(EVERY_DAY.weekly, {date(2026, 12, 24): (), date(2026, 12, 31): (NIGHT,)})
    assert windows(times, "2026-12-24") == []
    assert windows(times, "2026-12-31") == ["31 00:00-03:00"]
    assert windows(times, "2026-12-25") == ["25 08:00-11:00"]


def test_formats_narrow_hours() -> None:
    video = WorkingTimes(weekly=((Hours(60, 120, ("video",)), Hours(120, 180)),) * 7)
    day = date(2026, 11, 24)
    counts = [len(list(video.windows(day, day, "UTC", word))) for word in (None, "video", "office")]
    assert counts == [2, 2, 1]


def test_json_makes_the_same_again() -> None:
    times = WorkingTimes(
        ((MORNING, Hours(800, 900, ("office", "video"))), *((),) * 6), {date(2026, 12, 24): ()}, 30, 10
    )
    assert WorkingTimes.from_json(times.as_json()) == times


intervals = st.lists(
    st.tuples(st.integers(0, 300), st.integers(0, 60)).map(
        lambda pair: (ZERO + timedelta(minutes=pair[0]), ZERO + timedelta(minutes=pair[0] + pair[1]))
    ),
    max_size=8,
)


@given(windows=intervals, taken=intervals, length=st.integers(1, 50), step=st.integers(1, 30))
def test_slots_are_exactly_the_starts_at_which_every_minute_is_free(
    windows: list[Interval], taken: list[Interval], length: int, step: int
) -> None:
    found = free_starts(windows, taken, timedelta(minutes=length), timedelta(minutes=step))

    def minutes(those: list[Interval]) -> set[datetime]:
        return {
            start + timedelta(minutes=n)
            for start, end in those
            for n in range(int((end - start).total_seconds() // 60))
        }

    free = minutes(windows) - minutes(taken)
    wanted = {
        at
        for start, end in windows
        for at in (start + timedelta(minutes=n) for n in range(0, int((end - start).total_seconds() // 60), step))
        if all(at + timedelta(minutes=n) in free for n in range(length))
    }
    assert found == sorted(wanted)


@given(intervals, intervals)
def test_what_is_left_and_what_was_cut_make_the_whole(some: list[Interval], cut: list[Interval]) -> None:
    whole, gone = merged(some), merged(cut)
    left = without(whole, gone)
    assert all(end <= start or other_end <= first for first, end in left for start, other_end in gone)
    assert merged([*left, *gone]) == merged([*whole, *gone])
