"""With 30,000 calendars and years behind them, what is open is found without reading what is settled.

The tables hold rows and the databases know their statistics, so that the planner chooses as it would at a site.
"""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from calsync.store import asks, filings, gate_rows, outbox, review_rows
from calsync.store.columns import to_micros
from calsync.store.database import Database
from tests.unit.store.plans import query_plan
from tests.unit.store.samples import NOW

MANY = 30_000
ONE_IN = 500
OF_OPEN = ("ix_drifts_unanswered", "ix_asks_unanswered", "ix_stops_standing", "ix_filings_in_review")

HOT: dict[str, tuple[Any, dict[str, Any]]] = {
    "the support queue": (review_rows._WAITING, {}),
    "questions that are due": (asks._DUE, {"now": NOW}),
    "stops that stand": (gate_rows._STOPS, {}),
    "mail that is due": (outbox.DUE, {"now": NOW, "room": 10}),
    "mail that is stuck": (outbox._STUCK, {"before": NOW}),
    "filed claims in question": (filings._IN_REVIEW, {}),
}


_SERIES = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {MANY})"
_AT = f"{to_micros(NOW)} - i * CAST(60000000 AS BIGINT)"
_IS_OPEN = f"i / {ONE_IN} * {ONE_IN} = i"
_SETTLED_AT = f"CASE WHEN {_IS_OPEN} THEN NULL ELSE {_AT} END"
_OF = {"calendar": "'k' || i", "provider": "'p' || (i / 3)"}
_SEEN = {"link": "'l' || i", "scope": "'occurrence'", "detected_at": _AT, **_OF}
_LAST_STATES = {"drifts": ("open", "restored"), "outbox": ("due", "sent"), "filings": ("review", "filed")}


def _state(table: str) -> str:
    is_open, settled = _LAST_STATES[table]
    return f"CASE WHEN {_IS_OPEN} THEN '{is_open}' ELSE '{settled}' END"


# By table and column, what stands in the row of number i: settled, but for one in five hundred.
ROWS: dict[str, dict[str, str]] = {
    "edits": {"id": "'e' || i", **_SEEN},
    "drifts": {
        "id": "'d' || i",
        "edit": "'e' || i",
        "original_start": _AT,
        "episode": "1",
        "kind": "'moved'",
        **_SEEN,
        "phase": "'past'",
        "history": "'[]'",
        "disposition": "'flag'",
        "changed_at": _AT,
        "resolution": _state("drifts"),
    },
    "stops": {
        "id": "'s' || i",
        "calendar": "'k' || i",
        "started_at": _AT,
        "kind": "'stampede'",
        "evidence": "'{}'",
        "touched": "'[]'",
        "released_at": _SETTLED_AT,
    },
    "asks": {
        "id": "'q' || i",
        "appointment": "'a' || i",
        "about": "'x'",
        "who": "'provider'",
        "at": _AT,
        "next_at": _AT,
        "answered_at": _SETTLED_AT,
    },
    "outbox": {
        "key": "'m' || i",
        "kind": "'news'",
        "recipient": "'provider:p' || i",
        "payload": "'{}'",
        "created_at": _AT,
        "due_at": _AT,
        "state": _state("outbox"),
    },
    "filings": {
        "id": "'f' || i",
        "appointment": "'a' || i",
        "date": "'2026-01-01'",
        "filed_at": _AT,
        "filed_by": "'x'",
        "state": _state("filings"),
    },
}


@pytest.fixture
def old_books(db: Database) -> Database:
    """Years of what is settled, and a few things that are open."""
    with db.transaction() as conn:
        for table, row in ROWS.items():
            # SQLite takes the series inside the insert's select, PostgreSQL in both places.
            made = f"{_SERIES} SELECT {', '.join(row.values())} FROM n"
            conn.exec_driver_sql(f"INSERT INTO {table} ({', '.join(row)}) {made}")
        conn.execute(text("ANALYZE"))
    return db


def test_what_is_open_is_found_without_reading_what_is_settled(old_books: Database) -> None:
    read_whole = {}
    with old_books.reading() as conn:
        for name, (statement, given) in HOT.items():
            plan = query_plan(conn, statement, given)
            if any(map(_is_whole, plan.splitlines())):
                read_whole[name] = plan
    assert not read_whole, "\n\n".join(f"{name}\n{plan}" for name, plan in read_whole.items())


def _is_whole(line: str) -> bool:
    # An index that holds nothing but what is open may be walked from end to end.
    return "Seq Scan" in line or ("SCAN" in line and not any(name in line for name in OF_OPEN))
