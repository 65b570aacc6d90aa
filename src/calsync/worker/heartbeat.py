"""A worker says that it lives, and takes over from those that fell silent: a killed one's calendars within 15 s.

Called in a thread of its own, so that no long work lets a living process fall silent.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import structlog

from calsync.ports import Stop
from calsync.store import workers
from calsync.store.errors import StoreUnavailable
from calsync.worker.context import WorkerContext

_log = structlog.get_logger(__name__)

EVERY_S: Final = 2.0
SILENT_FOR: Final = timedelta(seconds=8)


def keep_beating(worker: WorkerContext, stop: Stop) -> None:
    """Beat until `stop` is set. A database that cannot be reached is tried again: nobody else can use it either."""
    while not stop.is_set():
        try:
            beat(worker)
        except StoreUnavailable as problem:
            _log.warning("no_heartbeat", problem=type(problem).__name__)
        worker.sleep.wait(stop, EVERY_S)


def beat(worker: WorkerContext) -> int:
    """Say once that this process lives, and free the calendars of silent ones; how many those were."""
    workers.beat(worker.database, worker.owner, worker.clock)
    freed = workers.take_over(worker.database, SILENT_FOR, worker.clock)
    if freed:
        _log.warning("took_over", calendars=freed)
    return freed
