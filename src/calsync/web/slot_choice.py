"""Free times as a page shows them: by day, each one a link, a week at a time. No script is needed to choose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from urllib.parse import urlencode

from sqlalchemy import Connection

from calsync.booking.command import Command
from calsync.booking.slots import SlotQuery, free_slots
from calsync.domain.span import instant, wall_time
from calsync.domain.time_text import EARLIEST_YEAR, LATEST_YEAR
from calsync.notices import wording

PERIOD: Final = timedelta(days=7)
_FURTHEST: Final = timedelta(days=366)
_STAMP: Final = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True)
class Choice:
    """What is free. `days` holds a label and the times of each day; a time is a label and the address it leads to."""

    days: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    zone: str  # in words
    hint: str
    earlier: str | None
    later: str | None


@dataclass(frozen=True, slots=True)
class Chooser:
    """Shows free times in `zone`; `keep` are the parts of the address that go along."""

    command: Command
    zone: str
    keep: Mapping[str, str]

    def choice(self, conn: Connection, query: SlotQuery, first_day: str, without: datetime | None = None) -> Choice:
        """A week's free times from a day on (ISO date; anything else: from now), `without` the one it has already."""
        midnight = self._midnight(first_day)
        start, later = max(midnight, self.command.now), midnight + PERIOD
        found = free_slots(conn, self.command, replace(query, since=start, until=later))
        days: dict[date, list[tuple[str, str]]] = {}
        for slot in found.slots:
            wall = wall_time(slot.start_at, self.zone)
            if slot.start_at != without:
                days.setdefault(wall.date(), []).append((wording.clock(wall), self.address(at=stamp(slot.start_at))))
        return Choice(
            days=tuple((wording.long_day(day), tuple(times)) for day, times in sorted(days.items())),
            zone=wording.zone_words(self.zone),
            hint="No time is free in these days." if found.slots else f"{found.hint.rstrip('.')}.",
            earlier=self._from(max(midnight - PERIOD, self.command.now)) if midnight > self.command.now else None,
            later=self._from(later) if later < self.command.now + _FURTHEST else None,
        )

    def address(self, **more: str) -> str:
        """The page with these wishes beside those that go along."""
        return "?" + urlencode({**{name: value for name, value in self.keep.items() if value}, **more})

    def _from(self, at: datetime) -> str:
        return self.address(**{"from": wall_time(at, self.zone).date().isoformat()})

    def _midnight(self, first_day: str) -> datetime:
        """The start of the day that was asked for, of today at the earliest."""
        today = wall_time(self.command.now, self.zone).date()
        try:
            day = min(max(date.fromisoformat(first_day), today), today + _FURTHEST)
        except ValueError:
            day = today
        return instant(datetime.combine(day, time()), self.zone)


def stamp(at: datetime) -> str:
    """An instant as it stands in an address."""
    return at.astimezone(UTC).strftime(_STAMP)


def read_stamp(text: str) -> datetime | None:
    """The instant that `stamp` wrote; None for anything else, and for years in which nobody books."""
    try:
        at = datetime.strptime(text, _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None
    return at if EARLIEST_YEAR <= at.year <= LATEST_YEAR else None
