"""The resident worker: claim what is due, run it, keep the timers, stop when asked. A crash can lose nothing of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from calsync.ports import Stop
from calsync.store import work
from calsync.worker.context import WorkerContext
from calsync.worker.dispatch import EmbeddedDispatch
from calsync.worker.timers import Timers

_log = structlog.get_logger(__name__)

# How long an idle worker waits before it looks for due work again: this bounds how late a push is taken up.
LOOK_EVERY_S = 0.5
# How long running passes may take to end after a stop was asked for; their leases are simply given up after that.
DRAIN_S = 8.0


@dataclass(slots=True)
class Loop:
    """One process's worker. `alive` is called on each round of real progress (for a watchdog)."""

    worker: WorkerContext
    dispatch: EmbeddedDispatch
    timers: Timers
    alive: Callable[[], None] = lambda: None

    def run(self, stop: Stop) -> bool:
        """Work until `stop` is set, then let running passes end; true if all of them did."""
        _log.info("worker_started", owner=self.worker.owner)
        while not stop.is_set():
            self.timers.tick()
            started = self.dispatch.dispatch()
            self.alive()
            if started == 0:
                self.worker.sleep.wait(stop, LOOK_EVERY_S)
        drained = self.dispatch.drain(DRAIN_S)
        with self.worker.database.transaction() as conn:
            work.give_back_all(conn, self.worker.owner)
        _log.info("worker_stopped", owner=self.worker.owner, drained=drained)
        return drained
