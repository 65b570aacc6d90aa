"""What other programs are told of claims: once, and again only when it is news."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from calsync.claims.telling import tell_recall, tell_verdicts
from calsync.domain.appointment import AppointmentStatus
from calsync.domain.drift import Phase
from calsync.settings.webhooks import Webhook
from calsync.store.database import Database, open_database
from calsync.store.recalls import RecallRow
from calsync.store.schema_billing import webhook_events
from calsync.store.upgrade import create_for_tests
from tests.unit.claims.gate_world import DAY, NOW, READ, SPAN, GateWorld, in_memory

Told = list[tuple[str, str, dict[str, object]]]


@pytest.fixture
def world() -> GateWorld:
    return in_memory()


def told(world: GateWorld) -> Told:
    with world.db.reading() as conn:
        rows = conn.execute(select(webhook_events).order_by(webhook_events.c.seq)).all()
    return [(row.type, row.subject, row.payload) for row in rows if row.type.startswith("claim.")]


def kinds(world: GateWorld) -> list[str]:
    return [kind for kind, _, _ in told(world)]


def tell(world: GateWorld, *numbers: str) -> None:
    found = [(one.file, one.answer) for one in world.gate.look(numbers or ("A-1",))]
    with world.db.transaction() as conn:
        tell_verdicts(conn, found, world.clock.now(), world.ids)


def unread(world: GateWorld) -> None:
    with world.db.transaction() as conn:
        conn.exec_driver_sql("DELETE FROM observations")


def test_a_cleared_claim_is_told_once(world: GateWorld) -> None:
    tell(world)
    tell(world)
    payload: dict[str, object] = {
        "appointment": "A-1",
        "verdict": "cleared",
        "state": "cleared",
        "date_of_service": "2026-11-10",
        "reasons": [],
        "waiting_on": None,
        "file_by": None,
    }
    assert told(world) == [("claim.cleared", "appointment:A-1", payload)]


def test_each_change_is_told_though_it_was_told_before(world: GateWorld) -> None:
    tell(world)
    world.book(status=AppointmentStatus.NO_SHOW)
    tell(world)
    world.book(status=AppointmentStatus.COMPLETED)
    tell(world)
    assert kinds(world) == ["claim.cleared", "claim.not-billable", "claim.cleared"]


def test_what_merely_waits_for_a_reading_is_no_news_but_a_change_to_it_is(world: GateWorld) -> None:
    unread(world)
    tell(world)
    assert kinds(world) == []
    world.read()
    tell(world)
    unread(world)
    tell(world)
    assert kinds(world) == ["claim.cleared", "claim.held"]
    assert (told(world)[1][2]["reasons"], told(world)[1][2]["date_of_service"]) == (["never-observed"], None)


def test_another_reason_that_somebody_must_act_on_is_news(world: GateWorld) -> None:
    world.configure(timely_filing_days={"default": 30})
    world.drift()
    tell(world)
    tell(world)
    (held,) = told(world)
    assert (held[0], held[2]["waiting_on"], held[2]["file_by"]) == ("claim.held", "provider", "2026-12-10")
    unread(world)
    tell(world)
    assert len(told(world)) == 1, "a reading that is due too is none of anybody's tasks"
    world.book(code="90837")
    tell(world)
    assert len(told(world)) == 2
    assert set(told(world)[1][2]["reasons"]) >= {"drift-open", "minutes-below-code"}  # type: ignore[call-overload]


def test_reasons_are_news_in_no_order_of_theirs(world: GateWorld) -> None:
    world.drift()
    world.book(code="90837")
    tell(world)
    (found,) = world.gate.look(["A-1"])
    turned = replace(found.answer, reasons=found.answer.reasons[::-1])
    with world.db.transaction() as conn:
        tell_verdicts(conn, [(found.file, turned)], NOW, world.ids)
    assert len(told(world)) == 1


def test_the_other_claims_are_told_beside_one_that_is_no_news(world: GateWorld) -> None:
    tell(world)
    world.book("A-2", status=AppointmentStatus.CANCELLED)
    tell(world, "A-1", "A-2")
    assert [(kind, subject) for kind, subject, _ in told(world)] == [
        ("claim.cleared", "appointment:A-1"),
        ("claim.not-billable", "appointment:A-2"),
    ]


def test_a_cleared_claim_whose_session_is_put_off_is_told_to_be_held(world: GateWorld) -> None:
    tell(world)
    world.book(span=SPAN.starting(datetime(2026, 11, 20, 9)))
    tell(world)
    assert kinds(world) == ["claim.cleared", "claim.held"]
    assert "session-not-over" in str(told(world)[1][2]["reasons"])


def test_nothing_is_told_before_the_end_of_no_session_and_by_who_only_looks(world: GateWorld) -> None:
    tell(world, "A-404")
    world.observe()
    tell(world)
    assert told(world) == []
    world = GateWorld(_fresh())
    world.clock.instant = READ - timedelta(hours=1)
    tell(world)
    assert told(world) == []
    world.drift(phase=Phase.UPCOMING, detected_at=world.clock.instant)
    tell(world)
    assert told(world) == [], "who must answer the edit is asked; billing has nothing to do with it yet"


def _fresh() -> Database:
    database = open_database("sqlite://")
    create_for_tests(database)
    return database


RECALL = RecallRow(
    "R-1", "key", "A-1", None, "F-1", "replace", DAY, DAY + timedelta(days=1), None, None, ("drift-open",), {}, 2,
    NOW, None,
)  # fmt: skip


@pytest.mark.parametrize(("state", "kind"), [("open", "claim.recalled"), ("withdrawn", "claim.recall-withdrawn")])
def test_each_version_of_a_recall_is_told_once(world: GateWorld, state: str, kind: str) -> None:
    row = replace(RECALL, state=state)
    with world.db.transaction() as conn:
        tell_recall(conn, row, NOW)
        tell_recall(conn, row, NOW)
        tell_recall(conn, replace(row, version=3, old_date=None, new_date=None), NOW)
    first, second = told(world)
    assert first == (
        kind,
        "appointment:A-1",
        {
            "recall": "R-1",
            "version": 2,
            "appointment": "A-1",
            "action": "replace",
            "old_date": "2026-11-10",
            "new_date": "2026-11-11",
            "reasons": ["drift-open"],
        },
    )
    assert (second[2]["version"], second[2]["old_date"], second[2]["new_date"]) == (3, None, None)


@pytest.mark.parametrize("wanted", [True, False])
def test_the_timer_tells_where_anybody_listens(world: GateWorld, wanted: bool) -> None:
    if wanted:
        hook = Webhook(id="own", url="https://example.org/hook", secret_file=Path("secret"))
        world.settings = world.settings.model_copy(update={"webhooks": (hook,)})
    world.touch("A-1")
    world.drain()
    assert kinds(world) == (["claim.cleared"] if wanted else [])
