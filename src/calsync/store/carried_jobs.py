"""The one place that knows the tables of the engine that carries due passes between machines (Procrastinate).

A job is a calendar's key and an urgency, nothing else; the calendar's own row says what is true. Losing every job costs
half a second, doubling one costs a look.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, text

from calsync.store.dialect import lock_for_upgrade

QUEUE = "calsync"


def is_prepared(conn: Connection) -> bool:
    """Whether the engine's tables are there. Locks out others who would make them, until the transaction ends."""
    lock_for_upgrade(conn)
    return bool(conn.execute(_THERE).scalar_one())


def wait_for_turn(conn: Connection) -> None:
    """Let no other process offer anything until the transaction ends."""
    conn.execute(_TURN)


def offered(conn: Connection, calendars: Sequence[str]) -> dict[str, int]:
    """Those of the calendars for which there is a job, with its urgency.

    One that was handed out already counts: either it is about to take its calendar, or it is lost and found to be so.
    """
    return {row[0]: row[1] for row in conn.execute(_OFFERED, {"keys": list(calendars)})}


def forget_lost(conn: Connection, after: timedelta) -> int:
    """Delete the jobs that have been handed out for so long while nobody has their calendar; how many those were."""
    return conn.execute(_FORGET_LOST, {"seconds": after.total_seconds()}).rowcount


def raise_urgency(conn: Connection, calendar: str, urgency: int) -> None:
    """Let the job that waits for this calendar be as urgent as it has become."""
    conn.execute(_RAISE, {"key": calendar, "urgency": urgency})


def counts(conn: Connection) -> dict[str, int]:
    """How many jobs there are, by status."""
    return {str(row[0]): row[1] for row in conn.execute(_COUNTS)}


_KEYS: Any = bindparam("keys")
_OURS = f"queue_name = '{QUEUE}'"
_THERE = text("SELECT to_regclass('procrastinate_jobs') IS NOT NULL")
_TURN = text("SELECT pg_advisory_xact_lock(hashtext('calsync:offer'))")
_OFFERED = text(
    f"SELECT lock, max(priority) FROM procrastinate_jobs WHERE {_OURS} AND status IN ('todo', 'doing') "  # noqa: S608 - ours
    "AND lock = ANY(:keys) GROUP BY lock"
)
_FORGET_LOST = text(
    f"DELETE FROM procrastinate_jobs AS job WHERE {_OURS} AND status = 'doing' "  # noqa: S608 - ours
    "AND EXISTS (SELECT FROM procrastinate_events AS event WHERE event.job_id = job.id AND event.type = 'started' "
    "AND event.at < now() - make_interval(secs => :seconds)) "
    "AND NOT EXISTS (SELECT FROM calendars WHERE calendars.id = job.lock AND lease_until IS NOT NULL "
    "AND lease_until > CAST(extract(epoch FROM now()) * 1000000 AS bigint))"
)
_RAISE = text(
    f"UPDATE procrastinate_jobs SET priority = :urgency WHERE {_OURS} AND status = 'todo' "  # noqa: S608 - ours
    "AND queueing_lock = :key AND priority < :urgency"
)
_COUNTS = text(f"SELECT status, count(*) FROM procrastinate_jobs WHERE {_OURS} GROUP BY status")  # noqa: S608 - ours
