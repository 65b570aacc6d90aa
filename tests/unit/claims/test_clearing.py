"""The recorded yes: when one is issued, what its row and its note say, and what ends it (claims sheet, 12)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from calsync.claims.casebook import open_cases
from calsync.claims.clearing import keep_clearances
from calsync.claims.filing import FiledLine, file_claims
from calsync.claims.gate import judge
from calsync.domain.appointment import AppointmentStatus
from calsync.store import audit, clearances
from calsync.store.clearances import Clearance
from tests.unit.claims.gate_world import DAY, NEXT_DAY, NOW, READ, SPAN, GateWorld, in_memory

HOUR = timedelta(hours=1)


@pytest.fixture
def world() -> GateWorld:
    return in_memory()


def kept(world: GateWorld) -> list[Clearance]:
    with world.db.reading() as conn:
        return clearances.of_appointments(conn, ["A-1"]).get("A-1", [])


def in_force(world: GateWorld) -> list[date]:
    return [one.date for one in kept(world) if one.ended_at is None]


def notes(world: GateWorld) -> list[tuple[str, str, dict[str, Any]]]:
    with world.db.reading() as conn:
        return [(one.actor, one.subject, one.detail) for one in audit.rows(conn) if one.what == "claim-cleared"]


def file(world: GateWorld) -> None:
    file_claims(world.gate, [FiledLine(appointment="A-1")], by="support:ada")


def doubted(world: GateWorld) -> None:
    file(world)
    world.drift()
    world.read(NEXT_DAY, at=READ + HOUR, drift="D-1")


def moved_after_filing(world: GateWorld) -> None:
    file(world)
    world.clock.set(NEXT_DAY.end_at + 2 * HOUR)
    world.book(span=NEXT_DAY)
    world.read(NEXT_DAY, at=NEXT_DAY.end_at + HOUR)


def never_took_place(world: GateWorld) -> None:
    world.book(status=AppointmentStatus.NO_SHOW)


@pytest.mark.parametrize(
    ("becomes", "verdict", "state", "issued"),
    [
        (lambda _: None, "cleared", "cleared", [DAY]),
        (file, "cleared", "filed", []),
        (doubted, "held", "recalled", []),
        (moved_after_filing, "cleared", "recalled", [date(2026, 11, 11)]),
        (never_took_place, "not-billable", "not-billable", []),
        (GateWorld.drift, "held", "held", []),
        (GateWorld.observe, "cleared", "cleared", []),
    ],
)
def test_a_clearance_is_issued_for_a_yes_that_says_something_new(
    world: GateWorld, becomes: Callable[[GateWorld], object], verdict: str, state: str, issued: list[date]
) -> None:
    becomes(world)
    answer = world.check()
    assert (answer.verdict, answer.state, in_force(world)) == (verdict, state, issued)


def test_its_row_keeps_the_answer_and_its_note_names_it(world: GateWorld) -> None:
    answer = world.check()
    (row,) = kept(world)
    assert row.id.startswith("clearance")
    assert (row.date, row.code, row.minutes, row.at, row.issued_at) == (DAY, "90834", 50, NOW, NOW)
    assert (row.answer["verdict"], row.answer["state"], row.answer["recall"]) == ("cleared", "cleared", None)
    assert row.answer["evidence"] == answer.to_json()["evidence"]
    told = {"clearance": row.id, "date": "2026-11-10", "code": "90834", "fingerprint": row.fingerprint}
    assert notes(world) == [("system", "appointment:A-1", told)]


def test_a_yes_after_a_recall_is_kept_as_any_other(world: GateWorld) -> None:
    moved_after_filing(world)
    assert world.check().recall is not None
    (row,) = [one for one in kept(world) if one.ended_at is None]
    assert (row.answer["state"], row.answer["recall"]) == ("cleared", None)
    assert {"filed", "issued"}.isdisjoint(one["kind"] for one in row.answer["evidence"])


@pytest.mark.parametrize(("planned", "cleared_as", "kept_as"), [("90834", "90837", "90834"), (None, "90837", "90837")])
def test_only_a_change_of_the_plan_is_news_later(
    world: GateWorld, planned: str | None, cleared_as: str, kept_as: str
) -> None:
    world.book(code=planned)
    with world.db.transaction() as conn:
        (one,) = open_cases(conn, ["A-1"], world.gate.rules(), NOW)
        keep_clearances(conn, [(one, replace(judge(one, NOW), code=cleared_as))], NOW, world.ids)
    assert [one.code for one in kept(world)] == [kept_as]


def test_another_yes_ends_the_one_before(world: GateWorld) -> None:
    world.check()
    later = SPAN.starting(datetime(2026, 11, 10, 13))
    world.book(span=later)
    world.read(later, at=later.end_at + HOUR)
    world.clock.advance(HOUR)
    world.check()
    first, second = kept(world)
    assert (first.ended_at, second.ended_at) == (NOW + HOUR, None)
    assert len(notes(world)) == 2


def test_two_who_ask_the_same_at_once_get_one_clearance(world: GateWorld) -> None:
    with world.db.reading() as conn:
        (case,) = open_cases(conn, ["A-1"], world.gate.rules(), NOW)
    answer = judge(case, NOW)
    told = []
    for _ in range(2):
        with world.db.transaction() as conn:
            told.append(keep_clearances(conn, [(case, answer)], NOW, world.ids))
    assert told == [["A-1"], []]
    assert (len(kept(world)), in_force(world), len(notes(world))) == (1, [DAY], 1)
