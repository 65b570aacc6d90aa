"""Durations are read strictly and written back the way a person would."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calsync.settings.durations import LONGEST, format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0s", timedelta(0)),
        ("90s", timedelta(seconds=90)),
        ("5m", timedelta(minutes=5)),
        ("24h", timedelta(hours=24)),
        ("60d", timedelta(days=60)),
        ("2w", timedelta(days=14)),
        ("7y", timedelta(days=7 * 366)),
    ],
)
def test_reads_a_number_and_a_unit(text: str, expected: timedelta) -> None:
    assert parse_duration(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        "5 m",
        "5 minutes",
        "-5m",
        "+5m",
        "1.5h",
        "1h30m",
        "5M",
        "5m\n",
        "５m",
        "inf",
        "m",
        5,
        5.0,
        float("inf"),
        None,
        True,
    ],
)
def test_refuses_anything_else(text: object) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["101y", "999999999d", "36601d"])
def test_refuses_more_than_a_lifetime(text: str) -> None:
    with pytest.raises(ValueError, match="hundred years"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["0s", "90s", "5m", "30m", "24h", "60d", "400d", "7y"])
def test_writes_what_a_person_would(text: str) -> None:
    assert format_duration(parse_duration(text)) == text


@given(st.integers(min_value=0, max_value=int(LONGEST.total_seconds())))
def test_reads_back_what_it_wrote(seconds: int) -> None:
    duration = timedelta(seconds=seconds)
    assert parse_duration(format_duration(duration)) == duration
