"""Due passes carried between machines by Procrastinate, on the PostgreSQL that is there already.

It carries keys, and no truth: what is due, for how long a calendar backs off and who works on it stand in the
calendar's own row. So nothing is retried by the engine, finished jobs are deleted, a job that comes late finds its
calendar not due and ends, and the sweep of due rows offers again whatever was lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from typing import Any, Final

import procrastinate
import structlog
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import Job, Status
from procrastinate.worker import Worker
from psycopg_pool import AsyncConnectionPool
from sqlalchemy import Connection

from calsync.store import carried_jobs, glance, postgres
from calsync.store.carried_jobs import QUEUE
from calsync.store.database import Database
from calsync.store.errors import StoreUnavailable
from calsync.store.work import Priority
from calsync.worker.context import PassResult, WorkerContext
from calsync.worker.dispatch import run_safely

_log = structlog.get_logger(__name__)

TASK: Final = "calsync.pass"
# Due calendars that one sweep offers: what is beyond waits for the next, half a second later.
OFFERED_AT_ONCE: Final = 500
# The loop looks every half second, and when it is woken by a push; a storm of pushes is swept together.
SWEEP_EVERY: Final = timedelta(seconds=0.05)
AGAIN_AFTER: Final = timedelta(seconds=2)
# A job is lost that has been running for so long while nobody has its calendar.
LOST_AFTER: Final = timedelta(seconds=30)
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
        self._ended_at: datetime | None = None

    def dispatch(self) -> int:
        """Offer what is due; 0, since the passes run when the engine hands them out."""
        now = self._worker.clock.now()
        if self._running is None or self._running.done():
            self._start(now)
        if self._swept_at is None or not self._swept_at <= now < self._swept_at + SWEEP_EVERY:
            self._swept_at = now
            self.sweep()
        return 0

    def sweep(self) -> int:
        """Offer every due calendar for which no job waits, and raise jobs that have become urgent; how many were new.

        Without it nothing that the engine loses would ever be missed.
        """
        worker = self._worker
        with worker.database.transaction() as conn:
            # One process at a time: what two offered at once would undo each other.
            carried_jobs.wait_for_turn(conn)
            due = dict(glance.due(worker.database, OFFERED_AT_ONCE, worker.clock.now()))
            offered = carried_jobs.offered(conn, list(due)) if due else {}
            for calendar in offered.keys() & due.keys():
                if offered[calendar] < due[calendar]:
                    carried_jobs.raise_urgency(conn, calendar, int(due[calendar]))
            new = [_job(calendar, priority) for calendar, priority in due.items() if calendar not in offered]
            return self._offer(conn, new)

    def drain(self, seconds: float) -> bool:
        """Take nothing new and wait for what runs; true if all ended in time."""
        if self._engine is not None:
            self._engine.stop()
        left = wait([self._running], timeout=seconds).not_done if self._running is not None else set()
        self._carrier.shutdown(wait=False, cancel_futures=True)
        self._passes.shutdown(wait=not left, cancel_futures=True)
        return not left

    def _offer(self, conn: Connection, new: list[Job]) -> int:
        # A job that another program has put there meanwhile is no reason to do without the others.
        if not new:
            return 0
        raw: Any = conn.connection.driver_connection
        try:
            with conn.begin_nested():
                self._defer.job_manager.batch_defer_jobs(jobs=new, connection=raw)
        except AlreadyEnqueued:
            middle = len(new) // 2
            return self._offer(conn, new[:middle]) + self._offer(conn, new[middle:]) if middle else 0
        return len(new)

    def _start(self, now: datetime) -> None:
        """Start the engine; where it has just ended by itself it is left alone for a moment."""
        if self._running is not None:
            if self._ended_at is None:
                fault = self._running.exception()
                _log.error("carrier_ended", fault=type(fault).__name__ if fault is not None else None)
                self._ended_at = now
            if self._ended_at <= now < self._ended_at + AGAIN_AFTER:
                return
        self._ended_at = None
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
        app = _app(_async_connector(self._worker), self._run, self._passes)
        async with app.open_async():
            self._engine = Worker(
                app,
                queues=[QUEUE],
                name=self._worker.owner,
                # Some jobs wait for a thread here, so that no thread waits for a job to be fetched. None of them holds
                # its calendar yet.
                concurrency=self._threads + max(1, self._threads // 2),
                # A word of new jobs that comes while it fetches is lost on the engine.
                fetch_job_polling_interval=0.5,
                shutdown_graceful_timeout=GRACE_S,
                delete_jobs="always",
                install_signal_handlers=False,
                update_heartbeat_interval=HEARTBEAT_S,
                stalled_worker_timeout=SILENT_S,
            )
            rescue = asyncio.create_task(_rescue(app, self._worker.database))
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


async def _rescue(app: procrastinate.App, database: Database) -> None:
    """Delete the jobs of workers that fell silent: their calendars are due, and the sweep offers them again.

    And those whose end a living worker could not put down: nobody would run their calendars again.
    """
    while True:
        await asyncio.sleep(HEARTBEAT_S)
        try:
            await asyncio.to_thread(_forget_lost, database)
            for job in await app.job_manager.get_stalled_jobs(queue=QUEUE, seconds_since_heartbeat=SILENT_S):
                if job.id is not None:
                    await app.job_manager.finish_job_by_id_async(job.id, Status.FAILED, delete_job=True)
        except ConnectorException as problem:
            _log.warning("rescue_failed", problem=type(problem).__name__)


def _forget_lost(database: Database) -> None:
    try:
        with database.transaction() as conn:
            lost = carried_jobs.forget_lost(conn, LOST_AFTER)
    except StoreUnavailable as problem:
        _log.warning("rescue_failed", problem=type(problem).__name__)
        return
    if lost:
        _log.warning("jobs_lost", jobs=lost)


def _job(calendar: str, priority: Priority) -> Job:
    return Job(
        id=None,
        queue=QUEUE,
        task_name=TASK,
        lock=calendar,
        queueing_lock=calendar,
        priority=int(priority),
        task_kwargs={"calendar": calendar},
    )


def _app(connector: Any, run: Callable[[str], None], passes: Executor | None = None) -> procrastinate.App:
    app = procrastinate.App(connector=connector)

    @app.task(name=TASK, queue=QUEUE)
    async def calsync_pass(calendar: str) -> None:
        await asyncio.get_running_loop().run_in_executor(passes, run, calendar)

    return app


def _connector(worker: WorkerContext) -> procrastinate.SyncPsycopgConnector:
    # Never opened: whatever is offered goes through a transaction of ours.
    return procrastinate.SyncPsycopgConnector(**_address(worker))


def _async_connector(worker: WorkerContext) -> procrastinate.PsycopgConnector:
    # Each call of the engine is a single statement, and its jobs carry no truth: no transaction around it, no wait for
    # the disk, and no question before each whether the connection still lives (if not, the carrier starts anew).
    return procrastinate.PsycopgConnector(
        pool_factory=_pool, configure=_without_transactions, min_size=1, max_size=4, **_address(worker)
    )


def _pool(**given: Any) -> AsyncConnectionPool[Any]:
    return AsyncConnectionPool(**{**given, "check": None})


async def _without_transactions(connection: Any) -> None:
    await connection.set_autocommit(True)
    await connection.execute(*postgres.first_statement(postgres.NO_DISK))


def _address(worker: WorkerContext) -> dict[str, Any]:
    database = worker.database
    _, named = database.engine.dialect.create_connect_args(database.url)
    given = {**named, **postgres.arguments(database.url)}
    return {"kwargs": {name: value for name, value in given.items() if name != "context"}}
