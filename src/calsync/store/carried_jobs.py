"""The one place that knows the tables of the engine that carries due passes between machines (Procrastinate).

A job is a calendar's key and an urgency, nothing else; the calendar's own row says what is true. Losing every job costs
half a second, doubling one costs a look.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, text

from calsync.store.dialect import lock_for_upgrade

QUEUE = "calsync"


def is_prepared(conn: Connection) -> bool:
    """Whether the engine's tables are there. Locks out others who would make them, until the transaction ends."""
    lock_for_upgrade(conn)
    return bool(conn.execute(_THERE).scalar_one())


def waiting(conn: Connection, calendars: Sequence[str]) -> dict[str, int]:
    """Those of the calendars for which a job waits, with its urgency."""
    return {row[0]: row[1] for row in conn.execute(_WAITING, {"keys": list(calendars)})}


def raise_urgency(conn: Connection, calendar: str, urgency: int) -> None:
    """Let the job that waits for this calendar be as urgent as it has become."""
    conn.execute(_RAISE, {"key": calendar, "urgency": urgency})


def counts(conn: Connection) -> dict[str, int]:
    """How many jobs there are, by status."""
    return {str(row[0]): row[1] for row in conn.execute(_COUNTS)}


_KEYS: Any = bindparam("keys")
_OURS = f"queue_name = '{QUEUE}'"
_THERE = text("SELECT to_regclass('procrastinate_jobs') IS NOT NULL")
_WAITING = text(
    f"SELECT queueing_lock, priority FROM procrastinate_jobs WHERE {_OURS} AND status = 'todo' "  # noqa: S608 - ours
    "AND queueing_lock = ANY(:keys)"
)
_RAISE = text(
    f"UPDATE procrastinate_jobs SET priority = :urgency WHERE {_OURS} AND status = 'todo' "  # noqa: S608 - ours
    "AND queueing_lock = :key AND priority < :urgency"
)
_COUNTS = text(f"SELECT status, count(*) FROM procrastinate_jobs WHERE {_OURS} GROUP BY status")  # noqa: S608 - ours
