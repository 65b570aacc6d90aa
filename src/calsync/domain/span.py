"""A span of time as people mean it: wall time in a named zone. Never does I/O; called by every layer above."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


class ZoneUnknown(ValueError):
    """The name is not an IANA zone that this machine knows. Raised by `zone_named`."""


@lru_cache(maxsize=1024)
def zone_named(name: str) -> ZoneInfo:
    """Return the zone of an IANA name such as `Europe/Berlin`; `ZoneUnknown` for anything else, however odd."""
    if not name or len(name) > 64 or name.startswith(("/", ".")) or ".." in name:
        raise ZoneUnknown(name[:64])
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError, ValueError) as problem:
        # `Europe` is a folder of the zone data, and very long names are file system errors: both are just unknown.
        raise ZoneUnknown(name[:64]) from problem


def instant(wall: datetime, zone: str) -> datetime:
    """Return the aware UTC instant of a naive wall time in a zone; `fold` picks the reading of a repeated hour."""
    return wall.replace(tzinfo=zone_named(zone)).astimezone(UTC)


def wall_time(at: datetime, zone: str) -> datetime:
    """Return the naive wall time (with `fold`) that clocks in the zone show at an aware instant."""
    return at.astimezone(zone_named(zone)).replace(tzinfo=None)


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` to `end`, naive wall times in the IANA zone `zone`; `end` never lies before `start` as an instant.

    An all-day span has midnights as wall times and an exclusive end. `start_at` and `end_at` are the same as aware UTC
    instants.
    """

    start: datetime
    end: datetime
    zone: str
    all_day: bool = False
    start_at: datetime = field(init=False, repr=False, compare=False)
    end_at: datetime = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse aware times, unknown zones and an end before the start (`ValueError`), so that nobody checks again."""
        if self.start.tzinfo is not None or self.end.tzinfo is not None:
            raise ValueError("a span holds naive wall times; the zone stands beside them")
        # Asked for so often that it is worked out once.
        object.__setattr__(self, "start_at", instant(self.start, self.zone))
        object.__setattr__(self, "end_at", instant(self.end, self.zone))
        if self.end_at < self.start_at:
            raise ValueError("a span cannot end before it starts")

    @property
    def length(self) -> timedelta:
        """The elapsed time between start and end."""
        return self.end_at - self.start_at

    @property
    def local_date(self) -> date:
        """The date that a clock in the span's own zone shows at the start."""
        return self.start.date()

    @classmethod
    def between(cls, start_at: datetime, end_at: datetime, zone: str) -> Span:
        """Make a span from two aware instants, written as wall times of `zone`."""
        return cls(wall_time(start_at, zone), wall_time(end_at, zone), zone)

    def starting(self, wall: datetime) -> Span:
        """Return a span of the same elapsed length and zone that starts at another wall time."""
        if self.all_day:
            return replace(self, start=wall, end=wall + (self.end - self.start))
        end = wall_time(instant(wall, self.zone) + self.length, self.zone)
        return replace(self, start=wall, end=end)

    def same_time_as(self, other: Span) -> bool:
        """Tell whether people would call both the same time.

        Same wall time in the same zone is equal even if two zone databases disagree about the instant (R-7);
        otherwise the instants decide.
        """
        if self.all_day != other.all_day:
            return False
        same_wall = (self.start, self.end, self.zone) == (other.start, other.end, other.zone)
        if same_wall and self.start.fold == other.start.fold:
            return True
        return self.start_at == other.start_at and self.end_at == other.end_at


@dataclass(frozen=True, slots=True)
class Window:
    """The stretch of time that is mirrored and compared: aware UTC instants, start inclusive, end exclusive."""

    start: datetime
    end: datetime

    def touches(self, span: Span) -> bool:
        """Tell whether any part of the span lies inside."""
        return span.start_at < self.end and span.end_at > self.start
