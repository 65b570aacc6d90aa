"""Session times in text: what is read, and what is never guessed."""

from datetime import UTC, date, datetime

import pytest

from calsync.domain.span import instant
from calsync.domain.time_text import check_length, read_day, read_time

BERLIN = "Europe/Berlin"


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-11-24T10:00", "2026-11-24T09:00"),
        ("2026-11-24 10:00:00.000", "2026-11-24T09:00"),
        ("2026-11-24T10:00Z", "2026-11-24T10:00"),
        ("2026-11-24T10:00-0500", "2026-11-24T15:00"),
        ("2026-10-25T02:30+02:00", "2026-10-25T00:30"),
        ("2026-10-25T02:30+01:00", "2026-10-25T01:30"),
    ],
)
def test_read_as_wall_time_of_the_zone(text: str, at: str) -> None:
    assert instant(read_time(text, BERLIN), BERLIN) == datetime.fromisoformat(at).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("2026-03-29T02:30", "does not exist in Europe/Berlin"),
        ("2026-10-25T02:30", "happens twice"),
        ("01/02/2026", "does not guess"),
        ("2026-11-24", "a date without a time"),
        ("2026-11-24T25:00", "does not exist on any"),
        ("2026-11-24T10:00+25:00", "does not exist on any"),
        ("1969-12-31T10:00", "outside 1970"),
        ("2026-11-24T10", "not a time"),
        ("x" * 5000, "not a time"),
    ],
)
def test_never_guessed(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as problem:
        read_time(text, BERLIN)
    assert len(str(problem.value)) < 300


def test_days_and_lengths() -> None:
    assert read_day("2026-11-24") == date(2026, 11, 24)
    for text in ("24.11.2026", "2026-02-30", "1900-01-01"):
        with pytest.raises(ValueError, match=r"date|calendar|year"):
            read_day(text)
    start = datetime(2026, 11, 24, 10, tzinfo=UTC)
    check_length(start, start.replace(day=25))
    with pytest.raises(ValueError, match="not after"):
        check_length(start, start)
    with pytest.raises(ValueError, match="longer than 24 hours"):
        check_length(start, start.replace(day=25, minute=1))
