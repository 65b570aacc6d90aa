"""Due passes carried between machines by Procrastinate, on the PostgreSQL that is there already.

It carries keys, and no truth: what is due, for how long a calendar backs off and who works on it stand in the
calendar's own row. So nothing is retried by the engine, finished jobs are deleted, a job that comes late finds its
calendar not due and ends, and the sweep of due rows offers again whatever was lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from typing import Any, Final

import procrastinate
import structlog
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import Status
from procrastinate.worker import Worker
from sqlalchemy import Connection

from calsync.store import carried_jobs, glance
from calsync.store.carried_jobs import QUEUE
from calsync.store.work import Priority
from calsync.worker.context import PassResult, WorkerContext
from calsync.worker.dispatch import run_safely

_log = structlog.get_logger(__name__)

TASK: Final = "calsync.pass"
# Due calendars that one sweep offers: what is beyond waits for the next, half a second later.
OFFERED_AT_ONCE: Final = 500
# Polls are offered by the minute's backlog of all processes, so not every one of them needs to sweep all the time.
SWEEP_EVERY: Final = timedelta(seconds=0.5)
HEARTBEAT_S: Final = 2.0
SILENT_S: Final = 8.0
GRACE_S: Final = 8.0


class CarriedDispatch:
    """Offers due calendars to all machines, and runs passes that were offered by any. See `worker.dispatch`."""

    def __init__(
        self, worker: WorkerContext, *, threads: int, done: Callable[[PassResult], None] | None = None
    ) -> None:
        self._worker = worker
        self._done = done
        self._threads = threads
        self._passes = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="pass")
        self._carrier = ThreadPoolExecutor(max_workers=1, thread_name_prefix="carrier")
        self._engine: Any = None  # the engine's own worker, whose methods have no types
        self._swept_at: datetime | None = None
        self._defer = _app(_connector(worker), self._run)
        self._running: Future[None] | None = None

    def dispatch(self) -> int:
        """Offer what is due; 0, since the passes run when the engine hands them out."""
        if self._running is None or self._running.done():
            self._restart()
        now = self._worker.clock.now()
        if self._swept_at is None or not self._swept_at <= now < self._swept_at + SWEEP_EVERY:
            self._swept_at = now
            self.sweep()
        return 0

    def sweep(self) -> int:
        """Offer every due calendar for which no job waits, and raise jobs that have become urgent; how many were new.

        Without it nothing that the engine loses would ever be missed.
        """
        worker = self._worker
        due = glance.due(worker.database, OFFERED_AT_ONCE, worker.clock.now())
        if not due:
            return 0
        offered = 0
        with worker.database.transaction() as conn:
            waiting = carried_jobs.waiting(conn, [calendar for calendar, _ in due])
            for calendar, priority in due:
                urgency = waiting.get(calendar)
                if urgency is None:
                    offered += self._offer(conn, calendar, priority)
                elif urgency < priority:
                    carried_jobs.raise_urgency(conn, calendar, int(priority))
        return offered

    def drain(self, seconds: float) -> bool:
        """Take nothing new and wait for what runs; true if all ended in time."""
        if self._engine is not None:
            self._engine.stop()
        left = wait([self._running], timeout=seconds).not_done if self._running is not None else set()
        self._carrier.shutdown(wait=False, cancel_futures=True)
        self._passes.shutdown(wait=not left, cancel_futures=True)
        return not left

    def _offer(self, conn: Connection, calendar: str, priority: Priority) -> bool:
        # Two processes may offer the same calendar at once: the savepoint keeps the refusal of one from undoing all.
        try:
            with conn.begin_nested():
                raw: Any = conn.connection.driver_connection
                self._defer.configure_task(
                    TASK, lock=calendar, queueing_lock=calendar, queue=QUEUE, priority=int(priority), connection=raw
                ).defer(calendar=calendar)
        except AlreadyEnqueued:
            return False
        return True

    def _restart(self) -> None:
        if self._running is not None and (fault := self._running.exception()) is not None:
            _log.error("carrier_failed", fault=type(fault).__name__)
        self._prepare()
        self._running = self._carrier.submit(asyncio.run, self._carry())

    def _prepare(self) -> None:
        """Make the engine's tables where they are missing; of two processes at once, one waits."""
        with self._worker.database.transaction() as conn:
            if not carried_jobs.is_prepared(conn):
                schema = self._defer.schema_manager.get_schema()
                raw: Any = conn.connection.driver_connection
                raw.execute(schema)

    async def _carry(self) -> None:
        """The engine's own loop, in its own thread."""
        asyncio.get_running_loop().set_default_executor(self._passes)
        app = _app(_async_connector(self._worker), self._run)
        async with app.open_async():
            self._engine = Worker(
                app,
                queues=[QUEUE],
                name=self._worker.owner,
                concurrency=self._threads,
                fetch_job_polling_interval=2.0,
                shutdown_graceful_timeout=GRACE_S,
                delete_jobs="always",
                install_signal_handlers=False,
                update_heartbeat_interval=HEARTBEAT_S,
                stalled_worker_timeout=SILENT_S,
            )
            rescue = asyncio.create_task(_rescue(app))
            try:
                await self._engine.run()
            finally:
                rescue.cancel()

    def _run(self, calendar: str) -> None:
        """One job: the pass of a calendar, if it is still due and free."""
        worker = self._worker
        if worker.is_stopping:
            return
        lease = glance.claim_if_due(worker.database, calendar, worker.owner, worker.clock.now(), worker.lease_for)
        if lease is None:
            return
        result = run_safely(worker, lease)
        if self._done is not None:
            self._done(result)


async def _rescue(app: procrastinate.App) -> None:
    """Delete the jobs of workers that fell silent: their calendars are due, and the sweep offers them again."""
    while True:
        await asyncio.sleep(HEARTBEAT_S)
        try:
            for job in await app.job_manager.get_stalled_jobs(queue=QUEUE, seconds_since_heartbeat=SILENT_S):
                if job.id is not None:
                    await app.job_manager.finish_job_by_id_async(job.id, Status.FAILED, delete_job=True)
        except ConnectorException as problem:
            _log.warning("rescue_failed", problem=type(problem).__name__)


def _app(connector: Any, run: Callable[[str], None]) -> procrastinate.App:
    app = procrastinate.App(connector=connector)

    @app.task(name=TASK, queue=QUEUE)
    def calsync_pass(calendar: str) -> None:
        run(calendar)

    return app


def _connector(worker: WorkerContext) -> procrastinate.SyncPsycopgConnector:
    # Never opened: whatever is offered goes through a transaction of ours.
    return procrastinate.SyncPsycopgConnector(**_address(worker))


def _async_connector(worker: WorkerContext) -> procrastinate.PsycopgConnector:
    return procrastinate.PsycopgConnector(min_size=1, max_size=4, **_address(worker))


def _address(worker: WorkerContext) -> dict[str, Any]:
    database = worker.database
    _, named = database.engine.dialect.create_connect_args(database.url)
    return {"kwargs": {name: value for name, value in named.items() if name != "context"}}
