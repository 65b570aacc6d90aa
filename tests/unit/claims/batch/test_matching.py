"""Which appointment a line is about: by what it names, in the practice's order, and never by a guess."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pytest

from calsync.claims.batch.matching import OTHER_LETTERS, match_lines
from calsync.settings.claims import Join
from calsync.store import claims_map, filings, providers
from calsync.store.claim_spool import ClaimSpool, SpooledLine
from calsync.store.claims_map import MapRow
from calsync.store.filings import Filing
from calsync.store.providers import ProviderRow
from tests.unit.claims.gate_world import NOW, GateWorld, in_memory

JOIN: tuple[Join, ...] = ("appointment-reference", "claims-map", "claim-id")
NO_MATCH, MANY = "no-matching-appointment", "ambiguous-match"


@pytest.fixture
def world() -> GateWorld:
    """Appointments A-1 and a-1 of P-1 with C-1, and A-2 of P-2 with C-2."""
    world = in_memory()
    with world.db.transaction() as conn:
        providers.put(conn, ProviderRow("P-2", "Ben Example", "ben@example.org", "America/Chicago"))
    world.book("a-1")
    world.book("A-2", provider="P-2", client="C-2")
    return world


def line(
    stated: str | None = None,
    *,
    claim: int = 1,
    claim_id: str | None = None,
    number: str | None = None,
    provider: str | None = None,
    client: str | None = None,
    problems: str = "",
    frequency: str = "1",
) -> tuple[object, ...]:
    place = f"row {claim}"
    return (
        claim,
        place,
        claim_id,
        number,
        stated,
        provider,
        client,
        "2026-11-10",
        None,
        None,
        frequency,
        None,
        problems,
    )


def matched(world: GateWorld, *lines: tuple[object, ...], join: Sequence[Join] = JOIN) -> list[SpooledLine]:
    spool = ClaimSpool()
    for one in lines:
        spool.add(one)
    spool.close_file(claims_by_id=False)
    with world.db.reading() as conn:
        match_lines(conn, spool, join)
    found = [line for claim in spool.claims() for line in claim]
    spool.close()
    return found


def found(world: GateWorld, *lines: tuple[object, ...], join: Sequence[Join] = JOIN) -> list[tuple[str | None, str]]:
    return [(one.appointment, one.problems) for one in matched(world, *lines, join=join)]


def mapped(world: GateWorld, *rows: tuple[str, str | None, str]) -> None:
    with world.db.transaction() as conn:
        claims_map.put_many(conn, [MapRow(*one) for one in rows], NOW)


def test_by_the_appointment_that_it_names_and_by_nothing_like_it_where_two_are(world: GateWorld) -> None:
    lines = matched(world, line("A-1"), line("a-1", claim=2), line("a-2", claim=3), line("A-9", claim=4))
    assert [(one.appointment, one.note, one.problems) for one in lines] == [
        ("A-1", None, ""),
        ("a-1", None, ""),
        ("A-2", OTHER_LETTERS, ""),
        (None, None, NO_MATCH),
    ]
    world.book("B-X")
    world.book("b-x")
    assert found(world, line("B-x")) == [(None, MANY)]


class TestTheMap:
    def test_a_line_of_its_own_goes_before_the_whole_claim(self, world: GateWorld) -> None:
        mapped(world, ("C-7", None, "A-1"), ("C-7", "2", "A-2"))
        lines = [line(claim_id="C-7", number=one) for one in ("1", "2", None)]
        assert found(world, *lines) == [("A-1", ""), ("A-2", ""), ("A-1", "")]

    def test_another_claim_or_another_line_says_nothing(self, world: GateWorld) -> None:
        mapped(world, ("C-7", "2", "A-2"))
        assert found(world, line(claim_id="C-7", number="1")) == [(None, NO_MATCH)]
        assert found(world, line(claim_id="C-8", number="2")) == [(None, NO_MATCH)]
        assert found(world, line(number="2")) == [(None, NO_MATCH)]

    def test_two_appointments_of_one_line_are_a_doubt(self, world: GateWorld) -> None:
        mapped(world, ("C-7", "1", "A-1"), ("C-7", "1", "A-2"))
        assert found(world, line(claim_id="C-7", number="1")) == [(None, MANY)]

    def test_what_was_filed_under_that_claim_is_known_as_well(self, world: GateWorld) -> None:
        told = Filing("F-1", "A-2", date(2026, 11, 10), None, "1", "C-7", "1", "batch-1", None, NOW, "billing:b")
        with world.db.transaction() as conn:
            filings.insert(conn, told)
        assert found(world, line(claim_id="C-7", number="1")) == [("A-2", "")]

    @pytest.mark.parametrize(
        ("join", "appointment"),
        [
            (("claims-map", "appointment-reference"), "A-2"),
            (("appointment-reference", "claims-map"), "A-1"),
            (("appointment-reference",), "A-1"),
            (("claims-map",), "A-2"),
            (("claim-id",), None),
        ],
    )
    def test_the_practices_order_decides(
        self, world: GateWorld, join: tuple[Join, ...], appointment: str | None
    ) -> None:
        mapped(world, ("C-7", None, "A-2"))
        ((name, _),) = found(world, line("A-1", claim_id="C-7"), join=join)
        assert name == appointment


def test_a_claims_own_id_is_its_appointments_where_it_has_one_line_only(world: GateWorld) -> None:
    assert found(world, line(claim_id="A-1")) == [("A-1", "")]
    assert found(world, line(claim_id="A-1"), line(claim_id="A-1")) == [(None, NO_MATCH)] * 2


@pytest.mark.parametrize(
    ("problems", "told"),
    [
        ("date-unreadable", f"date-unreadable {NO_MATCH}"),
        ("row-unreadable", "row-unreadable"),
        ("claim-unreadable date-missing", "claim-unreadable date-missing"),
    ],
)
def test_that_nothing_fits_is_said_beside_what_else_is_wrong_unless_it_cannot_be_read(
    world: GateWorld, problems: str, told: str
) -> None:
    assert found(world, line("A-9", problems=problems)) == [(None, told)]


def test_a_line_that_names_several_is_about_none(world: GateWorld) -> None:
    assert found(world, line("A-1", claim_id="A-1", problems=MANY)) == [(None, MANY)]


@pytest.mark.parametrize(
    ("provider", "client", "told"),
    [
        ("P-1", "C-1", ""),
        ("P-2", None, "provider-mismatch"),
        (None, "C-2", "client-mismatch"),
        ("P-2", "C-2", "provider-mismatch client-mismatch"),
        ("1234567893", "MEM-1", ""),
        (None, None, ""),
    ],
)
def test_who_is_named_must_be_the_appointments_where_we_know_them(
    world: GateWorld, provider: str | None, client: str | None, told: str
) -> None:
    assert found(world, line("A-1", provider=provider, client=client)) == [("A-1", told)]


def test_who_is_named_is_looked_at_on_each_line_however_it_was_matched(world: GateWorld) -> None:
    mapped(world, ("C-7", None, "A-2"))
    lines = [
        line("A-9", claim=1, provider="P-1"),
        line(claim=2, claim_id="C-7", provider="P-1"),
        line("A-1", claim=3, client="C-2"),
        line("a-1", claim=4, provider="P-1"),
    ]
    assert found(world, *lines) == [
        (None, NO_MATCH),
        ("A-2", "provider-mismatch"),
        ("A-1", "client-mismatch"),
        ("a-1", ""),
    ]


@pytest.mark.parametrize("ways", [("1", "1"), ("7", "8"), ("8", "1"), ("7", "1")])
def test_what_stands_in_a_file_twice_is_marked_in_whatever_way(world: GateWorld, ways: tuple[str, str]) -> None:
    both = [line("A-1", claim=number, frequency=way) for number, way in enumerate(ways, 1)]
    lines = matched(world, *both, line("A-2", claim=3), line("A-9", claim=4), line("A-9", claim=5))
    assert [one.is_doubled for one in lines] == [1, 1, 0, 0, 0]
