"""Two clocks, the host's and the service's: what a claim may rest on counts by the one that makes it count for less.

A host's clock that is ahead dates a reading too late: made before a session's end, it would count as made after it, for
ever, once the clock is set right. One that is behind dates a write of ours too early, as if the event had stood there
before its session. Each answer of a service tells the service's own time (HTTP's `Date`), so both show at once, when
the reading is made. Stamps go by the host's clock (R-28) as long as the two are no further apart than `APART`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from calsync.worker.context import PassContext

APART: Final = timedelta(seconds=5)
"""Clocks that differ by no more are taken to agree (R-28); doctor and metrics tell of more."""

_TOGETHER: Final = timedelta(0)


@dataclass(slots=True)
class Exchange:
    """One conversation with a service, from `begin` on. `apart`: how far our clock was ahead, last measured."""

    context: PassContext
    began_at: datetime
    requests: int
    ahead: timedelta = _TOGETHER
    behind: timedelta = _TOGETHER
    apart: timedelta | None = None

    @classmethod
    def begin(cls, context: PassContext) -> Exchange:
        """To be called before the first request of it."""
        return cls(context, context.worker.clock.now(), context.calendar.counts.requests)

    def read_at(self) -> datetime:
        """When what was read until now was asked for, by the slower clock. To be called right after an answer."""
        now = self._measure()
        return min(self.began_at, now) - self.ahead

    def written_at(self) -> datetime:
        """When what was written until now stood, by the faster clock. To be called right after an answer."""
        return self._measure() + self.behind

    def _measure(self) -> datetime:
        now = self.context.worker.clock.now()
        told = self.context.calendar.told_at if self.context.worker.heeds_services else None
        if told is None or self.context.calendar.counts.requests == self.requests:
            return now  # what was said in an earlier conversation says nothing of now
        self.apart = now - told
        if self.apart > APART:
            self.ahead = max(self.ahead, self.apart)
        elif self.apart < -APART:
            self.behind = max(self.behind, -self.apart)
        return now
