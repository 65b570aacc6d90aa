"""What went out and is doubted later: states, recalls and their versions (claims sheet, 12)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from calsync.claims.filing import CloseReason, FiledLine, Frequency, close_recall, file_claims
from calsync.domain.appointment import AppointmentStatus
from calsync.domain.drift import DriftKind, Resolution, Scope
from calsync.errors import NotFoundError, Refused
from calsync.store import audit, clearances, drifts, filings, outbox
from calsync.store.filings import Filing
from tests.unit.claims.gate_world import DAY, NEXT_DAY, NOW, READ, SPAN, GateWorld, codes

HOUR = timedelta(hours=1)


def filed(world: GateWorld, number: str = "A-1") -> Filing:
    with world.db.reading() as conn:
        return filings.of_appointments(conn, [number])[number][-1]


def dragged(world: GateWorld, name: str = "D-1", **changes: Any) -> None:
    world.drift(name, **changes)
    world.read(NEXT_DAY, at=READ + HOUR, drift=name)


def answer_drift(world: GateWorld, name: str = "D-1") -> None:
    with world.db.transaction() as conn:
        drifts.resolve(conn, name, Resolution.ACKNOWLEDGED, world.clock.now(), by="support:ada", accepted=True)
    world.touch("A-1")


def test_an_issued_clearance_is_stopped_once_however_often_it_is_assessed(world: GateWorld) -> None:
    world.check()
    dragged(world)
    world.drain()
    world.touch("A-1")
    world.drain()
    world.check()
    (recall,) = world.recalls()
    assert (recall.action, recall.old_date, recall.new_date, recall.state) == ("stop", DAY, None, "open")
    assert recall.version == 1
    assert "drift-open" in recall.reasons
    with world.db.reading() as conn:
        assert [one.kind for one in outbox.of_recipient(conn, "billing", NOW)] == ["claim-recall"]


def test_what_was_never_issued_is_not_recalled(world: GateWorld) -> None:
    dragged(world)
    world.drain()
    assert world.recalls() == []


def test_a_recall_is_withdrawn_when_the_facts_are_as_they_were(world: GateWorld) -> None:
    world.check()
    dragged(world)
    world.drain()
    answer_drift(world)
    world.drain()
    (recall,) = world.recalls()
    assert (recall.state, recall.version) == ("withdrawn", 2)


def test_further_facts_make_a_new_version_of_the_same_recall(world: GateWorld) -> None:
    world.check()
    dragged(world)
    world.drain()
    world.drift("D-2", observed=None, episode=2)
    world.drain()
    (recall,) = world.recalls()
    assert (recall.version, recall.state) == (2, "open")
    assert len(recall.evidence["facts"]) == 2


def test_another_edit_after_a_withdrawn_recall_recalls_again(world: GateWorld) -> None:
    world.check()
    dragged(world)
    world.drain()
    answer_drift(world)
    world.drain()
    world.clock.advance(HOUR)
    world.drift("D-2", episode=2)
    world.drain()
    first, second = world.recalls()
    assert (first.state, second.state, second.former) == ("withdrawn", "open", first.id)


def test_filing_what_was_cleared_keeps_its_date_and_ends_the_clearance(world: GateWorld) -> None:
    world.check()
    file_claims(world.gate, [FiledLine(appointment="A-1", batch="1120", claim="C", line="2")], by="support:ada")
    stands = filed(world)
    assert (stands.date, stands.code, stands.state, stands.against_gate) == (DAY, "90834", "filed", False)
    with world.db.reading() as conn:
        (clearance,) = clearances.of_appointments(conn, ["A-1"])["A-1"]
        assert clearance.ended_at is not None
        assert audit.verify(conn).is_whole
    assert world.check().state == "filed"
    assert codes(world.check(asked=DAY)) == {"already-filed"}


def test_telling_the_same_filing_twice_files_it_once(world: GateWorld) -> None:
    line = FiledLine(appointment="A-1", batch="1120")
    assert len(file_claims(world.gate, [line], by="support:ada")) == 1
    assert file_claims(world.gate, [line], by="support:ada") == []
    with pytest.raises(Refused, match="filed already"):
        file_claims(world.gate, [FiledLine(appointment="A-1", batch="1121")], by="support:ada")


def test_filed_against_the_gate_is_recalled_at_once(world: GateWorld) -> None:
    dragged(world, scope=Scope.SERIES)
    with pytest.raises(Refused, match="no date"):
        file_claims(world.gate, [FiledLine(appointment="A-1")], by="support:ada")
    file_claims(world.gate, [FiledLine(appointment="A-1", date=DAY)], by="support:ada")
    assert (filed(world).state, filed(world).against_gate) == ("recalled", True)
    (recall,) = world.recalls()
    assert recall.action == "review"
    with world.db.reading() as conn:
        assert [one.kind for one in outbox.of_recipient(conn, "support", NOW)] == ["filed-against-gate"]


def test_a_deletion_after_filing_asks_first_and_recalls_after_silence(world: GateWorld) -> None:
    file_claims(world.gate, [FiledLine(appointment="A-1")], by="support:ada")
    world.drift(observed=None, kind=DriftKind.DELETED, detected_at=NOW)
    world.drain()
    assert (filed(world).state, world.recalls()) == ("review", [])
    world.clock.advance(timedelta(days=5, minutes=1))
    world.drain()
    assert filed(world).state == "recalled"
    (recall,) = world.recalls()
    assert recall.action == "review"


def test_a_single_move_to_another_date_after_filing_recalls_at_once(world: GateWorld) -> None:
    file_claims(world.gate, [FiledLine(appointment="A-1")], by="support:ada")
    dragged(world)
    world.drain()
    assert filed(world).state == "recalled"


def test_a_corrected_record_makes_a_replacement_and_filing_it_closes_the_recall(world: GateWorld) -> None:
    file_claims(world.gate, [FiledLine(appointment="A-1")], by="support:ada")
    world.clock.set(datetime.fromisoformat("2026-11-13T12:00:00+00:00"))
    world.book(span=NEXT_DAY)
    world.read(NEXT_DAY, at=NEXT_DAY.end_at + HOUR)
    world.touch("A-1")
    world.drain()
    (recall,) = world.recalls()
    assert (recall.action, recall.old_date, recall.new_date) == ("replace", DAY, date(2026, 11, 11))
    file_claims(world.gate, [FiledLine(appointment="A-1", frequency=Frequency.REPLACEMENT)], by="support:ada")
    (recall,) = world.recalls()
    assert recall.state == "closed"
    with world.db.reading() as conn:
        first, second = filings.of_appointments(conn, ["A-1"])["A-1"]
    assert (first.state, second.state, second.date) == ("corrected", "filed", date(2026, 11, 11))


def test_a_cancelled_record_voids_and_filing_the_void_leaves_nothing_filed(world: GateWorld) -> None:
    file_claims(world.gate, [FiledLine(appointment="A-1")], by="support:ada")
    world.book(status=AppointmentStatus.NO_SHOW)
    world.drain()
    assert [one.action for one in world.recalls()] == ["void"]
    file_claims(world.gate, [FiledLine(appointment="A-1", frequency=Frequency.VOID)], by="support:ada")
    with world.db.reading() as conn:
        assert filings.filed_among(conn, ["A-1"]) == set()
    assert [one.state for one in world.recalls()] == ["closed"]


def test_a_correction_of_nothing_is_refused(world: GateWorld) -> None:
    with pytest.raises(Refused, match="nothing that could be corrected"):
        file_claims(world.gate, [FiledLine(appointment="A-1", frequency=Frequency.REPLACEMENT)], by="support:ada")


def test_all_lines_that_cannot_be_filed_are_named_and_none_is_filed(world: GateWorld) -> None:
    lines = [FiledLine(appointment="A-1"), FiledLine(appointment="no-1"), FiledLine(appointment="no-2")]
    with pytest.raises(Refused) as refused:
        file_claims(world.gate, lines, by="support:ada")
    assert len(refused.value.problems) == 2
    with world.db.reading() as conn:
        assert filings.filed_among(conn, ["A-1"]) == set()


def test_a_person_closes_a_recall_and_it_stays_closed_until_other_facts_come(world: GateWorld) -> None:
    file_claims(world.gate, [FiledLine(appointment="A-1")], by="support:ada")
    dragged(world)
    world.drain()
    (recall,) = world.recalls()
    close_recall(world.gate, recall.id, CloseReason.ALREADY_RIGHT, by="support:ada", note="seen the notes")
    world.touch("A-1")
    world.drain()
    assert [(one.state, one.closed_by) for one in world.recalls()] == [("closed", "support:ada")]
    assert filed(world).state == "filed"
    world.clock.advance(HOUR)
    world.drift("D-2", observed=SPAN.starting(datetime(2026, 11, 12, 9)), episode=2)
    world.drain()
    assert [one.state for one in world.recalls()] == ["closed", "open"]
    with world.db.reading() as conn:
        assert audit.verify(conn).is_whole


def test_closing_needs_a_note_and_an_open_recall(world: GateWorld) -> None:
    with pytest.raises(NotFoundError):
        close_recall(world.gate, "nothing", CloseReason.NOT_OURS, by="support:ada", note="x")
    world.check()
    dragged(world)
    world.drain()
    (recall,) = world.recalls()
    with pytest.raises(Refused, match="note"):
        close_recall(world.gate, recall.id, CloseReason.NOT_OURS, by="support:ada", note=" ")
    close_recall(world.gate, recall.id, CloseReason.NOT_OURS, by="support:ada", note="test")
    with pytest.raises(Refused, match="closed already"):
        close_recall(world.gate, recall.id, CloseReason.NOT_OURS, by="support:ada", note="again")


def test_observe_mode_recalls_nothing(world: GateWorld) -> None:
    world.check()
    world.observe()
    dragged(world)
    world.drain()
    assert world.recalls() == []


def test_draining_takes_what_was_touched_away(world: GateWorld) -> None:
    assert world.drain() >= 1
    assert world.drain() == 0
