"""How the worker of this process gets on, for health checks, metrics and a watchdog. Written by one thread."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from calsync.ports import Clock
from calsync.worker.context import PassResult


@dataclass(slots=True)
class Progress:
    """Counts since the process began. `passes` by how they ended: fine, stopped, or an error's code."""

    clock: Clock
    began_at: datetime
    round_at: datetime | None = None
    passes: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    drifts: int = 0
    written: int = 0
    clock_apart: timedelta | None = None  # how far our clock was ahead of the service's in the last pass that told

    def alive(self) -> None:
        """The loop went round once more."""
        self.round_at = self.clock.now()

    def passed(self, result: PassResult) -> None:
        """A pass ended."""
        self.passes[_ending(result)] += 1
        self.requests += result.requests
        self.drifts += result.drifts
        self.written += result.written
        if result.clock_apart is not None:
            self.clock_apart = result.clock_apart

    def is_stuck(self, now: datetime, patience: timedelta) -> bool:
        """Whether the loop has not gone round for longer than `patience`."""
        return now - (self.round_at or self.began_at) > patience


def _ending(result: PassResult) -> str:
    # Errors may be sentences for people; metrics need few and fixed words.
    if result.stopped:
        return "stopped"
    if result.error is None:
        return "fine"
    return result.state if result.state != "active" else "failed"
