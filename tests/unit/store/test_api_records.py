"""What platforms say over HTTP: of two who speak of one appointment at once, the second waits for the first."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from datetime import UTC, datetime, timedelta

import pytest

from calsync.store import api_records
from calsync.store.api_records import SaidRecord
from calsync.store.database import Database

AT = datetime(2026, 11, 20, tzinfo=UTC)


def test_nothing_was_said_at_first_and_then_the_last_word_counts(db: Database) -> None:
    with db.transaction() as conn:
        assert api_records.lock(conn, "1") is None
        api_records.put(conn, "1", SaidRecord(AT, {"start": "10"}))
    with db.transaction() as conn:
        assert api_records.lock(conn, "1") == SaidRecord(AT, {"start": "10"})
        api_records.put(conn, "1", SaidRecord(AT + timedelta(hours=1), {"start": "11"}))
    with db.reading() as conn:
        assert api_records.get(conn, "1") == SaidRecord(AT + timedelta(hours=1), {"start": "11"})
        assert api_records.get(conn, "2") is None


@pytest.mark.parametrize("known", [True, False])
def test_the_second_waits_for_the_first_and_sees_what_it_said(db: Database, known: bool) -> None:
    if known:
        with db.transaction() as conn:
            api_records.put(conn, "1", SaidRecord(AT, {"start": "10"}))

    def second() -> SaidRecord | None:
        with db.transaction() as conn:
            return api_records.lock(conn, "1")

    with ThreadPoolExecutor(1) as pool:
        with db.transaction() as conn:
            api_records.lock(conn, "1")
            waiting = pool.submit(second)
            with pytest.raises(TookTooLong):
                waiting.result(timeout=0.3)
            api_records.put(conn, "1", SaidRecord(AT + timedelta(hours=1), {"start": "11"}))
        assert waiting.result(timeout=30) == SaidRecord(AT + timedelta(hours=1), {"start": "11"})
