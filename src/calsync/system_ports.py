"""The real clock, chance and waiting. Made by the faces at start and handed down; imported by nothing else."""

import base64
import os
import random
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import structlog

from calsync.errors import ConfigError
from calsync.ports import Clock, Stop

FIXED_CLOCK_VARIABLE: Final = "CALSYNC_NOW"
"""Environment variable that fixes the clock of a command, where `[testing] clock = true` allows it."""

_log = structlog.get_logger(__name__)


class SystemClock:
    """The host's clock."""

    def now(self) -> datetime:
        """The present instant in UTC."""
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class FixedClock:
    """A clock that stands still, for commands under test."""

    instant: datetime

    def now(self) -> datetime:
        """Always the same instant."""
        return self.instant


class SystemIds:
    """Ids and tokens from the operating system's source of randomness."""

    def token_bytes(self, n: int) -> bytes:
        """`n` unguessable bytes."""
        return secrets.token_bytes(n)

    def new_id(self, prefix: str) -> str:
        """`prefix-` and sixteen letters or digits: 80 random bits."""
        return f"{prefix}-{base64.b32encode(secrets.token_bytes(10)).decode('ascii').lower()}"

    def jitter(self, low: float, high: float) -> float:
        """A number drawn evenly from `low` to `high`."""
        return random.uniform(low, high)


class StopEvent:
    """A `Stop` for signals and threads; waiting on it ends the moment it is set."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def is_set(self) -> bool:
        """True from the moment the end was asked for."""
        return self._event.is_set()

    def set(self) -> None:
        """Ask for the end. Safe in a signal handler."""
        self._event.set()

    def wait(self, seconds: float) -> bool:
        """Block for at most `seconds`; true if the end was asked for."""
        return self._event.wait(max(0.0, seconds))


class WakeEvent:
    """A `Wake` between threads."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        """Knock."""
        self._event.set()

    def wait(self, seconds: float) -> bool:
        """Wait for a knock, at most `seconds`; true if there was one."""
        knocked = self._event.wait(max(0.0, seconds))
        self._event.clear()
        return knocked


class SystemSleep:
    """Real waiting."""

    def sleep(self, seconds: float) -> None:
        """Block this thread for `seconds`."""
        if seconds > 0:
            time.sleep(seconds)

    def wait(self, stop: Stop, seconds: float) -> bool:
        """Block until `stop` is set, at most `seconds`; true if it is set."""
        if isinstance(stop, StopEvent):
            return stop.wait(seconds)
        deadline = time.monotonic() + seconds
        while not stop.is_set() and (left := deadline - time.monotonic()) > 0:
            time.sleep(min(left, 0.1))
        return stop.is_set()


def process_is_alive(pid: int) -> bool:
    """Whether a process with this number runs on this machine, whoever owns it."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def choose_clock(*, may_be_fixed: bool, environ: Mapping[str, str] = os.environ) -> Clock:
    """The clock of this process: the host's, or the one that `CALSYNC_NOW` fixes.

    Raises ConfigError when the variable is set although the config does not say `[testing] clock = true`, or when it
    is not an ISO 8601 instant with an offset: a forgotten variable must never date a claim.
    """
    text = environ.get(FIXED_CLOCK_VARIABLE)
    if text is None:
        return SystemClock()
    if not may_be_fixed:
        raise ConfigError.of(
            "the clock may not be fixed here",
            where=f"environment variable {FIXED_CLOCK_VARIABLE}",
            remedy="Unset it. Only a test installation sets `clock = true` under [testing]",
        )
    instant = _parse_instant(text)
    _log.warning("clock_is_fixed", instant=instant.isoformat(), variable=FIXED_CLOCK_VARIABLE)
    return FixedClock(instant)


def _parse_instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise ConfigError.of(
            f"{text!r} is not an instant",
            where=f"environment variable {FIXED_CLOCK_VARIABLE}",
            remedy='Write it as "2026-11-24T10:00:00Z"',
        )
    return instant.astimezone(UTC)
