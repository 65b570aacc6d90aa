"""A backlog of 100,000 calendars is claimed from the index's end, not sorted, on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from calsync.store import glance, work
from calsync.store.database import Database
from calsync.store.schema import calendars
from tests.unit.store.plans import query_plan
from tests.unit.store.samples import NOW, SECOND

MANY = 100_000


@pytest.fixture
def crowded(db: Database) -> Database:
    """All due for a while; half of them paused; a hundred running."""
    with db.transaction() as conn:
        rows = [
            {
                "id": f"k{number:06}",
                "provider": f"p{number}",
                "connector": "caldav",
                "due_at": NOW - SECOND * (number % 1000),
                "state": "paused" if number % 2 else "active",
                "lease_until": NOW + SECOND if number < 200 else None,
            }
            for number in range(MANY)
        ]
        conn.execute(calendars.insert(), rows)
        conn.execute(text("ANALYZE"))
    return db


def test_the_claim_walks_the_index(crowded: Database) -> None:
    with crowded.reading() as conn:
        plan = query_plan(conn, work.DUE, {"the_priority": 0, "now": NOW, "room": 32})
    assert "ORDER BY" in str(work.DUE)
    assert "ix_calendars_work" in plan, plan
    assert "B-TREE" not in plan, plan
    assert "Sort" not in plan, plan
    assert "Seq Scan" not in plan, plan
    assert "SCAN" not in plan, plan


def test_claims_take_the_longest_due_until_none_is_left(crowded: Database) -> None:
    with crowded.transaction() as conn:
        first = work.claim(conn, "me", 32, NOW, 30 * SECOND)
        assert {lease.calendar for lease in first} <= {f"k{number:06}" for number in range(998, MANY, 1000)}
        assert work.stats(conn, NOW).due == MANY // 2 - 100 - 32


def test_single_statements_walk_the_index_too(crowded: Database) -> None:
    with crowded.reading() as conn:
        plan = query_plan(conn, glance.DUE, {"room": 32, "now": NOW})
    assert plan.count("ix_calendars_work") == len(work.Priority), plan
    assert "B-TREE" not in plan, plan
    assert "Sort" not in plan, plan
    assert "Seq Scan" not in plan, plan
    assert "SCAN calendars" not in plan, plan
