"""Recalls over time: facts that come back, clearances that were stopped before, and what counts as a fact at all."""

from __future__ import annotations

import json
from datetime import date, datetime
from hashlib import sha256
from typing import Any

import pytest

from calsync.claims.casebook import open_cases
from calsync.claims.filing import CloseReason, FiledLine, close_recall, file_claims
from calsync.claims.gate import judge
from calsync.claims.recalls import keep_standing
from calsync.domain.appointment import AppointmentStatus
from calsync.store import evidence, outbox, providers, statements
from calsync.store.evidence import SessionEvidence
from calsync.store.providers import ProviderRow
from calsync.store.statements import StatementRow
from tests.unit.claims.gate_world import DAY, NEXT_DAY, NOW, READ, SPAN, GateWorld, in_memory
from tests.unit.claims.test_recalls import HOUR, answer_drift, dragged, filed


@pytest.fixture
def world() -> GateWorld:
    """Which database it is kept in makes no difference here."""
    return in_memory()


def corrected(world: GateWorld, *, to: Any = NEXT_DAY, at: str = "2026-11-13T12:00:00+00:00", **more: Any) -> None:
    """The record says another time, and the calendar shows it there."""
    world.clock.set(datetime.fromisoformat(at))
    world.book(span=to, **more)
    world.read(to, at=world.clock.now() - HOUR)
    world.touch("A-1")


class TestWhatComesBack:
    """Facts that were there before are told as the same effect; a person's word about them stands (I7)."""

    def test_the_same_facts_again_are_the_same_recall_told_anew(self, world: GateWorld) -> None:
        file_claims(world.gate, [FiledLine(appointment="A-1")], by="support:ada")
        for status, told in (
            (AppointmentStatus.NO_SHOW, ("open", 1)),
            (AppointmentStatus.COMPLETED, ("withdrawn", 2)),
            (AppointmentStatus.NO_SHOW, ("open", 3)),
        ):
            world.book(status=status)
            world.drain()
            (recall,) = world.recalls()
            assert (recall.state, recall.version, recall.action) == (*told, "void")
            assert (recall.closed_at is None) is (recall.state == "open")
        with world.db.reading() as conn:
            kinds = [one.kind for one in outbox.of_recipient(conn, "billing", NOW)]
        assert kinds == ["claim-recall", "recall-withdrawn", "claim-recall"]

    def closed(self, world: GateWorld) -> str:
        """A claim was filed and doubted, and a person closed the recall."""
        file_claims(world.gate, [FiledLine(appointment="A-1")], by="support:ada")
        dragged(world)
        world.drain()
        (recall,) = world.recalls()
        close_recall(world.gate, recall.id, CloseReason.ALREADY_RIGHT, by="support:ada", note="seen the notes")
        return recall.id

    def another(self, world: GateWorld) -> None:
        world.clock.advance(HOUR)
        world.drift("D-2", observed=SPAN.starting(datetime(2026, 11, 12, 9)), episode=2)
        world.drain()

    def test_what_a_person_closed_is_filed_again_once_the_further_facts_have_gone(self, world: GateWorld) -> None:
        self.closed(world)
        self.another(world)
        assert filed(world).state == "recalled"
        answer_drift(world, "D-2")
        world.drain()
        assert filed(world).state == "filed"
        assert [one.state for one in world.recalls()] == ["closed", "withdrawn"]

    def test_what_a_person_closed_stays_closed_when_nothing_is_left_of_it(self, world: GateWorld) -> None:
        self.closed(world)
        answer_drift(world)
        world.drain()
        assert (filed(world).state, [one.state for one in world.recalls()]) == ("filed", ["closed"])

    def test_a_closed_recall_is_no_more_taken_up_for_what_it_said_earlier(self, world: GateWorld) -> None:
        file_claims(world.gate, [FiledLine(appointment="A-1")], by="support:ada")
        dragged(world)
        world.drain()
        self.another(world)
        (recall,) = world.recalls()
        assert recall.version == 2
        close_recall(world.gate, recall.id, CloseReason.ALREADY_RIGHT, by="support:ada", note="seen the notes")
        answer_drift(world, "D-2")
        world.drain()
        first, second = world.recalls()
        assert (first.state, first.version, second.state, second.former) == ("closed", recall.version, "open", first.id)


