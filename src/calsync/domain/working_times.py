"""When a provider works: hours of the week by their own wall clock, and dates on which it is otherwise. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from calsync.domain.span import instant

DAY_MINUTES: Final = 24 * 60
DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, order=True)
class Hours:
    """A stretch of one day, in minutes after midnight by the wall clock; `end` may be 1440.

    `formats`: only for sessions of these formats; empty: for all.
    """

    start: int
    end: int
    formats: tuple[str, ...] = ()

    def takes(self, session_format: str | None) -> bool:
        """Whether a session of this format (None: not said) may be in it."""
        return not self.formats or session_format is None or session_format in self.formats


@dataclass(frozen=True, slots=True)
class WorkingTimes:
    """A provider's hours. `weekly` has seven entries, Monday first; `dates` says what holds on a date instead.

    `every`: minutes between the times at which a session may begin. `gap`: minutes that stay free around each session.
    """

    weekly: tuple[tuple[Hours, ...], ...] = ((),) * 7
    dates: Mapping[date, tuple[Hours, ...]] = field(default_factory=dict)
    every: int = 15
    gap: int = 0

    def on(self, day: date) -> tuple[Hours, ...]:
        """The hours of one day."""
        return self.dates.get(day, self.weekly[day.weekday()])

    def windows(
        self, first: date, last: date, zone: str, session_format: str | None = None
    ) -> Iterator[tuple[datetime, datetime]]:
        """Yield the hours of all days from `first` to `last` as aware instants, by start.

        The wall clock of `zone` counts: 9:00 stays 9:00 when clocks change, and hours that the change swallows whole
        are left out.
        """
        day = first
        while day <= last:
            for hours in self.on(day):
                if hours.takes(session_format):
                    start, end = _at(day, hours.start, zone), _at(day, hours.end, zone)
                    if start < end:
                        yield start, end
            day += _DAY

    def as_json(self) -> dict[str, Any]:
        """Plain values, from which `from_json` makes the same again."""
        return {
            "weekly": [[_plain(one) for one in hours] for hours in self.weekly],
            "dates": {day.isoformat(): [_plain(one) for one in hours] for day, hours in sorted(self.dates.items())},
            "every": self.every,
            "gap": self.gap,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> WorkingTimes:
        """What `as_json` wrote."""
        return cls(
            tuple(_of_plain(day) for day in data["weekly"]),
            {date.fromisoformat(day): _of_plain(hours) for day, hours in data["dates"].items()},
            data["every"],
            data["gap"],
        )


def clock_text(minutes: int) -> str:
    """Minutes after midnight as people write them: `09:30`, and `24:00` for the end of the day."""
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _plain(hours: Hours) -> list[Any]:
    return [hours.start, hours.end, *hours.formats]


def _of_plain(rows: Sequence[Sequence[Any]]) -> tuple[Hours, ...]:
    return tuple(Hours(row[0], row[1], tuple(row[2:])) for row in rows)


def _at(day: date, minutes: int, zone: str) -> datetime:
    midnight = datetime.combine(day, time())
    return instant(midnight + timedelta(minutes=minutes), zone)
