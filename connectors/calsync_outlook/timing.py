"""The stopwatch of the transport: how long a request may still take. No decision about records ever rests on it."""

from __future__ import annotations

import time


def elapsed() -> float:
    """Seconds since some fixed moment, never set back."""
    # A socket's patience is neither a record's time nor chance: a virtual clock here would only hang on real servers.
    return time.monotonic()  # noqa: TID251
