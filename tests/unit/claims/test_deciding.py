"""Billing's ruling: what its row and its note say, and that it is looked at anew (claims sheet, 6)."""

from __future__ import annotations

from datetime import datetime

import pytest

from calsync.claims.deciding import decide
from calsync.errors import NotFoundError, Refused
from calsync.store import audit, claim_decisions
from calsync.store.claim_decisions import DecisionRow
from tests.unit.claims.gate_world import NOW, SPAN, GateWorld, in_memory


@pytest.fixture
def world() -> GateWorld:
    return in_memory()


@pytest.mark.parametrize(
    ("says", "about"),
    [
        ("start", "crosses-midnight"),
        ("end", "crosses-midnight"),
        ("record", "date-depends-on-zone"),
        ("provider", "date-depends-on-zone"),
        ("client", "date-depends-on-zone"),
        ("A-2", "same-day-same-code"),
    ],
)
def test_a_ruling_is_kept_with_the_times_that_it_is_about(world: GateWorld, says: str, about: str) -> None:
    world.book("A-2", span=SPAN.starting(datetime(2026, 11, 10, 15)))
    world.drain()
    made = decide(world.gate, "A-1", says, by="billing:b", note="asked the payer")
    row = DecisionRow(
        id=made.id,
        appointment="A-1",
        about=about,
        says=says,
        by="billing:b",
        at=NOW,
        note="asked the payer",
        start=SPAN.start,
        end=SPAN.end,
        zone=SPAN.zone,
    )
    with world.db.reading() as conn:
        assert claim_decisions.of_appointments(conn, ["A-1"]) == {"A-1": [row]}
        (note,) = [one for one in audit.rows(conn) if one.what == "claim-decided"]
    detail = {"decision": row.id, "about": about, "says": says, "note": "asked the payer"}
    assert (note.at, note.actor, note.subject, note.detail) == (NOW, "billing:b", "appointment:A-1", detail)
    assert made == row
    assert made.id.startswith("decision")
    assert world.drain() == 1, "it is assessed again"


def test_a_ruling_without_its_reason_says_what_to_add(world: GateWorld) -> None:
    with pytest.raises(Refused) as refused:
        decide(world.gate, "A-1", "end", by="billing:b", note=" \n")
    (problem,) = refused.value.problems
    assert (problem.where, problem.remedy) == ("appointment A-1", "Add --note")


def test_an_appointment_that_nobody_knows_is_no_distinct_session(world: GateWorld) -> None:
    with pytest.raises(NotFoundError):
        decide(world.gate, "A-1", "A-404", by="billing:b", note="asked the payer")
    with world.db.reading() as conn:
        assert claim_decisions.of_appointments(conn, ["A-1"]) == {}
