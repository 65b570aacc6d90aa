"""The picture of booked and seen times."""

from __future__ import annotations

from datetime import datetime, timedelta

from calsync.domain.span import Span
from calsync.support.picture import WIDTH, Sight, draw

ZONE = "America/New_York"


def _span(start: str, minutes: int = 50, zone: str = ZONE) -> Span:
    wall = datetime.fromisoformat(start)
    return Span(wall, wall + timedelta(minutes=minutes), zone)


def test_bars_stand_where_clocks_show_them() -> None:
    picture = draw(
        [
            Sight("Booked", "booked", _span("2026-11-24T10:00")),
            Sight("Calendar", "seen", _span("2026-11-24T14:00")),
            Sight("Log", "log", _span("2026-11-25T15:00", 50, "UTC")),
            Sight("Other", "seen", None),
        ],
        ZONE,
    )
    assert picture is not None
    booked, seen, log, gone = picture.bars
    assert booked.left is not None
    assert seen.left is not None
    assert booked.left < seen.left
    assert booked.left == log.left, "15:00 in UTC is 10:00 in New York"
    assert (booked.other_day, seen.other_day, log.other_day) == (False, False, True)
    assert (gone.left, gone.text) == (None, "not there")
    assert picture.hours[0] == (0, "09:00")
    for bar in (booked, seen, log):
        assert bar.left is not None
        assert bar.wide is not None
        assert 0 <= bar.left <= bar.left + bar.wide <= WIDTH


def test_odd_spans_are_drawn_within_bounds() -> None:
    day = Span(datetime(2026, 11, 24), datetime(2026, 11, 25), ZONE, all_day=True)
    for sights in (
        [Sight("Booked", "booked", _span("2026-11-24T23:30")), Sight("Calendar", "seen", day)],
        [
            Sight("Booked", "booked", _span("2026-11-24T00:00", 1)),
            Sight("Calendar", "seen", _span("2026-11-24T23:59", 1)),
        ],
        [Sight("Booked", "booked", _span("2026-11-24T10:00")), Sight("x", "seen", _span("2026-11-24T10:00", 60 * 30))],
        [Sight("Booked", "booked", _span("2026-11-01T01:30"))],
    ):
        picture = draw(sights, ZONE)
        assert picture is not None
        for bar in picture.bars:
            if bar.left is not None:
                assert bar.wide is not None
                assert 0 <= bar.left <= WIDTH
                assert bar.left + bar.wide <= WIDTH + 8


def test_nothing_timed_is_no_picture() -> None:
    assert draw([Sight("Calendar", "seen", None)], ZONE) is None
    assert draw([], "Nowhere/Land") is None
