"""The demo's story: what people do to their calendars, one act after the other, and what calsync makes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from calsync.demo.practice import ZONE
from calsync.domain.span import wall_time


@dataclass(frozen=True, slots=True)
class Act:
    """One edit: who, what it is in words, how it is done, and what must come of it (drift resolutions or a state)."""

    person: str
    words: str
    do: Callable[[Any], object]  # is handed whoever sits at that calendar
    drifts: int
    ends: str


def acts(now: datetime) -> list[Act]:
    """The acts, for a practice whose appointments were written at `now`."""
    today = wall_time(now, ZONE).replace(hour=0, minute=0, second=0, microsecond=0)

    def at(days: int, hour: int) -> datetime:
        return today + timedelta(days=days, hours=hour)

    return [
        Act(
            "anna",
            "drags session 4821 from 10:00 to 14:00 with her thumb",
            lambda person: person.drag(at(2, 10), timedelta(hours=4)),
            1,
            "reverted",
        ),
        Act(
            "ben",
            "shortens session 4830 from 60 to 30 minutes",
            lambda person: person.shorten(at(3, 11), timedelta(minutes=30)),
            1,
            "reverted",
        ),
        Act("ben", "deletes session 4831", lambda person: person.delete(at(4, 16)), 1, "reverted"),
        Act(
            "anna",
            "moves one session of a weekly series to the next day",
            lambda person: person.drag_occurrence(at(5, 12), 2, timedelta(days=1)),
            1,
            "reverted",
        ),
        Act(
            "ben",
            'moves "this and all following" of his weekly series an hour later',
            lambda person: person.split(at(1, 13), 3, timedelta(hours=1)),
            5,
            "reverted",
        ),
        Act(
            "anna",
            "drags session 4822, which is over, to the next day",
            lambda person: person.drag(at(-3, 15), timedelta(days=1)),
            1,
            "open",
        ),
        Act(
            "dora",
            "drags session 7001 in Google Calendar to the afternoon",
            lambda person: person.drag(at(2, 9), timedelta(hours=5)),
            1,
            "reverted",
        ),
        Act("emil", "deletes session 7102 in Outlook", lambda person: person.delete(at(4, 13)), 1, "reverted"),
        Act("cleo", "selects all and presses delete", lambda person: person.wipe(), 0, "stopped"),
    ]
