"""Session evidence and questions: kept per appointment."""

from __future__ import annotations

from sqlalchemy import Connection

from calsync.store import asks, evidence
from calsync.store.asks import AskRow
from calsync.store.evidence import SessionEvidence
from tests.unit.store.samples import DAY, NOW, SECOND


def test_evidence_is_taken_once(conn: Connection) -> None:
    first = SessionEvidence("x1", "a1", "telehealth", "both", NOW, NOW + SECOND, NOW + DAY)
    second = SessionEvidence("x2", "a1", "telehealth", None, NOW - DAY, NOW, NOW + DAY)
    other = SessionEvidence("x3", "a2", "telehealth", None, NOW, NOW, NOW)
    assert evidence.put_many(conn, [first, second, other]) == 3
    assert evidence.put_many(conn, [SessionEvidence("x1", "a1", "other", None, NOW, NOW, NOW)]) == 0
    assert evidence.of_appointments(conn, ["a1", "a9"]) == {"a1": [second, first]}
    assert evidence.get(conn, "x1") == first
    assert evidence.get(conn, "no") is None


def test_questions_wait_for_their_next_step(conn: Connection) -> None:
    first = AskRow("q1", "a1", "d1", "provider:p1", NOW, NOW + DAY)
    second = AskRow("q2", "a1", "d2", "provider:p1", NOW + SECOND)
    for ask in (first, second):
        asks.insert(conn, ask)
    assert asks.of_appointments(conn, ["a1"]) == {"a1": [first, second]}
    assert asks.due(conn, NOW) == []
    assert asks.due(conn, NOW + DAY) == [first]
    asks.set_next(conn, "q1", NOW + 2 * DAY)
    asks.set_next(conn, "q2", NOW)
    assert [ask.id for ask in asks.due(conn, NOW + DAY)] == ["q2"]
    assert asks.answered(conn, "a1", "d2", NOW + DAY) == 1
    assert asks.answered(conn, "a1", "d2", NOW + DAY) == 0
    assert asks.due(conn, NOW + DAY) == []
