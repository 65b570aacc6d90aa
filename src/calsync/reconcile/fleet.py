"""The brakes over all calendars together: when one cause reaches many, nobody is written to until a person looks. Pure.

See R-14. The shares have a floor in calendars: a small site is not stopped by one busy morning.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Final, Literal

STAGES: Final = (0.01, 0.1, 1.0)
"""How a stop is released: for a hundredth of the calendars, for a tenth, for all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetFacts:
    """Calendars that are mirrored to, those with new edits, and those that began to need a login, over one period."""

    calendars: int
    drifting: int
    reconnecting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetLimits:
    """Shares from 0 to 1 that must not be exceeded; up to `floor` calendars never stop the fleet."""

    drifting: float
    reconnecting: float
    floor: int


@dataclass(frozen=True, slots=True)
class FleetBrake:
    """Why the fleet must stop: which share, over which limit."""

    what: Literal["drifting", "reconnecting"]
    touched: int
    calendars: int
    limit: float

    def __str__(self) -> str:
        words = {"drifting": "have new edits", "reconnecting": "began to need a new login"}[self.what]
        return f"{self.touched} of {self.calendars} calendars {words}, more than {self.limit:.0%}"


def check_fleet(facts: FleetFacts, limits: FleetLimits) -> FleetBrake | None:
    """Return why the fleet must be stopped, or None."""
    if _is_over(facts.drifting, facts.calendars, limits.drifting, limits.floor):
        return FleetBrake("drifting", facts.drifting, facts.calendars, limits.drifting)
    if _is_over(facts.reconnecting, facts.calendars, limits.reconnecting, limits.floor):
        return FleetBrake("reconnecting", facts.reconnecting, facts.calendars, limits.reconnecting)
    return None


def is_released(calendar: str, share: float) -> bool:
    """Tell whether a calendar is among the first `share` (0 to 1) that may write again.

    Always the same ones, spread evenly, and each stage holds those of the stage before it.
    """
    return zlib.crc32(calendar.encode()) < share * 2**32


def _is_over(touched: int, calendars: int, limit: float, floor: int) -> bool:
    return touched > floor and touched > limit * calendars
