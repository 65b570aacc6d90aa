"""The proof page to the last cell: every table of a session that was edited, answered, filed and recalled."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from calsync.claims.proof import write_proof
from calsync.domain.event import Appearance
from calsync.domain.span import Span
from calsync.errors import NotFoundError
from calsync.store import audit, evidence, recalls
from calsync.store.evidence import SessionEvidence
from tests.unit.claims.gate_world import DAY, NOW, READ, SPAN, GateWorld, in_memory
from tests.unit.claims.proof_page import STORED, page


@pytest.fixture
def world() -> GateWorld:
    return in_memory()


def test_the_page_is_the_one_that_is_kept() -> None:
    assert page().splitlines() == STORED.read_text(encoding="utf-8").splitlines(), (
        "look at the difference; `python -m tests.unit.claims.proof_page` keeps it"
    )


def test_there_is_none_of_what_nobody_knows(world: GateWorld) -> None:
    with pytest.raises(NotFoundError):
        write_proof(world.gate, "A-404")


def test_days_and_what_is_off_or_gone_are_told_in_words(world: GateWorld) -> None:
    day = Appearance(Span(datetime(2026, 11, 10), datetime(2026, 11, 11), SPAN.zone, all_day=True))
    world.drift("D-1", expected=day)
    world.drift("D-2", observed=None, episode=2, expected=replace(day, cancelled=True))
    world.drift("D-3", episode=3, expected=Appearance(SPAN, cancelled=True))
    text = write_proof(world.gate, "A-1")
    assert text.count("<td>2026-11-10, all day</td>") == 1
    assert text.count("<td>2026-11-10, all day, called off</td>") == 1
    assert text.count("<td>2026-11-10 09:00 to 2026-11-10 09:50 America/Chicago, called off</td>") == 1
    assert text.count("<td>not there</td>") == 1


def test_reasons_stand_apart_and_what_people_wrote_is_not_shown(world: GateWorld) -> None:
    detail = {"note": "Ada Example", "reason": "Ben Example", "date": "2026-11-10"}
    logged = SessionEvidence("E-1", "A-1", "<b>log</b>", "both", SPAN.start_at, SPAN.end_at, READ)
    told = recalls.RecallRow(
        "R-1", "key", "A-1", None, "F-1", "void", DAY, None, None, None, ("drift-open", "no-show"), {}, 1, NOW, None
    )
    with world.db.transaction() as conn:
        conn.exec_driver_sql("PRAGMA foreign_keys = OFF")
        audit.append(conn, at=NOW, actor="billing:b", what="claim-filed", subject="appointment:A-1", detail=detail)
        evidence.put_many(conn, [logged])
        recalls.put(conn, told)
    text = write_proof(world.gate, "A-1")
    assert "Example" not in text
    assert "drift-open, no-show" in text
    assert "<b>" not in text
    assert "&lt;b&gt;log" in text


def test_a_log_that_is_not_whole_is_said_to_be_none(world: GateWorld) -> None:
    with world.db.transaction() as conn:
        audit.append(conn, at=NOW, actor="billing:b", what="claim-filed", subject="appointment:A-1", detail={})
    assert "NOT whole" not in write_proof(world.gate, "A-1")
    with world.db.transaction() as conn:
        conn.exec_driver_sql("DROP TRIGGER IF EXISTS audit_no_update")
        conn.exec_driver_sql("UPDATE audit SET what = 'changed'")
    assert "The log is NOT whole: row 1 is" in write_proof(world.gate, "A-1")
