"""Appointments to be assessed: once each, none lost, shared out between workers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Connection

from calsync.store import claims, record_changes
from calsync.store.database import Database
from tests.unit.store.samples import BY, appointment


def test_touched_once_however_often_it_was_asked(db: Database) -> None:
    with db.transaction() as conn:
        claims.touch(conn, ["a2", "a1"])
        claims.touch(conn, ["a1"])
    with db.transaction() as conn:
        assert claims.touched(conn, 10) == [("a1", 1), ("a2", 1)]
        assert claims.touched(conn, 1) == [("a1", 1)]


def test_touched_in_the_same_transaction_counts(conn: Connection) -> None:
    claims.touch(conn, ["a1"])
    assert claims.touched(conn, 10) == [("a1", 1)]


def test_taken_away_only_as_it_was_seen(db: Database) -> None:
    for _ in range(2):
        with db.transaction() as conn:
            claims.touch(conn, ["a1"])
    with db.transaction() as conn:
        assert not claims.take_away(conn, "a1", 1)
        assert claims.take_away(conn, "a1", 2)
        assert claims.touched(conn, 10) == []


def test_a_rolled_back_transaction_touches_nothing(db: Database) -> None:
    def stumble() -> None:
        with db.transaction() as conn:
            claims.touch(conn, ["a1"])
            raise KeyError

    with pytest.raises(KeyError):
        stumble()
    with db.transaction() as conn:
        assert claims.touched(conn, 10) == []


def test_all_of_a_provider(conn: Connection) -> None:
    record_changes.put_appointments(
        conn, [appointment("a1"), appointment("a2"), appointment("a3", provider="p2")], **BY
    )
    for number, revision in claims.touched(conn, 10):
        claims.take_away(conn, number, revision)
    claims.touch_provider(conn, "p1")
    assert [number for number, _ in claims.touched(conn, 10)] == ["a1", "a2"]


def test_two_workers_assess_different_appointments(db: Database) -> None:
    if db.is_sqlite:
        return  # there is one writer at a time
    with db.transaction() as conn:
        claims.touch(conn, ["a1", "a2"])
    with db.transaction() as first, db.transaction() as second:
        assert claims.touched(first, 1) == [("a1", 1)]
        assert claims.touched(second, 2) == [("a2", 1)]


def test_transactions_that_touch_in_opposite_orders_do_not_wait_for_each_other(db: Database) -> None:
    numbers = [f"a{number}" for number in range(20)]

    def touch(turn: int) -> None:
        with db.transaction() as conn:
            for number in numbers if turn % 2 else reversed(numbers):
                claims.touch(conn, [number])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(touch, range(64)))
    with db.transaction() as conn:
        assert claims.touched(conn, 100) == [(number, 64) for number in sorted(numbers)]
