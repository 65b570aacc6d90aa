"""The resident worker: claim what is due, run it, keep the timers, stop when asked. A crash can lose nothing of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from calsync.ports import Stop, Wake
from calsync.store import work, workers
from calsync.store.errors import StoreUnavailable
from calsync.worker.context import WorkerContext
from calsync.worker.dispatch import Dispatch
from calsync.worker.timers import Timers

_log = structlog.get_logger(__name__)

# How long an idle worker waits before it looks for due work again, where nobody wakes it.
LOOK_EVERY_S = 0.5
# How long running passes may take to end after a stop was asked for; their leases are simply given up after that.
DRAIN_S = 8.0


@dataclass(slots=True)
class Loop:
    """One process's worker. `alive` is called on each round of real progress (for a watchdog).

    `wake`: knocked on by whatever makes a calendar due or ends a pass, so that nothing waits for the next look.
    """

    worker: WorkerContext
    dispatch: Dispatch
    timers: Timers
    alive: Callable[[], None] = lambda: None
    wake: Wake | None = None
    _is_away: bool = False

    def run(self, stop: Stop) -> bool:
        """Work until `stop` is set, then let running passes end; true if all of them did."""
        _log.info("worker_started", owner=self.worker.owner)
        while not stop.is_set():
            self.timers.tick()
            started = self._dispatch()
            self.alive()
            if started == 0:
                self._rest(stop)
        drained = self.dispatch.drain(DRAIN_S)
        with self.worker.database.transaction() as conn:
            work.give_back_all(conn, self.worker.owner)
        workers.leave(self.worker.database, self.worker.owner)
        _log.info("worker_stopped", owner=self.worker.owner, drained=drained)
        return drained

    def _dispatch(self) -> int:
        """Start what is due. A database that is away is waited for: nobody else can use it either."""
        try:
            started = self.dispatch.dispatch()
        except StoreUnavailable as problem:
            if not self._is_away:
                _log.warning("database_away", problem=str(problem))
            self._is_away = True
            return 0
        if self._is_away:
            _log.info("database_back")
        self._is_away = False
        return started

    def _rest(self, stop: Stop) -> None:
        if self.wake is None:
            self.worker.sleep.wait(stop, LOOK_EVERY_S)
        elif not stop.is_set():
            self.wake.wait(LOOK_EVERY_S)
