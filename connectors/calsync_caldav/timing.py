"""The stopwatch of the transport: how long a request may still take. No decision about records ever rests on it."""

from __future__ import annotations

import time


class Deadline:
    """A total time limit for one request at a time; every wait on the network asks it for what is left."""

    def __init__(self) -> None:
        self._end = float("inf")

    def start(self, seconds: float) -> None:
        """Begin a new request that may take that long in all."""
        self._end = _elapsed() + seconds

    def left(self) -> float:
        """Return the seconds that are left; TimeoutError when there are none."""
        left = self._end - _elapsed()
        if left <= 0:
            raise TimeoutError("deadline passed")
        return left


def _elapsed() -> float:
    # A socket's patience is neither a record's time nor chance: a virtual clock here would only hang on real servers.
    return time.monotonic()  # noqa: TID251
