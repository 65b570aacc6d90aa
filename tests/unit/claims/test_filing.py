"""What billing told, and what it is told back: every column of a filing and of a recall, the notes and the mails."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from calsync.claims.filing import CloseReason, FiledLine, Frequency, close_recall, file_claims
from calsync.domain.appointment import AppointmentStatus
from calsync.domain.drift import Resolution
from calsync.domain.span import Span
from calsync.errors import Refused
from calsync.store import audit, drifts, evidence, filings, outbox
from calsync.store.evidence import SessionEvidence
from calsync.store.filings import Filing
from calsync.store.recalls import RecallRow
from calsync.store.schema_billing import webhook_events
from tests.unit.claims.gate_world import DAY, LINKED, NEXT_DAY, NOW, READ, GateWorld, in_memory

HOUR = timedelta(hours=1)
NEXT = DAY + timedelta(days=1)
LINE = FiledLine(appointment="A-1", claim="C-1", line="1", batch="B-1", control="X-9", code="90837")
EVENING = datetime(2026, 11, 11, 23, 30, tzinfo=UTC)


@pytest.fixture
def world() -> GateWorld:
    return in_memory()


def file(world: GateWorld, *lines: FiledLine, **more: Any) -> list[Filing]:
    return file_claims(world.gate, lines or [LINE], by="billing:b", **more)


def kept(world: GateWorld, number: str = "A-1") -> list[Filing]:
    with world.db.reading() as conn:
        return filings.of_appointments(conn, [number]).get(number, [])


def notes(world: GateWorld, what: str) -> list[tuple[str, str, dict[str, Any]]]:
    with world.db.reading() as conn:
        return [(one.actor, one.subject, one.detail) for one in audit.rows(conn) if one.what == what]


def mails(world: GateWorld, to: str = "billing") -> list[tuple[str, dict[str, Any], datetime]]:
    with world.db.reading() as conn:
        return [(one.kind, one.payload, one.due_at) for one in outbox.of_recipient(conn, to, LINKED)]


def accept(world: GateWorld, *, accepted: bool) -> None:
    with world.db.transaction() as conn:
        drifts.resolve(conn, "D-1", Resolution.ACKNOWLEDGED, NOW, by="support:ada", accepted=accepted)
    world.touch("A-1")


def log(world: GateWorld, name: str, when: Span) -> None:
    with world.db.transaction() as conn:
        row = SessionEvidence(name, "A-1", "video", "both", when.start_at, when.end_at, NOW)
        evidence.put_many(conn, [row])
    world.touch("A-1")


def recalled(world: GateWorld) -> RecallRow:
    world.drain()
    (row,) = world.recalls()
    return row


class TestFiling:
    def test_a_line_is_kept_as_it_was_told(self, world: GateWorld) -> None:
        (row,) = file(world, note="by hand")
        assert row == Filing(
            id=row.id,
            appointment="A-1",
            date=DAY,
            code="90834",
            frequency="1",
            claim="C-1",
            line="1",
            batch="B-1",
            control="X-9",
            filed_at=NOW,
            filed_by="billing:b",
        )
        assert kept(world) == [row]
        assert row.id.startswith("filing")
        detail = {"filing": row.id, "date": "2026-11-10", "frequency": "1", "batch": "B-1", "claim": "C-1", "line": "1"}
        told = {**detail, "against_gate": False, "note": "by hand"}
        assert notes(world, "claim-filed") == [("billing:b", "appointment:A-1", told)]
        assert mails(world, "support") == []

    def test_the_code_that_was_billed_stands_in_for_one_that_is_not_planned(self, world: GateWorld) -> None:
        world.book(code=None)
        (row,) = file(world)
        assert row.code == "90837"

    @pytest.mark.parametrize("day", [NEXT, DAY])
    def test_filing_against_the_gate_is_told_to_support_and_recalled_at_once(self, world: GateWorld, day: Any) -> None:
        if day == DAY:
            world.book(status=AppointmentStatus.NO_SHOW)
        (row,) = file(world, replace(LINE, date=day))
        assert row.against_gate
        payload = {"filing": row.id, "appointment": "A-1"}
        assert [one for one in mails(world, "support") if one[0] == "filed-against-gate"] == [
            ("filed-against-gate", payload, NOW)
        ]
        assert [(one.action, one.filing) for one in world.recalls()] == [("replace" if day == NEXT else "void", row.id)]

    def test_a_practice_that_observes_files_against_no_gate(self, world: GateWorld) -> None:
        world.observe()
        (row,) = file(world, replace(LINE, date=NEXT))
        assert (row.against_gate, row.date, world.recalls()) == (False, NEXT, [])

    def test_a_replacement_ends_what_stood_and_a_void_ends_it_for_good(self, world: GateWorld) -> None:
        (first,) = file(world)
        (second,) = file(world, replace(LINE, frequency=Frequency.REPLACEMENT, batch="B-2", date=NEXT))
        (third,) = file(world, replace(LINE, frequency=Frequency.VOID, batch="B-3"))
        rows = {one.id: (one.state, one.ended_at, one.date, one.against_gate) for one in kept(world)}
        assert rows == {
            first.id: ("corrected", NOW, DAY, False),
            second.id: ("void", NOW, NEXT, True),
            third.id: ("void", NOW, NEXT, False),
        }

    def test_a_correction_closes_the_recall_that_asked_for_it_and_no_other(self, world: GateWorld) -> None:
        file(world)
        world.book(span=NEXT_DAY)
        world.read(NEXT_DAY, at=NEXT_DAY.end_at + HOUR)
        world.clock.instant = NEXT_DAY.end_at + 2 * HOUR
        row = recalled(world)
        assert (row.action, row.new_date) == ("replace", NEXT)
        file(world, replace(LINE, frequency=Frequency.REPLACEMENT, batch="B-2"))
        (after,) = world.recalls()
        assert (after.state, after.closed_at, after.closed_by, after.closed_because) == (
            "closed", world.clock.now(), "billing:b", "corrected",
        )  # fmt: skip
        assert [(one.date, one.against_gate, one.state) for one in kept(world)] == [
            (DAY, False, "corrected"), (NEXT, False, "filed"),
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("changed", "same"),
        [
            ({}, True),
            ({"control": "X-10"}, True),
            ({"date": DAY}, True),
            ({"date": NEXT}, True),
            ({"batch": "B-2"}, False),
            ({"claim": "C-2"}, False),
            ({"line": "2"}, False),
        ],
    )
    def test_the_same_line_of_a_batch_is_one(self, world: GateWorld, changed: dict[str, Any], same: bool) -> None:
        file(world)
        again = replace(LINE, **changed)
        if same:
            assert file(world, again) == []
        else:
            with pytest.raises(Refused, match="an original dated 2026-11-10 was filed already"):
                file(world, again)

    @pytest.mark.parametrize("named", [{}, {"batch": "B-9"}, {"claim": "C-9"}])
    @pytest.mark.parametrize(
        ("changed", "same"), [({}, True), ({"date": DAY}, True), ({"date": NEXT}, False), ({"line": "7"}, False)]
    )
    def test_without_batch_and_claim_its_date_tells(
        self, world: GateWorld, named: dict[str, Any], changed: dict[str, Any], same: bool
    ) -> None:
        bare = FiledLine(appointment="A-1", **named)
        file(world, bare)
        if same:
            assert file(world, replace(bare, **changed)) == []
        else:
            with pytest.raises(Refused, match="filed already"):
                file(world, replace(bare, **changed))

    def test_a_void_is_the_same_in_the_same_batch_only(self, world: GateWorld) -> None:
        bare = FiledLine(appointment="A-1", batch="B-1")
        file(world, bare)
        void = replace(bare, frequency=Frequency.VOID, batch="B-2")
        assert len(file(world, void)) == 1
        assert file(world, void) == []
        with pytest.raises(Refused, match="nothing that could be corrected"):
            file(world, replace(void, batch="B-3"))

    def test_what_was_voided_may_be_filed_again_as_it_was(self, world: GateWorld) -> None:
        bare = FiledLine(appointment="A-1")
        file(world, bare)
        file(world, replace(bare, frequency=Frequency.VOID))
        assert len(file(world, bare)) == 1
        assert sorted(one.state for one in kept(world)) == ["filed", "void", "void"]

    def test_what_the_payer_turned_down_cannot_be_voided(self, world: GateWorld) -> None:
        file(world)
        world.book(status=AppointmentStatus.NO_SHOW)
        close_recall(world.gate, recalled(world).id, CloseReason.REJECTED_BY_PAYER, by="billing:b", note="no")
        with pytest.raises(Refused, match="nothing that could be corrected"):
            file(world, replace(LINE, frequency=Frequency.VOID, claim=None))

    def test_a_correction_leaves_what_stops_a_clearance(self, world: GateWorld) -> None:
        world.check()
        world.drift()
        assert recalled(world).action == "stop"
        file(world, replace(LINE, date=DAY))
        file(world, replace(LINE, date=DAY, frequency=Frequency.REPLACEMENT, batch="B-2"))
        assert sorted((one.action, one.state, one.closed_because) for one in world.recalls()) == [
            ("review", "closed", "corrected"),
            ("review", "open", None),
            ("stop", "open", None),
        ]

    def test_a_correction_leaves_what_was_withdrawn(self, world: GateWorld) -> None:
        file(world)
        for status in (AppointmentStatus.NO_SHOW, AppointmentStatus.COMPLETED):
            world.book(status=status)
            world.drain()
        file(world, replace(LINE, date=DAY, frequency=Frequency.REPLACEMENT, batch="B-2"))
        assert [(one.state, one.closed_by) for one in world.recalls()] == [("withdrawn", None)]

    def test_all_that_cannot_be_filed_is_told_with_what_to_do(self, world: GateWorld) -> None:
        world.drift()
        world.book("A-2")
        file(world, replace(LINE, appointment="A-2", date=DAY))
        lines = [
            FiledLine(appointment="A-1"),
            FiledLine(appointment="A-2", batch="B-7"),
            FiledLine(appointment="A-404"),
            FiledLine(appointment="A-1", frequency=Frequency.REPLACEMENT),
        ]
        with pytest.raises(Refused) as told:
            file(world, *lines[1:])
        assert told.value.code == "cannot-be-filed"
        assert [(one.where, one.what, one.remedy) for one in told.value.problems] == [
            (
                "appointment A-2",
                "an original dated 2026-11-10 was filed already",
                "File a replacement (--frequency 7), or close it first",
            ),
            ("appointment A-404", "it is not on the books", ""),
            ("appointment A-1", "nothing that could be corrected was filed", ""),
        ]
        with pytest.raises(Refused) as told:
            file(world, lines[0])
        assert told.value.problems[0].remedy == "Name the date: A-1=YYYY-MM-DD"
        assert kept(world) == []

    def test_without_a_date_of_the_gates_one_must_be_named(self, world: GateWorld) -> None:
        world.book("A-2")
        with pytest.raises(Refused) as refused:
            file(world, FiledLine(appointment="A-2"))
        (problem,) = refused.value.problems
        assert (problem.what, problem.remedy) == (
            "the gate gives no date for it",
            "Name the date: A-2=YYYY-MM-DD",
        )

    def test_what_was_filed_is_assessed_once_more_by_the_timer(self, world: GateWorld) -> None:
        world.drain()
        file(world)
        assert world.drain() == 1


class TestRecalling:
    def test_the_whole_row_of_a_clearance_that_is_stopped(self, world: GateWorld) -> None:
        world.check()
        world.drift()
        row = recalled(world)
        (looked,) = world.gate.look(["A-1"])
        assert looked.file.clearance is not None
        assert (row.appointment, row.clearance, row.filing, row.action) == (
            "A-1", looked.file.clearance.id, None, "stop",
        )  # fmt: skip
        assert (row.old_date, row.new_date, row.old_code, row.new_code) == (DAY, None, "90834", None)
        assert (row.reasons, row.version, row.state, row.former) == (("drift-open",), 1, "open", None)
        assert (row.detected_at, row.identified_at, row.closed_at) == (NOW, None, None)
        assert [(one["kind"], one["id"], one["rule"]) for one in row.evidence["items"]] == [
            ("drift", "D-1", "drift-open")
        ]
        assert row.key == f"{row.clearance}:0:{row.evidence['facts'][0]}"
        payload = {"recall": row.id, "version": 1, "action": "stop"}
        assert mails(world) == [("claim-recall", payload, NOW)]
        (note,) = notes(world, "claim-recalled")
        assert note == (
            "system",
            f"recall:{row.id}",
            {
                "appointment": "A-1",
                "action": "stop",
                "version": 1,
                "old_date": "2026-11-10",
                "new_date": None,
                "reasons": ["drift-open"],
                "facts": row.evidence["facts"][0],
            },
        )

    def test_a_persons_or_a_logs_word_is_identified_when_it_came(self, world: GateWorld) -> None:
        world.check()
        world.drift()
        assert recalled(world).identified_at is None
        world.clock.advance(HOUR)
        log(world, "E-1", NEXT_DAY)
        row = recalled(world)
        assert (row.version, row.identified_at, row.reasons) == (2, NOW + HOUR, ("drift-open", "evidence-contradicts"))
        world.clock.advance(HOUR)
        world.drift("D-2", observed=None, episode=2)
        row = recalled(world)
        assert (row.version, row.detected_at, row.identified_at) == (3, NOW, NOW + HOUR)
        items = {(one["kind"], one["id"], one["at"], one["says"]) for one in row.evidence["items"]}
        assert ("session", "E-1", NEXT_DAY.start_at.isoformat(), "until 2026-11-11T15:50:00+00:00 both") in items
        assert row.id.startswith("recall")

    def test_programs_are_told_of_each_version_and_of_its_end(self, world: GateWorld) -> None:
        world.check()
        world.drift()
        recalled(world)
        accept(world, accepted=False)
        world.read(at=NOW)
        recalled(world)
        with world.db.reading() as conn:
            rows = conn.execute(select(webhook_events).order_by(webhook_events.c.seq)).all()
        told = [(one.type, one.payload["version"]) for one in rows if "recall" in one.type]
        assert told == [("claim.recalled", 1), ("claim.recall-withdrawn", 2)]

    def test_what_stopped_a_clearance_is_withdrawn_once_it_stands_filed_as_it_was_cleared(
        self, world: GateWorld
    ) -> None:
        world.check()
        world.drift()
        recalled(world)
        file(world, replace(LINE, date=DAY))
        world.drain()
        assert {one.action: one.state for one in world.recalls()} == {"stop": "open", "review": "open"}
        accept(world, accepted=False)
        world.drain()
        assert {one.action: one.state for one in world.recalls()} == {"stop": "withdrawn", "review": "withdrawn"}
        assert [one.state for one in kept(world)] == ["filed"]

    def test_a_practice_that_observes_by_now_is_told_of_no_end_either(self, world: GateWorld) -> None:
        file(world)
        world.book(status=AppointmentStatus.NO_SHOW)
        recalled(world)
        world.observe()
        world.book(status=AppointmentStatus.COMPLETED)
        world.touch("A-1")
        assert recalled(world).state == "open"
        assert [one.state for one in kept(world)] == ["recalled"]

    def test_of_a_filed_claim_its_state_is_noted_and_the_days_list_waits_for_the_evening(
        self, world: GateWorld
    ) -> None:
        (filing,) = file(world)
        world.book(status=AppointmentStatus.NO_SHOW)
        row = recalled(world)
        assert (row.clearance, row.filing, row.action, row.identified_at) == (None, filing.id, "void", NOW)
        assert [one.state for one in kept(world)] == ["recalled"]
        moved = {"filing": filing.id, "from": "filed", "to": "recalled"}
        assert notes(world, "claim-state-changed") == [("system", "appointment:A-1", moved)]
        assert mails(world) == [("claim-recall", {"recall": row.id, "version": 1, "action": "void"}, EVENING)]

    def test_a_corrected_code_is_told_with_the_new_one(self, world: GateWorld) -> None:
        file(world)
        world.book(code="90832")
        row = recalled(world)
        assert (row.action, row.old_date, row.new_date) == ("replace", DAY, DAY)
        assert (row.old_code, row.new_code, row.identified_at) == ("90834", "90832", NOW)

    def test_further_facts_are_its_next_version_with_all_that_was_said_before(self, world: GateWorld) -> None:
        world.check()
        world.drift()
        first = recalled(world)
        world.clock.instant = NOW + HOUR
        world.drift("D-2", episode=2)
        second = recalled(world)
        assert (second.id, second.version, second.detected_at, second.state) == (first.id, 2, NOW, "open")
        assert second.evidence["facts"][0] == first.evidence["facts"][0]
        assert len(second.evidence["facts"]) == 2
        assert {one["id"] for one in second.evidence["items"]} == {"D-1", "D-2"}
        world.clock.instant = NOW + 2 * HOUR
        world.book(code="90837")
        third = recalled(world)
        assert (third.version, third.reasons, third.identified_at) == (3, ("drift-open", "minutes-below-code"), None)
        assert [payload["version"] for _, payload, _ in mails(world)] == [1, 2, 3]

    def test_what_waits_for_the_next_reading_is_no_further_fact(self, world: GateWorld) -> None:
        world.check()
        world.drift()
        first = recalled(world)
        with world.db.transaction() as conn:
            conn.exec_driver_sql("DELETE FROM observations")
        world.touch("A-1")
        assert recalled(world) == first

    def test_a_recall_is_withdrawn_and_told_so_when_all_is_as_it_was(self, world: GateWorld) -> None:
        world.check()
        world.drift()
        first = recalled(world)
        with world.db.transaction() as conn:
            drifts.resolve(conn, "D-1", Resolution.ACKNOWLEDGED, NOW, by="support:ada", accepted=True)
        world.clock.instant = NOW + HOUR
        world.touch("A-1")
        after = recalled(world)
        assert (after.state, after.version, after.closed_at) == ("withdrawn", 2, NOW + HOUR)
        payload = {"recall": first.id, "version": 2, "action": "stop"}
        assert mails(world)[1:] == [("recall-withdrawn", payload, NOW + HOUR)]
        (note,) = notes(world, "recall-withdrawn")
        assert (note[0], note[1], note[2]["version"]) == ("system", f"recall:{first.id}", 2)

    def test_closing_is_noted_with_its_reason(self, world: GateWorld) -> None:
        file(world)
        world.book(status=AppointmentStatus.NO_SHOW)
        row = recalled(world)
        closed = close_recall(world.gate, row.id, CloseReason.REJECTED_BY_PAYER, by="billing:b", note="they said no")
        assert (closed.state, closed.closed_at, closed.closed_by) == ("closed", NOW, "billing:b")
        assert closed.closed_because == "rejected-by-payer: they said no"
        assert world.recalls() == [closed]
        detail = {"appointment": "A-1", "reason": "rejected-by-payer", "note": "they said no"}
        assert notes(world, "recall-closed") == [("billing:b", f"recall:{row.id}", detail)]
        assert [(one.state, one.ended_at) for one in kept(world)] == [("void", NOW)]
        with pytest.raises(Refused, match="it is closed already") as told:
            close_recall(world.gate, row.id, CloseReason.NOT_OURS, by="billing:b", note="again")
        assert (told.value.code, told.value.problems[0].where) == (
            "already-ended",
            f"recall:{row.id}".replace(":", " "),
        )

    def test_a_claim_that_is_right_stands_filed_though_the_practice_only_observes_by_now(
        self, world: GateWorld
    ) -> None:
        file(world)
        world.book(status=AppointmentStatus.NO_SHOW)
        row = recalled(world)
        world.observe()
        close_recall(world.gate, row.id, CloseReason.ALREADY_RIGHT, by="billing:b", note="seen")
        assert [one.state for one in kept(world)] == ["filed"]

    def test_what_came_since_recalls_at_once_when_a_recall_is_closed(self, world: GateWorld) -> None:
        file(world)
        world.book(status=AppointmentStatus.NO_SHOW)
        row = recalled(world)
        world.book(span=NEXT_DAY)
        close_recall(world.gate, row.id, CloseReason.ALREADY_RIGHT, by="billing:b", note="seen")
        assert sorted(one.state for one in world.recalls()) == ["closed", "open"]
        assert [one.state for one in kept(world)] == ["recalled"]

    def test_another_recall_of_the_same_claim_names_the_one_before(self, world: GateWorld) -> None:
        file(world)
        world.book(status=AppointmentStatus.NO_SHOW)
        first = recalled(world)
        close_recall(world.gate, first.id, CloseReason.ALREADY_RIGHT, by="billing:b", note="fine")
        assert [one.state for one in kept(world)] == ["filed"], "the same facts recall no more"
        world.book(code="90832")
        world.drain()
        rows = {one.id: one for one in world.recalls()}
        (second,) = (one for name, one in rows.items() if name != first.id)
        assert (second.former, second.version, second.key.split(":")[1]) == (first.id, 1, "1")
        assert READ < NOW
