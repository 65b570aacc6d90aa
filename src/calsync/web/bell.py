"""Bursts of hooks: a calendar is rung for at once, and once more when the burst is over; what is between is one ring.

Kept in memory: a push is a hint, so what a process takes along into its grave is found by the next poll.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

QUIET: Final = timedelta(seconds=2)
"""A burst is over when nothing was heard for so long."""
LONGEST: Final = timedelta(seconds=10)
"""Who never falls silent is rung for again after so long."""
_MANY: Final = 10_000


@dataclass(slots=True)
class _Burst:
    rung_at: datetime
    heard_at: datetime
    waits_until: datetime | None = None

    def is_over(self, now: datetime) -> bool:
        """Whether nobody is about to look, and nothing was heard for long enough."""
        return self.waits_until is None and now - self.heard_at >= QUIET

    def next_look(self) -> datetime:
        return min(self.heard_at + QUIET, self.rung_at + LONGEST)


@dataclass(slots=True)
class Bell:
    """What was heard of each calendar lately. Used by one thread."""

    _bursts: dict[str, _Burst] = field(default_factory=dict)

    def hear(self, calendar: str, now: datetime) -> timedelta | None:
        """A hook came. Zero: ring now; a time: `look` again after it; None: somebody is about to look."""
        if self.would_ring(calendar, now):
            return self._ring(calendar, now)
        burst = self._bursts[calendar]
        burst.heard_at = now
        if burst.waits_until is not None and now <= burst.waits_until + QUIET:
            return None
        burst.waits_until = burst.next_look()
        return burst.waits_until - now

    def would_ring(self, calendar: str, now: datetime) -> bool:
        """Whether a hook that came now would be the first of a burst, or of the next stretch of a long one."""
        burst = self._bursts.get(calendar)
        return burst is None or burst.is_over(now) or not timedelta() <= now - burst.rung_at < LONGEST

    def look(self, calendar: str, now: datetime) -> timedelta | None:
        """The time that `hear` or `look` gave is over. Zero: ring now; a time: look again after it; None: forget it."""
        burst = self._bursts.get(calendar)
        if burst is None or burst.waits_until is None:
            return None
        if now >= burst.next_look():
            return self._ring(calendar, now)
        burst.waits_until = burst.next_look()
        return burst.waits_until - now

    def _ring(self, calendar: str, now: datetime) -> timedelta:
        if len(self._bursts) >= _MANY:
            self._bursts = {name: one for name, one in self._bursts.items() if now - one.heard_at < LONGEST}
        self._bursts[calendar] = _Burst(now, now)
        return timedelta()
