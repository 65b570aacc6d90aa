"""SIGHUP while a resident process is still being loaded: heard from the first moment, obeyed once there is work."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from typing import Final

# Imported before anything else of the program, so it knows the commands of `run` by name.
RESIDENT: Final = frozenset({"run", "worker", "serve"})

_heard: list[int] = []


def listen(arguments: Sequence[str]) -> None:
    """From now on a hang-up does not end the process, if its command line may be that of a resident one."""
    if not RESIDENT.isdisjoint(arguments):
        signal.signal(signal.SIGHUP, lambda number, _frame: _heard.append(number))


def was_heard() -> bool:
    """Whether a hang-up came until now; it is told once."""
    heard = bool(_heard)
    _heard.clear()
    return heard
