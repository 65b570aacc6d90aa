"""Virtual ports: a clock that is set by hand, ids that count, a sleep that takes no time. Deterministic; no I/O."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final

from calsync.ports import Stop

A_MONDAY: Final = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"""Where a `FakeClock` stands when nobody sets it: a Monday, a few days before the American change to summer time."""


@dataclass(slots=True)
class FakeClock:
    """A `Clock` that moves only when told to, in either direction."""

    instant: datetime = A_MONDAY

    def __post_init__(self) -> None:
        """Refuse naive instants (`ValueError`)."""
        self.set(self.instant)

    def now(self) -> datetime:
        """The instant it stands at, aware, in UTC."""
        return self.instant

    def set(self, instant: datetime) -> None:
        """Stand at another instant, earlier or later."""
        if instant.tzinfo is None:
            raise ValueError("a clock needs an aware instant")
        self.instant = instant.astimezone(UTC)

    def advance(self, by: timedelta | float) -> datetime:
        """Move by a duration, or by a number of seconds, and return the new instant."""
        self.instant += by if isinstance(by, timedelta) else timedelta(seconds=by)
        return self.instant


@dataclass(slots=True)
class FakeIds:
    """An `Ids` that counts: the same seed gives the same names, bytes and jitter in the same order."""

    seed: int = 0
    drawn: int = 0

    def token_bytes(self, n: int) -> bytes:
        """`n` bytes, different at each call."""
        block = self._draw()
        while len(block) < n:
            block += sha256(block).digest()
        return block[:n]

    def new_id(self, prefix: str) -> str:
        """`prefix-` and sixteen letters or digits, never the same twice."""
        return f"{prefix}-{base64.b32encode(self._draw()[:10]).decode('ascii').lower()}"

    def jitter(self, low: float, high: float) -> float:
        """A number from `low` to `high`."""
        return low + (high - low) * int.from_bytes(self._draw()[:6], "big") / 2**48

    def _draw(self) -> bytes:
        self.drawn += 1
        return sha256(f"{self.seed}:{self.drawn}".encode()).digest()


@dataclass(slots=True)
class FakeStop:
    """A `Stop` that is looked at and set by hand."""

    wished: bool = False

    def is_set(self) -> bool:
        """True once `set` was called."""
        return self.wished

    def set(self) -> None:
        """Ask for the end."""
        self.wished = True


@dataclass(slots=True)
class FakeSleep:
    """A `Sleep` that moves the clock instead of waiting; `slept` tells, in seconds, each rest that was asked for."""

    clock: FakeClock
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        """Move the clock on by `seconds`; not at all when that is zero or less."""
        self.slept.append(seconds)
        if seconds > 0:
            self.clock.advance(seconds)

    def wait(self, stop: Stop, seconds: float) -> bool:
        """Return at once if `stop` is set, else sleep; true if it is set."""
        if not stop.is_set():
            self.sleep(seconds)
        return stop.is_set()
