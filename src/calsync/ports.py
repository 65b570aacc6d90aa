"""The ports through which time, chance and waiting enter, so that a test or a simulation can put its own in.

Nothing else in calsync may ask for the time, draw a random number or sleep. The real ones are in
`calsync.system_ports`; virtual ones in `calsync.testing`.
"""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """What time it is."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC. It may step backwards when the host's clock is set."""


class Ids(Protocol):
    """Fresh names and chance."""

    def token_bytes(self, n: int) -> bytes:
        """`n` unguessable bytes, for tokens and keys."""

    def new_id(self, prefix: str) -> str:
        """An id never given before, `prefix-…`, of lower-case letters and digits; safe in URLs and file names."""

    def jitter(self, low: float, high: float) -> float:
        """A number drawn evenly from `low` to `high`. Not for secrets."""


class Stop(Protocol):
    """A wish to end, set once by a signal or a person and looked at by everything that runs for long."""

    def is_set(self) -> bool:
        """True from the moment the end was asked for."""

    def set(self) -> None:
        """Ask for the end. Doing so again changes nothing."""


class Wake(Protocol):
    """A knock on the door of one who waits for work."""

    def set(self) -> None:
        """Knock. Safe from any thread and in a signal handler; several knocks are one."""

    def wait(self, seconds: float) -> bool:
        """Return at the next knock, or at once if there was one since the last time, or after `seconds`."""


class Sleep(Protocol):
    """Waiting."""

    def sleep(self, seconds: float) -> None:
        """Return after `seconds`; at once when that is zero or less."""

    def wait(self, stop: Stop, seconds: float) -> bool:
        """Return after `seconds`, or as soon as `stop` is set; true if it is set."""
