"""Work that comes with time rather than with a calendar: each timer is idempotent, so a second process does no harm."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from calsync.ports import Clock

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Timer:
    """Something to be done again and again. `act` gets the present instant and may be repeated without harm."""

    name: str
    every: timedelta
    act: Callable[[datetime], object]
    next_at: datetime | None = None


@dataclass(slots=True)
class Timers:
    """All timers of a process, on its clock."""

    clock: Clock
    timers: list[Timer] = field(default_factory=list)

    def add(self, name: str, every: timedelta, act: Callable[[datetime], object]) -> None:
        """Add a timer; it fires at the first tick."""
        self.timers.append(Timer(name, every, act))

    def tick(self) -> int:
        """Run what is due; a timer that fails is logged, tried again at its next time, and stops no other."""
        now = self.clock.now()
        fired = 0
        for timer in self.timers:
            # A clock that was set back must not silence a timer for longer than its own interval.
            if timer.next_at is not None and now < timer.next_at <= now + timer.every:
                continue
            timer.next_at = now + timer.every
            fired += 1
            try:
                timer.act(now)
            except Exception as fault:  # noqa: BLE001 - it stops no other timer
                _log.error("timer_failed", timer=timer.name, fault=type(fault).__name__, exc_info=True)
        return fired
