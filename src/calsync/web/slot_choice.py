"""Free times as a page shows them: by day, each one a link, a fortnight at a time. No script is needed to choose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from urllib.parse import urlencode

from sqlalchemy import Connection

from calsync.booking.command import Command
from calsync.booking.slots import Slot, SlotQuery, free_slots
from calsync.domain.span import instant, wall_time
from calsync.notices import wording

PERIOD: Final = timedelta(days=14)
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

    def choice(self, conn: Connection, query: SlotQuery, first_day: str) -> Choice:
        """A fortnight's free times from a day on (ISO date; anything else: from now)."""
        start = max(self._start(first_day), self.command.now)
        found = free_slots(conn, self.command, replace(query, since=start, until=start + PERIOD))
        days: dict[date, list[tuple[str, str]]] = {}
        for slot in found.slots:
            wall = wall_time(slot.start_at, self.zone)
            days.setdefault(wall.date(), []).append((wording.clock(wall), self.address(at=stamp(slot.start_at))))
        later = start + PERIOD
        return Choice(
            days=tuple((wording.long_day(day), tuple(times)) for day, times in sorted(days.items())),
            zone=wording.zone_words(self.zone),
            hint="" if found.slots else f"{found.hint.rstrip('.')}.",
            earlier=self._from(max(start - PERIOD, self.command.now)) if start > self.command.now else None,
            later=self._from(later) if later < self.command.now + _FURTHEST else None,
        )

    def address(self, **more: str) -> str:
        """The page with these wishes beside those that go along."""
        return "?" + urlencode({**{name: value for name, value in self.keep.items() if value}, **more})

    def _from(self, at: datetime) -> str:
        return self.address(**{"from": wall_time(at, self.zone).date().isoformat()})

    def _start(self, first_day: str) -> datetime:
        try:
            day = date.fromisoformat(first_day)
            wanted = instant(datetime.combine(day, time()), self.zone)
        except (ValueError, OverflowError):
            return self.command.now
        return min(wanted, self.command.now + _FURTHEST)


def stamp(at: datetime) -> str:
    """An instant as it stands in an address."""
    return at.astimezone(UTC).strftime(_STAMP)


def read_stamp(text: str) -> datetime | None:
    """The instant that `stamp` wrote; None for anything else."""
    try:
        return datetime.strptime(text, _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None


def times_of(slots: tuple[Slot, ...], zone: str) -> list[str]:
    """The starts of slots as clocks in the zone show them."""
    return [wording.clock(wall_time(slot.start_at, zone)) for slot in slots]
