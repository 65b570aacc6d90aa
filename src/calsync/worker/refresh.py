"""Reading calendars now, because somebody waits for an answer: in parallel, within a limit, never writing to one."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta
from functools import partial

from calsync.store import calendars
from calsync.worker.context import WorkerContext
from calsync.worker.dispatch import run_now
from calsync.worker.leased_run import Request, run_leased

# Held claims wait for few calendars at a time; more threads would only queue at the same services.
THREADS = 8
AT_REST = frozenset({"stopped", "paused"})


def refresh(worker: WorkerContext, providers: Iterable[str], limit: timedelta) -> int:
    """Read the calendars of these providers and record what they show; returns how many answered within `limit`.

    What is not back by then, in use by another worker or at rest stays as the books had it. Nothing is raised for it.
    """
    with worker.database.reading() as conn:
        rows = [row for provider in sorted(set(providers)) for row in calendars.rows(conn, provider)]
    wanted = [row.id for row in rows if row.mode == "mirror" and row.state not in AT_REST]
    look = partial(run_leased, worker, request=Request(only_record=True))
    pool = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="refresh")
    futures = [pool.submit(run_now, worker, calendar, look) for calendar in wanted]
    ended, _ = wait(futures, timeout=limit.total_seconds())
    pool.shutdown(wait=False, cancel_futures=True)
    return sum(1 for future in ended if future.exception() is None and future.result() is not None)
