"""Which instants and which dates a session time can mean: every reading, never a guess (claims sheet, 6).

A wall time that the clocks skip has no reading, one that they repeat has two. A date is taken in a zone stored with
the session, never from the UTC instant, and a span over midnight has the dates of both its ends unless the practice's
rule chooses one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from calsync.claims.case import Record
from calsync.claims.policy import ClaimsPolicy

_HOST_DEPENDENT = frozenset({"", "localtime", "posixrules", "Factory"})
_BARELY = timedelta(microseconds=1)


@dataclass(frozen=True, order=True)
class Span:
    """A stretch of real time in UTC; `end` is never before `start`."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        """How long it lasts."""
        return self.end - self.start

    def overlaps(self, other: "Span") -> bool:
        """True when the two share more than an instant."""
        return self.start < other.end and other.start < self.end


def zone_named(name: str) -> ZoneInfo | None:
    """The IANA zone, or None when there is no such zone, or the name means whatever the host is set to."""
    if name in _HOST_DEPENDENT or name.startswith(("posix/", "right/")):
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def instants(moment: datetime, zone: ZoneInfo) -> tuple[datetime, ...]:
    """The UTC instants that `moment` can mean.

    One when it has an offset; none, one or two when it is wall time in `zone`.
    """
    if moment.tzinfo is not None:
        return (moment.astimezone(UTC),)
    return _of_wall_time(moment, zone)


# Sessions of many people begin at the same full hours. Wall times are equal whatever their fold, and both folds are
# asked for here; aware times are not kept, since two of one zone are equal that mean different instants.
@lru_cache(maxsize=4096)
def _of_wall_time(moment: datetime, zone: ZoneInfo) -> tuple[datetime, ...]:
    folds = [moment.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
    return tuple(dict.fromkeys(one for one in folds if one.astimezone(zone).replace(tzinfo=None) == moment))


def spans(start: datetime, end: datetime, zone: ZoneInfo) -> tuple[Span, ...]:
    """Every reading of a session from `start` to `end`, earliest first.

    Empty when no reading has its end after its start.
    """
    ends = instants(end, zone)
    return tuple(Span(one, other) for one in instants(start, zone) for other in ends if one < other)


@dataclass(frozen=True)
class Dates:
    """How dates are taken for one session: the zones in use, and the practice's rule for midnight."""

    zones: tuple[ZoneInfo, ...]
    midnight: str

    def of(self, readings: Iterable[Span]) -> frozenset[date]:
        """Every date that any of the readings has in any zone in use."""
        return frozenset(day for span in readings for zone in self.zones for day in self._in_zone(span, zone))

    def cross_midnight(self, readings: Iterable[Span]) -> bool:
        """True when a reading begins and ends on different dates in a zone in use.

        Ending exactly at 00:00 does not cross.
        """
        return any(len(set(_ends(span, zone))) > 1 for span in readings for zone in self.zones)

    def depend_on_zone(self, readings: tuple[Span, ...]) -> bool:
        """True when the zones in use do not give the same dates."""
        return (
            len({frozenset(day for span in readings for day in self._in_zone(span, zone)) for zone in self.zones}) > 1
        )

    def _in_zone(self, span: Span, zone: ZoneInfo) -> tuple[date, ...]:
        first, last = _ends(span, zone)
        return {"start": (first,), "end": (last,)}.get(self.midnight, (first, last))


def _ends(span: Span, zone: ZoneInfo) -> tuple[date, date]:
    last = max(span.start, span.end - _BARELY)
    return span.start.astimezone(zone).date(), last.astimezone(zone).date()


@dataclass(frozen=True)
class Times:
    """A record's times, placed: its zone, how its dates are taken, and every reading of its span (at least one)."""

    zone: ZoneInfo
    dates: Dates
    spans: tuple[Span, ...]

    @property
    def days(self) -> frozenset[date]:
        """Every date the record can have."""
        return self.dates.of(self.spans)

    @property
    def start(self) -> datetime:
        """The earliest start."""
        return min(span.start for span in self.spans)

    @property
    def end(self) -> datetime:
        """The latest end."""
        return max(span.end for span in self.spans)

    @property
    def shortest(self) -> timedelta:
        """The shortest length."""
        return min(span.length for span in self.spans)

    def read(self, start: datetime | None, end: datetime | None) -> tuple[Span, ...]:
        """Every reading of another session time in the record's zone.

        A missing end is taken as far off as the record's.
        """
        if start is None:
            return ()
        if end is None:
            longest = max(span.length for span in self.spans)
            return tuple(Span(one, one + longest) for one in instants(start, self.zone))
        return spans(start, end, self.zone)

    def starts_off(self, span: Span, tolerance: timedelta) -> bool:
        """True when `span` starts more than `tolerance` away from every reading of the record's start."""
        return self.distance(span) > tolerance

    def distance(self, span: Span) -> timedelta:
        """How far `span` starts from the nearest reading of the record's start."""
        return min(abs(span.start - one.start) for one in self.spans)

    def show(self, moment: datetime | None) -> str:
        """`moment` for people: to the minute, with its zone; a wall time is shown as it stands."""
        if moment is None:
            return "unknown"
        local = moment if moment.tzinfo is None else moment.astimezone(self.zone)
        return f"{local:%Y-%m-%d %H:%M %Z}".rstrip()


def stored_zones(record: Record) -> dict[str, str]:
    """The zones that were stored with the session, by whose they are."""
    zones = {"record": record.zone, "provider": record.provider_zone, "client": record.client_zone}
    return {whose: name for whose, name in zones.items() if name is not None}


def named_zones(record: Record, policy: ClaimsPolicy) -> dict[str, str | None]:
    """The zones that decide the record's date, by whose they are.

    None where the practice's rule asks for one that was not stored.
    """
    stored = stored_zones(record)
    if policy.date_zone == "hold":
        return {**stored}
    return {policy.date_zone: stored.get(policy.date_zone)}