class TestAnOlderClearance:
    """What billing was told to stop stays stopped until the session is cleared as that clearance said."""

    def stopped(self, world: GateWorld) -> None:
        """Cleared for one day, stopped, and cleared for the next."""
        world.check()
        corrected(world)
        world.drain()
        assert [(one.action, one.old_date) for one in world.recalls()] == [("stop", DAY)]
        assert world.check().date_of_service == date(2026, 11, 11)

    def states(self, world: GateWorld) -> list[str]:
        world.touch("A-1")
        world.drain()
        return [one.state for one in world.recalls()]

    def test_of_another_day_is_not_taken_back_by_a_new_one(self, world: GateWorld) -> None:
        self.stopped(world)
        assert self.states(world) == ["open"]

    def test_is_taken_back_when_the_session_is_cleared_for_its_day_again(self, world: GateWorld) -> None:
        self.stopped(world)
        corrected(world, to=SPAN, at="2026-11-14T12:00:00+00:00")
        assert self.states(world)[0] == "withdrawn"

    def test_is_not_taken_back_for_another_code(self, world: GateWorld) -> None:
        self.stopped(world)
        corrected(world, to=SPAN, at="2026-11-14T12:00:00+00:00", code="90832")
        assert self.states(world)[0] == "open"

    def test_is_taken_back_where_no_code_is_known_any_more(self, world: GateWorld) -> None:
        self.stopped(world)
        corrected(world, to=SPAN, at="2026-11-14T12:00:00+00:00", code=None)
        assert self.states(world)[0] == "withdrawn"

    def test_is_not_taken_back_while_its_day_is_doubted(self, world: GateWorld) -> None:
        self.stopped(world)
        world.clock.set(datetime.fromisoformat("2026-11-14T12:00:00+00:00"))
        world.book(span=SPAN)
        assert self.states(world)[0] == "open"


class TestWhatCountsAsAFact:
    def test_a_question_about_what_is_filed_is_none(self, world: GateWorld) -> None:
        file_claims(world.gate, [FiledLine(appointment="A-1")], by="support:ada")
        dragged(world)
        world.drain()
        before = world.recalls()
        for asked in (DAY, date(2026, 11, 11)):
            with world.db.transaction() as conn:
                (file,) = open_cases(conn, ["A-1"], world.gate.rules(), NOW)
                keep_standing(conn, file, judge(file, NOW, asked), NOW, world.ids)
        assert world.recalls() == before

    def test_another_code_is_one_where_there_is_a_date_to_file_it_for(self, world: GateWorld) -> None:
        file_claims(world.gate, [FiledLine(appointment="A-1")], by="support:ada")
        corrected(world)
        world.drain()
        world.book(span=NEXT_DAY, code="90832")
        world.touch("A-1")
        world.drain()
        (recall,) = world.recalls()
        assert (recall.action, recall.version, recall.new_code) == ("replace", 2, "90832")

    def test_another_code_is_none_while_the_date_is_doubted(self, world: GateWorld) -> None:
        world.check()
        dragged(world)
        world.drain()
        world.book(code="90832")
        world.touch("A-1")
        world.drain()
        assert [(one.action, one.version) for one in world.recalls()] == [("stop", 1)]

    def test_where_nothing_but_time_will_settle_it_that_is_what_is_told(self, world: GateWorld) -> None:
        world.check()
        world.book(span=SPAN.starting(datetime(2026, 12, 1, 9)))
        world.touch("A-1")
        world.drain()
        (recall,) = world.recalls()
        assert recall.action == "stop"
        assert recall.reasons


class TestWhatItIsKnownBy:
    """The same facts have the same name on every host and in every release, or each would be recalled once more."""

    def name_of(self, world: GateWorld, number: str, *about: object) -> None:
        """It is recalled for review, by the name that these reasons and grounds have."""
        file_claims(world.gate, [FiledLine(appointment=number, date=DAY)], by="support:ada")
        (recall,) = world.recalls()
        told = [filed(world, number).id, "review", None, None, *about]
        assert recall.evidence["facts"] == [sha256(json.dumps(told).encode()).hexdigest()]

    def test_its_grounds_are_named_in_order(self, world: GateWorld) -> None:
        rows = [
            SessionEvidence(f"S-{number}", "A-1", "log", "both", NEXT_DAY.start_at, NEXT_DAY.end_at, READ)
            for number in range(9)
        ]
        with world.db.transaction() as conn:
            evidence.put_many(conn, rows)
        self.name_of(world, "A-1", ["evidence-contradicts"], [["session", row.id] for row in rows])

    def test_its_reasons_are_told_in_order(self, world: GateWorld) -> None:
        world.book(code="90837")
        world.book("A-2", code="90837", span=SPAN.starting(datetime(2026, 11, 10, 15)))
        world.drift()
        row = SessionEvidence("S-1", "A-1", "log", "both", NEXT_DAY.start_at, NEXT_DAY.end_at, READ)
        said = StatementRow("T-1", "A-1", "provider:P-1", NOW, (), "took-place", NEXT_DAY.start, NEXT_DAY.end)
        with world.db.transaction() as conn:
            evidence.put_many(conn, [row])
            statements.insert(conn, said)
        file_claims(world.gate, [FiledLine(appointment="A-1", date=DAY)], by="support:ada")
        (recall,) = world.recalls()
        assert recall.reasons == (
            "drift-open",
            "evidence-contradicts",
            "minutes-below-code",
            "same-day-same-code",
            "statement-contradicts",
        )

    def test_no_calendar_has_no_name(self, world: GateWorld) -> None:
        with world.db.transaction() as conn:
            providers.put(conn, ProviderRow("P-2", "Ben Example", "ben@example.org", "America/Chicago"))
        world.book("A-2", provider="P-2", client="C-2")
        self.name_of(world, "A-2", ["no-linked-calendar"], [["observation", ""]])
