"""Two clocks: the true one, by which services and people live, and our host's, which somebody may set wrong."""

from __future__ import annotations

from datetime import datetime, timedelta

from calsync.testing.fake_ports import FakeClock


class HostClock(FakeClock):
    """Our host's clock: the true time and what it is off by. Time passes on both alike."""

    def __init__(self, truth: FakeClock) -> None:
        super().__init__(truth.instant)
        self.truth = truth
        self.off = timedelta(0)

    def now(self) -> datetime:
        """What our host takes for the present."""
        return self.truth.now() + self.off

    def advance(self, by: timedelta | float) -> datetime:
        """Let time pass, everywhere."""
        self.truth.advance(by)
        return self.now()

    def jump(self, by: timedelta) -> None:
        """Set our host's clock to another time."""
        self.off += by
