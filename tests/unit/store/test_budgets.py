"""Budgets: a bucket that all workers drink from, and a block that all respect."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from sqlalchemy import Connection

from calsync.store import budgets
from calsync.store.budgets import Rate
from calsync.store.database import Database
from tests.unit.store.samples import DAY, NOW, SECOND

RATE = Rate(per_second=2, capacity=3)


def take(conn: Connection, now: datetime = NOW, amount: float = 1) -> datetime | None:
    return budgets.take(conn, "google", now, RATE, amount)


def test_a_full_bucket_empties_and_fills_again(conn: Connection) -> None:
    assert [take(conn) for _ in range(4)] == [None, None, None, NOW + SECOND / 2]
    assert take(conn, NOW + SECOND / 2) is None
    assert take(conn, NOW + SECOND / 2) is not None
    assert [take(conn, NOW + DAY) for _ in range(4)][-1] is not None
    assert budgets.take(conn, "graph", NOW, RATE) is None


def test_what_is_refused_takes_nothing(conn: Connection) -> None:
    assert take(conn, amount=2) is None
    assert take(conn, amount=2) == NOW + SECOND / 2
    assert take(conn, amount=1) is None


def test_a_clock_that_went_back_fills_nothing(conn: Connection) -> None:
    assert [take(conn), take(conn, NOW - DAY), take(conn)] == [None, None, None]
    assert take(conn, NOW - DAY) is not None
    assert take(conn, NOW) is not None


def test_a_block_holds_for_all_until_its_time(conn: Connection) -> None:
    budgets.block(conn, "google", NOW + 5 * SECOND, NOW)
    budgets.block(conn, "google", NOW + 2 * SECOND, NOW)
    assert take(conn, NOW + 4 * SECOND) == NOW + 5 * SECOND
    assert budgets.blocked(conn, ["google", "graph"], NOW) == {"google": NOW + 5 * SECOND}
    assert budgets.blocked(conn, ["google"], NOW + 5 * SECOND) == {}
    assert take(conn, NOW + 5 * SECOND) is None
    budgets.block(conn, "google", NOW + DAY, NOW)
    assert take(conn, NOW + 6 * SECOND) == NOW + DAY


def test_workers_at_once_get_no_more_than_there_is(db: Database) -> None:
    def one(_: int) -> bool:
        with db.transaction() as conn:
            return take(conn) is None

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(one, range(16))) == 3
