"""The seam to whatever carries due work: run the passes of these leases. Here: a pool of threads in this process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Protocol

import structlog

from calsync.store import glance
from calsync.store.glance import Glance
from calsync.store.work import Lease
from calsync.worker.context import PassResult, WorkerContext
from calsync.worker.leased_run import run_leased

_log = structlog.get_logger(__name__)


class Dispatch(Protocol):
    """Whatever brings due calendars to passes."""

    def dispatch(self) -> int:
        """Have due passes run; return how many were started right now."""

    def drain(self, seconds: float) -> bool:
        """Take nothing new and wait for what runs; true if all ended in time."""


class EmbeddedDispatch:
    """Claims due calendars and runs their passes in threads. Correct with several processes on one database, too."""

    def __init__(
        self,
        worker: WorkerContext,
        *,
        threads: int,
        done: Callable[[PassResult], None] | None = None,
        ended: Callable[[], None] = lambda: None,
    ) -> None:
        """`done` is told each result by `dispatch`; `ended` is called at once when a pass ends, from its thread."""
        self._worker = worker
        self._threads = threads
        self._done = done
        self._ended = ended
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="pass")
        self._running: set[Future[PassResult]] = set()

    def dispatch(self) -> int:
        """Start as many due passes as there are free threads; return how many were started."""
        self._collect()
        free = self._threads - len(self._running)
        if free <= 0:
            return 0
        leases = self._claim(free)
        seen = self._look(leases)
        for lease in leases:
            future = self._pool.submit(run_safely, self._worker, lease, seen.get(lease.calendar))
            self._running.add(future)
            future.add_done_callback(lambda _future: self._ended())
        return len(leases)

    def wait_for_one(self, seconds: float) -> None:
        """Return when a running pass ends, or after `seconds`."""
        wait(self._running, timeout=seconds, return_when=FIRST_COMPLETED)
        self._collect()

    @property
    def is_idle(self) -> bool:
        """Whether no pass runs."""
        self._collect()
        return not self._running

    def drain(self, seconds: float) -> bool:
        """Take nothing new and wait for what runs; true if all ended in time."""
        _, left = wait(self._running, timeout=seconds)
        self._collect()
        self._pool.shutdown(wait=not left, cancel_futures=True)
        return not left

    def _claim(self, free: int) -> list[Lease]:
        worker = self._worker
        return glance.claim_due(worker.database, worker.owner, free, worker.clock.now(), worker.lease_for)

    def _look(self, leases: Sequence[Lease]) -> dict[str, Glance]:
        # At once for all that were claimed at once: each has its thread waiting.
        worker = self._worker
        return glance.look_at_each(worker.database, [lease.calendar for lease in leases], worker.clock.now())

    def _collect(self) -> None:
        ended = {future for future in self._running if future.done()}
        self._running -= ended
        for future in ended:
            if self._done is not None:
                self._done(future.result())


def run_safely(worker: WorkerContext, lease: Lease, seen: Glance | None = None) -> PassResult:
    """Run one leased calendar; a fault of ours must not take the others down. `seen`: see `run_leased`.

    Its lease runs out then, and it is tried again later.
    """
    try:
        return run_leased(worker, lease, seen=seen)
    except Exception as fault:  # noqa: BLE001 - see above
        _log.error("pass_failed", calendar=lease.calendar, fault=type(fault).__name__, exc_info=True)
        return PassResult(calendar=lease.calendar, error=f"fault:{type(fault).__name__}")


def run_now(worker: WorkerContext, calendar: str, run: Callable[[Lease], PassResult]) -> PassResult | None:
    """Run one calendar at once, whatever its due time; None while another process has it."""
    lease = glance.claim(worker.database, calendar, worker.owner, worker.clock.now(), worker.lease_for)
    return None if lease is None else run(lease)
