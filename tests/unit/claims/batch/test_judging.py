"""The answer about each line of a claim file: what the gate says of its appointment, and what the line says wrong."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from calsync.claims.answer import EvidenceItem
from calsync.claims.batch.judging import CheckedLine, file_refused, judge_claims
from calsync.claims.batch.matching import OTHER_LETTERS
from calsync.claims.reasons import Party, ReasonCode, Verdict
from calsync.domain.appointment import AppointmentStatus
from calsync.store import asks, clearances, filings
from calsync.store.asks import AskRow
from calsync.store.claim_spool import ClaimSpool
from calsync.store.filings import Filing
from tests.unit.claims.gate_world import DAY, NOW, SPAN, GateWorld, codes, in_memory

HOUR = timedelta(hours=1)
UNREADABLE = "date-unreadable"


@pytest.fixture
def world() -> GateWorld:
    return in_memory()


def judged(world: GateWorld, *lines: dict[str, Any]) -> list[CheckedLine]:
    """The answers about lines of one claim each, as they are once they were matched."""
    spool = ClaimSpool()
    for number, one in enumerate(lines, 1):
        spool.add(
            (
                number,
                f"claim {number}, line 1",
                one.get("claim_id"),
                None,
                None,
                None,
                None,
                one.get("day", DAY.isoformat()),
                one.get("code", "90834"),
                one.get("where"),
                one.get("frequency", "1"),
                one.get("control"),
                one.get("problems", ""),
            )
        )
    spool.close_file(claims_by_id=False)
    spool.tie((one.get("appointment", "A-1"), one.get("note"), number) for number, one in enumerate(lines, 1))
    found = [line for claim in judge_claims(world.gate, spool) for line in claim.lines]
    spool.close()
    return found


def judge(world: GateWorld, **line: Any) -> CheckedLine:
    (found,) = judged(world, line)
    return found


def filed(world: GateWorld, day: date = DAY, control: str | None = "ICN-1") -> None:
    told = Filing("F-1", "A-1", day, "90834", "1", "C-1", "1", "batch-1", control, NOW - HOUR, "billing:b")
    with world.db.transaction() as conn:
        filings.insert(conn, told)
    world.touch("A-1")
    world.drain()


def issued(world: GateWorld) -> list[date]:
    with world.db.reading() as conn:
        return [one.date for one in clearances.of_appointments(conn, ["A-1"]).get("A-1", [])]


class TestProblemsOfALine:
    def test_a_line_that_is_wrong_holds_and_says_where_and_why(self, world: GateWorld) -> None:
        answer = judge(world, day=None, problems=UNREADABLE).answer
        text = "Claim 1, line 1: the date of service cannot be read."
        assert [(str(one.code), one.text, one.waiting_on) for one in answer.reasons] == [
            (UNREADABLE, text, Party.BILLING)
        ]
        assert (answer.verdict, answer.state, answer.date_of_service) == (Verdict.HELD, "held", None)
        assert (answer.sentence, answer.waiting_on) == (text, Party.BILLING)
        assert EvidenceItem(kind="line", says=text, rule=ReasonCode.DATE_UNREADABLE) in answer.evidence

    def test_one_that_fits_no_appointment_says_what_it_would_have_billed(self, world: GateWorld) -> None:
        answer = judge(world, appointment=None, problems="no-matching-appointment", code="90837").answer
        text = "Claim 1, line 1: nothing ties the line to an appointment."
        assert (answer.appointment, answer.code, answer.sentence) == (None, "90837", text)
        assert answer.evidence == (EvidenceItem(kind="line", says=text, rule=ReasonCode.NO_MATCHING_APPOINTMENT),)

    def test_one_whose_appointment_left_the_books_meanwhile_is_held(self, world: GateWorld) -> None:
        answer = judge(world, appointment="A-404").answer
        assert (answer.verdict, codes(answer)) == (Verdict.HELD, {"no-matching-appointment"})

    def test_one_that_cannot_be_read_says_only_that(self, world: GateWorld) -> None:
        assert codes(judge(world, appointment=None, problems="row-unreadable").answer) == {"row-unreadable"}

    def test_a_file_that_is_refused_says_where_or_that_nothing_fits(self) -> None:
        for where, told in (("row 2", "row 2"), ("", "nothing in it fits")):
            answer = file_refused(ReasonCode.FILE_UNREADABLE, where)
            assert answer.sentence == f"The file cannot be read ({told}); make it again."
            assert (answer.verdict, answer.appointment, answer.code) == (Verdict.HELD, None, None)

    def test_whoever_must_act_first_is_named_first(self, world: GateWorld) -> None:
        with world.db.transaction() as conn:
            conn.exec_driver_sql("DELETE FROM observations")
        answer = judge(world, day=None, problems=UNREADABLE).answer
        assert [str(one.code) for one in answer.reasons] == [UNREADABLE, "never-observed"]
        assert judge(world).answer.next_step_at is not None
        assert (answer.waiting_on, answer.asked_at, answer.next_step_at) == (Party.BILLING, None, None)

    def test_what_was_asked_of_a_provider_stays_asked(self, world: GateWorld) -> None:
        world.drift()
        with world.db.transaction() as conn:
            asks.insert(conn, AskRow("Q-1", "A-1", "D-1", "provider", NOW - HOUR, NOW + HOUR))
        answer = judge(world, day=None, problems=UNREADABLE).answer
        assert (answer.waiting_on, answer.asked_at, answer.next_step_at) == (Party.PROVIDER, NOW - HOUR, NOW + HOUR)

    @pytest.mark.parametrize(
        ("day", "edited", "state"),
        [(DAY, False, "filed"), (DAY + timedelta(days=1), False, "recalled"), (DAY, True, "review")],
    )
    def test_what_was_filed_stays_what_it_is(self, world: GateWorld, day: date, state: str, *, edited: bool) -> None:
        filed(world, day)
        if edited:
            world.drift(observed=None, detected_at=NOW)
        answer = judge(world, frequency="7", control="ICN-2").answer
        assert (answer.state, answer.verdict) == (state, Verdict.HELD)
        assert "correction-reference-mismatch" in codes(answer)


class TestWhatIsBilled:
    def test_the_minutes_are_those_of_the_code_on_the_line_or_else_of_the_record(self, world: GateWorld) -> None:
        world.book(code="90837")
        assert codes(judge(world, code=None).answer) == {"minutes-below-code"}
        assert codes(judge(world, code="90837").answer) == {"minutes-below-code"}
        line = judge(world, code="90834")
        assert (line.answer.verdict, line.answer.code) == (Verdict.CLEARED, "90834")

    def test_a_code_on_the_line_is_judged_where_the_record_has_another(self, world: GateWorld) -> None:
        assert codes(judge(world, code="90837").answer) == {"minutes-below-code"}


class TestCorrections:
    def test_a_claim_whose_number_at_the_payer_is_not_known_may_be_corrected_under_any(self, world: GateWorld) -> None:
        filed(world, DAY + timedelta(days=1), control=None)
        line = judge(world, frequency="7", control="ICN-9")
        assert (line.purpose, line.answer.verdict, line.answer.date_of_service) == ("replacement", Verdict.CLEARED, DAY)
        assert issued(world) == [DAY]

    @pytest.mark.parametrize("where", ["day", "none"])
    def test_a_void_is_cleared_as_it_was_filed_and_clears_nothing_of_the_session(
        self, world: GateWorld, where: str
    ) -> None:
        wrong = DAY + timedelta(days=1)
        filed(world, wrong)
        line = judge(world, frequency="8", control="ICN-1", day=wrong.isoformat() if where == "day" else None)
        assert (line.purpose, line.answer.verdict, line.answer.date_of_service) == ("void", Verdict.CLEARED, wrong)
        assert issued(world) == []

    def test_a_void_of_another_date_than_the_filed_one_is_held(self, world: GateWorld) -> None:
        filed(world, DAY + timedelta(days=1))
        answer = judge(world, frequency="8", control="ICN-1").answer
        told = "A void repeats the date that was filed, 2026-11-11; asked for 2026-11-10."
        assert [(str(one.code), one.text, one.waiting_on) for one in answer.reasons] == [
            ("date-mismatch", told, Party.BILLING)
        ]
        assert (answer.verdict, answer.date_of_service) == (Verdict.HELD, None)

    @pytest.mark.parametrize(("frequency", "code"), [("7", "correction-of-unfiled"), ("8", "correction-of-unfiled")])
    def test_what_was_never_filed_is_not_corrected(self, world: GateWorld, frequency: str, code: str) -> None:
        assert code in codes(judge(world, frequency=frequency, control="ICN-1").answer)
        assert "correction-without-reference" in codes(judge(world, frequency=frequency).answer)


@pytest.mark.parametrize(
    ("form", "place", "suits"),
    [
        ("video", "11", False),
        ("Telehealth", "11", False),
        ("video", "10", True),
        ("video", None, True),
        ("in-person", "02", False),
        ("In-Person", "10", False),
        ("in-person", "11", True),
        ("in-person", None, True),
        ("outdoors", "02", True),
        ("outdoors", "11", True),
        (None, "02", True),
    ],
)
def test_a_place_of_service_that_does_not_suit_is_said(
    world: GateWorld, form: str | None, place: str | None, *, suits: bool
) -> None:
    world.book(format=form)
    answer = judge(world, where=place).answer
    told = [] if suits else ["Claim 1, line 1: the place of service does not suit the appointment's format."]
    assert [one.text for one in answer.advisories] == told
    assert answer.verdict is Verdict.CLEARED


def test_lines_of_other_appointments_are_judged_beside_each_other(world: GateWorld) -> None:
    world.book("A-2", span=SPAN.starting(datetime(2026, 11, 10, 15)))
    world.link(number="A-2")
    world.read(SPAN.starting(datetime(2026, 11, 10, 15)), number="A-2", at=SPAN.end_at + 10 * HOUR)
    lines = judged(world, {"note": OTHER_LETTERS}, {"appointment": None}, {"appointment": "A-2", "code": "90832"})
    assert [one.answer.appointment for one in lines] == ["A-1", None, "A-2"]
    assert [str(one.answer.verdict) for one in lines] == ["cleared", "held", "cleared"]
    assert [str(one.code) for one in lines[0].answer.advisories] == ["matched-in-other-letters"]
    assert issued(world) == [DAY]


class TestOneSessionOfTwoClients:
    @pytest.fixture
    def couple(self, world: GateWorld) -> GateWorld:
        world.book(session="S-1")
        world.book("A-2", client="C-2", session="S-1")
        world.link(number="A-2")
        world.read(SPAN, number="A-2", at=SPAN.end_at + 10 * HOUR)
        return world

    def test_a_couples_one_session_has_one_claim_in_a_file(self, couple: GateWorld) -> None:
        both = judged(couple, {"code": "90847"}, {"appointment": "A-2", "code": "90847"})
        assert [codes(one.answer) for one in both] == [{"session-already-billed"}] * 2
        assert issued(couple) == []

    def test_of_a_group_everybody_has_one(self, couple: GateWorld) -> None:
        both = judged(couple, {"code": "90853"}, {"appointment": "A-2", "code": "90853"})
        assert [str(one.answer.verdict) for one in both] == ["cleared"] * 2


class TestAnotherSessionOfTheDay:
    """Two claims of one client, day and code are duplicates to a payer: by what the file bills, then by the books."""

    def book(self, world: GateWorld, number: str = "A-2", **more: Any) -> None:
        span = SPAN.starting(datetime(2026, 11, 10, 15))
        world.book(number, span=span, **more)
        world.link(number=number)
        world.read(span, number=number, at=SPAN.end_at + 10 * HOUR)

    @pytest.mark.parametrize(("code", "held"), [(None, {"same-day-same-code"}), ("90832", set())])
    def test_a_line_without_a_code_bills_the_planned_one(
        self, world: GateWorld, code: str | None, held: set[str]
    ) -> None:
        self.book(world)
        both = judged(world, {}, {"appointment": "A-2", "code": code})
        assert [codes(one.answer) for one in both] == [held] * 2

    def test_what_did_not_take_place_is_no_duplicate_though_the_file_bills_it(self, world: GateWorld) -> None:
        self.book(world, status=AppointmentStatus.NO_SHOW)
        both = judged(world, {}, {"appointment": "A-2"})
        assert [codes(one.answer) for one in both] == [set(), {"no-show"}]

    def test_what_the_file_does_not_bill_stays_as_it_is_on_the_books(self, world: GateWorld) -> None:
        self.book(world, code="90832")
        self.book(world, "A-3", code="90834")
        both = judged(world, {}, {"appointment": "A-2", "code": "90832"})
        assert [codes(one.answer) for one in both] == [{"same-day-same-code"}, set()]
