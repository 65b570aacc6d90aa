"""The table of minutes per code: what may stand in it, and what is said of a mistake."""

from __future__ import annotations

from datetime import timedelta

import pytest

from calsync.claims.codes import CodeRule, read_codes, shipped_codes


def minutes(number: int) -> timedelta:
    return timedelta(minutes=number)


def test_a_table_says_floor_ceiling_and_whether_each_client_counts() -> None:
    text = "[codes.A]\nfloor = 1\nceiling = 30\n[codes.B]\nper_client = true\n[codes.C]\nper_client = false"
    assert read_codes(text) == {
        "A": CodeRule(floor=minutes(1), ceiling=minutes(30)),
        "B": CodeRule(per_client=True),
        "C": CodeRule(),
    }
    assert shipped_codes()["90834"] == CodeRule(floor=minutes(38), ceiling=minutes(52))


@pytest.mark.parametrize(("length", "short"), [(minutes(37), True), (minutes(38), False)])
def test_too_short_is_below_the_floor_where_there_is_one(length: timedelta, short: bool) -> None:
    assert CodeRule(floor=minutes(38)).too_short(length) is short
    assert not CodeRule().too_short(length)


def test_all_mistakes_are_told_at_once_in_their_order() -> None:
    keys = "\n".join(f"{key} = 1" for key in "gcahebfd")
    text = f"[codes.X]\n{keys}\n[codes.Y]\nfloor = 0\nceiling = 1.5\nper_client = 1"
    unknown = [f"codes.X: unknown key {key!r}" for key in "abcdefgh"]
    bounds = [f"codes.Y: {key} is not a whole number of minutes" for key in ("floor", "ceiling")]
    with pytest.raises(ValueError, match="codes") as told:
        read_codes(text)
    assert str(told.value).split("; ") == [*unknown, *bounds, "codes.Y: per_client is neither true nor false"]
