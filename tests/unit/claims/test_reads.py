"""What a read proves of a session whose times we wrote into the calendar after it had begun: nothing, without a word.

The session of the base case begins at 15:00 and ends at 15:45, by UTC.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.claims.cases import codes, judge, read, utc, word

LATE = {"times_since": utc("10T15:30")}
WRITTEN = read("10T16:05", written_at=utc("10T15:31"))
TOOK_PLACE = {"start": "2026-11-10T09:00", "end": "2026-11-10T09:45"}


def clears(*said: dict[str, Any], seen: dict[str, Any] = WRITTEN, since: str | None = "10T15:30", **more: Any) -> bool:
    return not codes(judge(record={"times_since": utc(since)}, observations=[seen], statements=list(said), **more))


def test_what_we_wrote_after_it_had_begun_proves_nothing() -> None:
    assert codes(judge(record=LATE, observations=[WRITTEN])) == {"observation-stale"}
    assert clears(policy={"backfilled": "clear"}), "unless the practice asks for no more"


@pytest.mark.parametrize(("since", "proves"), [(None, True), ("10T14:59:59", True), ("10T15:00:00", False)])
def test_times_that_it_had_before_it_began_are_no_news(since: str | None, proves: bool) -> None:
    assert clears(since=since) is proves


@pytest.mark.parametrize(
    ("written", "proves"), [(None, True), ("10T15:29:59", True), ("10T15:30:00", False), ("10T15:31:00", False)]
)
def test_a_calendar_that_was_not_written_to_since_shows_what_people_left_there(
    written: str | None, proves: bool
) -> None:
    assert clears(seen=read("10T16:05", written_at=utc(written))) is proves


@pytest.mark.parametrize(
    ("at", "counts"),
    [
        ("10T15:29:59", False),
        ("10T15:30:00", True),
        ("11T12:00:00", True),
        ("11T12:00:01", False),
    ],
)
def test_as_booked_is_a_word_for_the_times_that_were_booked_then(at: str, counts: bool) -> None:
    assert clears(word("as-booked", at)) is counts


@pytest.mark.parametrize(
    ("said", "counts"),
    [
        (word("took-place", **TOOK_PLACE), True),
        # Somebody told the times first, and the record followed.
        (word("took-place", "10T15:20", **TOOK_PLACE), True),
        (word("took-place", "11T12:00", **TOOK_PLACE), True),
        (word("took-place", "11T12:00:01", **TOOK_PLACE), False),
        (word("did-not-take-place"), False),
        (word("took-place"), False),
        (word("another-day", **TOOK_PLACE), False),
    ],
)
def test_whoever_tells_the_times_vouches_for_them(said: dict[str, Any], counts: bool) -> None:
    assert ("observation-stale" not in codes(judge(record=LATE, observations=[WRITTEN], statements=[said]))) is counts


def test_other_times_vouch_for_nothing() -> None:
    other = word("took-place", start="2026-11-10T09:01", end="2026-11-10T09:46")
    assert "observation-stale" in codes(judge(record=LATE, observations=[WRITTEN], statements=[other]))


def test_a_time_that_the_clocks_show_twice_vouches_for_neither() -> None:
    # The record says which of the two it means; the word does not.
    times = {"start": "2026-11-01T01:00-05:00", "end": "2026-11-01T01:45-05:00"}
    record = {**times, "zone": "America/New_York", "times_since": utc("01T06:30")}
    seen = read("01T08:00", written_at=utc("01T06:31"), confirmed_at=utc("01T00:00"))
    for said, counts in ((times, True), ({name: at.removesuffix("-05:00") for name, at in times.items()}, False)):
        told = word("took-place", "01T09:00", **said)
        found = codes(judge(record=record, observations=[seen], statements=[told]))
        assert ("observation-stale" not in found) is counts


def test_one_word_is_enough() -> None:
    unheard = word("as-booked", "10T15:20")
    assert clears(unheard, word("as-booked", id="W-2"))
    assert not clears(unheard)


def test_a_calendar_that_was_disconnected_is_so_whatever_else_stands_of_it() -> None:
    rows = [read("10T08:00", removed=True), read("10T08:30", "stopped", touched=False)]
    told = {reason.text for reason in judge(observations=rows).reasons}
    assert any("connect it again" in text for text in told)
