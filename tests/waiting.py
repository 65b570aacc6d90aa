"""Waiting for what other processes and threads do: by looking again and again, never by a fixed time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import httpx

Found = TypeVar("Found")


def until(holds: Callable[[], Found], seconds: float = 60.0) -> Found:
    """Look until something is true, and return it; AssertionError where it does not come to be in time.

    A connection that fails counts as not yet.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if found := holds():
                return found
        except (httpx.TransportError, OSError):
            pass
        time.sleep(0.02)
    raise AssertionError(f"it never came true in {seconds:.0f} s")
