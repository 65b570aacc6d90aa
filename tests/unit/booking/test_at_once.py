"""Two commands about one session at the same moment: the second is judged by what the first one left."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from calsync.booking.commands import Move, cancel, reschedule
from calsync.domain.appointment import AppointmentStatus
from calsync.errors import Refused
from calsync.store.database import Database
from tests.unit.booking.conftest import Book, span
from tests.waiting import until


def somebody_waits(database: Database, backend: str) -> bool:
    """Whether a transaction waits for another one; on SQLite it waits before it has read anything."""
    if backend == "sqlite":
        return True
    with database.reading() as conn:
        query = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        return bool(conn.execute(query).scalar_one())


def test_a_session_that_is_being_cancelled_is_not_moved(the_book: Book, backend: str) -> None:
    the_book.single("A-1", "11-24T10:00")
    wish = Move(span=span("11-24T15:00"))
    with ThreadPoolExecutor(1) as pool:
        with the_book.database.transaction() as conn:
            cancel(conn, the_book.command(), "A-1")
            moving = pool.submit(the_book.do, lambda conn, command: reschedule(conn, command, "A-1", wish))
            until(lambda: somebody_waits(the_book.database, backend))
        with pytest.raises(Refused) as refusal:
            moving.result(timeout=30)
    assert refusal.value.code == ("changed-meanwhile" if backend == "postgresql" else "already-cancelled")
    left = the_book.get("A-1")
    assert left.status is AppointmentStatus.CANCELLED
    assert left.span == span("11-24T10:00")
