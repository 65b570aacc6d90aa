"""Threads beside the main one. Made by the faces; everything below them is handed work and never starts any."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

import structlog

_log = structlog.get_logger(__name__)


class Background:
    """One kind of work at a time, beside the main thread. It never keeps the process from ending.

    Whatever it does must bear to be cut off at any instruction, as a crash would.
    """

    def __init__(self, name: str, work: Callable[[], object]) -> None:
        self._name = name
        self._work = work
        self._thread: threading.Thread | None = None

    @property
    def is_running(self) -> bool:
        """Whether the work has begun and not ended."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> bool:
        """Begin the work; False if it still runs from the last time."""
        if self.is_running:
            return False
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()
        return True

    def join(self, seconds: float) -> bool:
        """Wait for its end, at most so long; true if it has ended."""
        if self._thread is not None:
            self._thread.join(seconds)
        return not self.is_running

    def _run(self) -> None:
        try:
            self._work()
        except Exception as fault:  # noqa: BLE001 - a thread has nobody above it to tell
            _log.error("background_failed", work=self._name, fault=type(fault).__name__, exc_info=True)


def end_at_once(code: int) -> NoReturn:
    """End the process without waiting for its threads: for one whose work may be cut off anywhere."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)
