"""The gate over the books where they are thin, odd or changed by somebody else: what no everyday session shows."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from calsync.claims.case import NextRead
from calsync.claims.case_rows import provider_of, record_of, span_of
from calsync.claims.deciding import decide
from calsync.claims.filing import CloseReason, FiledLine, Frequency, close_recall, file_claims
from calsync.claims.proof import write_proof
from calsync.claims.reads import reads_of
from calsync.claims.rules import GateRules
from calsync.domain.appointment import AppointmentStatus
from calsync.domain.drift import Resolution
from calsync.domain.event import Appearance
from calsync.domain.span import Span
from calsync.errors import NotFoundError, Refused
from calsync.settings.practice import Practice
from calsync.store import calendars, drifts, evidence, filings, gate_rows, observations, stops
from calsync.store.calendars import CalendarState
from calsync.store.database import open_database
from calsync.store.evidence import SessionEvidence
from calsync.store.stops import StopRow
from calsync.store.upgrade import create_for_tests
from tests.unit.claims.gate_world import DAY, NEXT_DAY, NOW, READ, SPAN, GateWorld, codes

HOUR = timedelta(hours=1)


@pytest.fixture
def world() -> GateWorld:
    """What other gate tests have, in memory: nothing here is about databases."""
    database = open_database("sqlite://")
    create_for_tests(database)
    return GateWorld(database)


class TestTheCase:
    def test_an_edit_that_shows_a_whole_day_or_nothing_holds(self, world: GateWorld) -> None:
        world.drift("D-1", observed=None)
        day = Span(datetime(2026, 11, 10), datetime(2026, 11, 11), "America/Chicago", all_day=True)
        world.drift("D-2", observed=day, episode=2)
        (reason,) = world.check().reasons
        assert "D-1" in reason.text
        assert "shows moved 2026-11-10 00:00" in reason.text

    def test_a_zone_that_this_machine_does_not_know_holds(self, world: GateWorld) -> None:
        world.drift()
        with world.db.transaction() as conn:
            conn.exec_driver_sql("UPDATE appointments SET zone = 'America/Somewhere'")
        assert codes(world.check()) == {"zone-unknown"}
        world.observe()
        assert codes(world.check()) == {"zone-unknown"}

    def test_what_cannot_be_placed_has_no_span_and_nobody_has_no_declaration(self, world: GateWorld) -> None:
        with world.db.reading() as conn:
            row = gate_rows.records(conn, ["A-1"])["A-1"]
        assert span_of(replace(row, zone="Mars/Base")) is None
        assert span_of(row) == SPAN
        assert provider_of(None).calendars is None
        assert record_of(replace(row, completed_by="import")).completed_by_person is False

    def test_rows_of_a_session_log_are_part_of_it(self, world: GateWorld) -> None:
        rows = [
            SessionEvidence(f"E-{who}", "A-1", "desk", who, SPAN.start_at + 4 * HOUR, SPAN.end_at + 4 * HOUR, NOW)
            for who in ("both", None)
        ]
        with world.db.transaction() as conn:
            evidence.put_many(conn, rows)
        answer = world.check()
        assert codes(answer) == {"evidence-contradicts", "observation-stale"}
        assert {one.id for one in answer.evidence if one.kind == "session"} == {"E-both", "E-None"}


class TestCalendars:
    @pytest.mark.parametrize(
        ("kind", "touched", "held"),
        [
            ("pause", ("A-1",), set()),
            ("stampede", ("A-2",), set()),
            ("stampede", ("A-1",), {"calendar-stopped"}),
            ("lost", (), {"calendar-stopped"}),
        ],
    )
    def test_a_stop_holds_by_what_it_touched(
        self, world: GateWorld, kind: str, touched: tuple[str, ...], held: set[str]
    ) -> None:
        with world.db.transaction() as conn:
            calendars.set_state(conn, "K-1", CalendarState.STOPPED, None, READ + HOUR)
            stops.start(conn, StopRow("S-1", "K-1", READ + HOUR, kind, {}, touched))
        assert codes(world.check()) == held

    @pytest.mark.parametrize(
        ("state", "held"), [(CalendarState.PAUSED, set()), (CalendarState.STOPPED, {"calendar-stopped"})]
    )
    def test_a_calendar_at_rest_without_a_row_of_its_stop(
        self, world: GateWorld, state: CalendarState, held: set[str]
    ) -> None:
        with world.db.transaction() as conn:
            calendars.set_state(conn, "K-1", state, None, READ + HOUR)
        answer = world.check()
        assert codes(answer) == held
        assert answer.next_step_at is None

    def test_a_calendar_that_must_wait_is_read_no_earlier(self, world: GateWorld) -> None:
        with world.db.transaction() as conn:
            conn.exec_driver_sql("DELETE FROM observations")
            conn.exec_driver_sql("UPDATE calendars SET due_at = 0, not_before = ?", (_micros(NOW + HOUR),))
        assert world.check().next_step_at == NOW + HOUR
        with world.db.transaction() as conn:
            conn.exec_driver_sql("UPDATE calendars SET not_before = NULL")
        assert world.check().next_step_at == NOW, "what is overdue comes next"

    def test_the_sessions_own_link_ends_when_its_series_takes_over(self, world: GateWorld) -> None:
        with world.db.transaction() as conn:
            conn.exec_driver_sql("UPDATE links SET ended_at = ?", (_micros(READ),))
        assert codes(world.check()) == set()

    def test_of_several_reads_to_come_the_first_one_is_next(self, world: GateWorld) -> None:
        (found,) = world.gate.look(["A-1"])
        coming = tuple(NextRead(calendar="K-1", due_at=NOW + hours * HOUR) for hours in (3, 1, 2))
        assert reads_of(replace(found.file.case, next_reads=coming), "K-1").next_at == NOW + HOUR


def _micros(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000)


class TestTheGate:
    def test_looking_writes_nothing_and_issues_nothing(self, world: GateWorld) -> None:
        (found,) = world.gate.look(["A-1"])
        assert (str(found.answer.verdict), found.file.clearance) == ("cleared", None)
        (again,) = world.gate.look(["A-1"])
        assert again.file.clearance is None

    def test_catching_up_shows_recalls_as_they_stand(self, world: GateWorld) -> None:
        world.check()
        world.drift()
        assert world.recalls() == []
        world.gate.catch_up()
        assert [one.action for one in world.recalls()] == ["stop"]

    def test_a_practice_without_a_file_follows_the_site(self, world: GateWorld) -> None:
        world.configure(unlinked="clear")
        practice = Practice.model_validate({"claims": {"unlinked": "hold"}, "sync": {"mode": "observe"}})
        settings = world.settings.model_copy(update={"practices": {"own": practice}})
        rules = GateRules(settings)
        assert (rules.policy("nobody", "insurance").unlinked, rules.observes("nobody")) == ("clear", False)
        assert (rules.policy("own", "insurance").unlinked, rules.observes("own")) == ("hold", True)
        world.settings = settings
        world.observe()
        assert GateRules(world.settings).observes("nobody")


class TestObserving:
    def test_an_unknown_appointment_stays_unknown(self, world: GateWorld) -> None:
        world.observe()
        answer = world.check("A-404")
        assert (codes(answer), answer.date_of_service) == ({"unknown-appointment"}, None)

    def test_what_is_not_billable_stays_so(self, world: GateWorld) -> None:
        world.observe()
        world.book(payer="self")
        assert str(world.check().verdict) == "not-billable"

    def test_a_session_over_midnight_has_no_date_to_pass(self, world: GateWorld) -> None:
        world.observe()
        late = Span(datetime(2026, 11, 10, 23, 30), datetime(2026, 11, 11, 0, 20), "America/Chicago")
        world.book(span=late)
        assert codes(world.check()) == {"crosses-midnight"}


class TestFiling:
    def test_a_claim_without_a_date_is_told_so(self, world: GateWorld) -> None:
        world.drift()
        with pytest.raises(Refused, match="the gate gives no date for it"):
            file_claims(world.gate, [FiledLine(appointment="A-1")], by="support:ada")

    def test_the_date_of_the_clearance_is_what_was_sent(self, world: GateWorld) -> None:
        world.check()
        world.drift()
        (sent,) = file_claims(world.gate, [FiledLine(appointment="A-1")], by="support:ada")
        assert (sent.date, sent.against_gate) == (DAY, True)

    def test_an_original_is_filed_once_and_an_unknown_one_never(self, world: GateWorld) -> None:
        file_claims(world.gate, [FiledLine(appointment="A-1")], by="support:ada")
        lines = [FiledLine(appointment="A-1", batch="2"), FiledLine(appointment="A-404")]
        with pytest.raises(Refused) as refusal:
            file_claims(world.gate, lines, by="support:ada")
        assert [one.where for one in refusal.value.problems] == ["appointment A-1", "appointment A-404"]

    def test_a_void_is_told_once(self, world: GateWorld) -> None:
        file_claims(world.gate, [FiledLine(appointment="A-1", batch="1", claim="C-1")], by="support:ada")
        void = FiledLine(appointment="A-1", frequency=Frequency.VOID, batch="2")
        (told,) = file_claims(world.gate, [void], by="support:ada")
        assert (told.state, told.date, told.against_gate) == ("void", DAY, False)
        assert file_claims(world.gate, [void], by="support:ada") == []
        again = FiledLine(appointment="A-1", batch="1", claim="C-1")
        assert file_claims(world.gate, [again], by="support:ada") == [], "that very line was told before"

    @pytest.mark.parametrize(
        ("reason", "stands"), [(CloseReason.ALREADY_RIGHT, True), (CloseReason.REJECTED_BY_PAYER, False)]
    )
    def test_closing_a_recall_says_what_stands_filed(self, world: GateWorld, reason: CloseReason, stands: bool) -> None:
        file_claims(world.gate, [FiledLine(appointment="A-1")], by="support:ada")
        world.drift()
        world.read(NEXT_DAY, at=READ + HOUR, drift="D-1")
        world.drain()
        (recall,) = world.recalls()
        with pytest.raises(Refused, match="without a note"):
            close_recall(world.gate, recall.id, reason, by="support:ada", note=" ")
        with pytest.raises(NotFoundError):
            close_recall(world.gate, "R-404", reason, by="support:ada", note="x")
        close_recall(world.gate, recall.id, reason, by="support:ada", note="called them")
        with world.db.reading() as conn:
            assert bool(filings.filed_among(conn, ["A-1"])) is stands
        with pytest.raises(Refused, match="already"):
            close_recall(world.gate, recall.id, reason, by="support:ada", note="again")

    def test_closing_a_recall_of_a_clearance_ends_the_clearance(self, world: GateWorld) -> None:
        world.check()
        world.drift()
        world.drain()
        (recall,) = world.recalls()
        close_recall(world.gate, recall.id, CloseReason.NOT_OURS, by="support:ada", note="never sent")
        (found,) = world.gate.look(["A-1"])
        assert found.file.clearance is None

    def test_the_same_facts_again_are_the_same_recall_told_anew(self, world: GateWorld) -> None:
        file_claims(world.gate, [FiledLine(appointment="A-1")], by="support:ada")
        for status in (AppointmentStatus.NO_SHOW, AppointmentStatus.COMPLETED, AppointmentStatus.NO_SHOW):
            world.book(status=status)
            world.drain()
        (recall,) = world.recalls()
        assert (recall.action, recall.state, recall.version, recall.closed_at) == ("void", "open", 3, None)

    @pytest.mark.parametrize(("code", "state"), [("90834", "withdrawn"), ("90832", "open")])
    def test_a_recalled_clearance_is_right_again_only_with_all_that_it_said(
        self, world: GateWorld, code: str, state: str
    ) -> None:
        world.check()
        world.drift()
        world.drain()
        file_claims(world.gate, [FiledLine(appointment="A-1")], by="support:ada")
        with world.db.transaction() as conn:
            drifts.resolve(conn, "D-1", Resolution.ACKNOWLEDGED, NOW, by="support:ada", accepted=True)
        world.book(code=code)
        world.drain()
        assert [one.state for one in world.recalls() if one.action == "stop"] == [state]

    def test_another_line_of_a_batch_is_another_line(self, world: GateWorld) -> None:
        file_claims(world.gate, [FiledLine(appointment="A-1", batch="1", claim="C-1", line="1")], by="support:ada")
        other = FiledLine(appointment="A-1", batch="1", claim="C-1", line="2", frequency=Frequency.REPLACEMENT)
        (told,) = file_claims(world.gate, [other], by="support:ada")
        assert (told.line, told.state) == ("2", "filed")
        assert file_claims(world.gate, [replace(other, date=DAY)], by="support:ada") == []


class TestRulings:
    def test_a_ruling_names_what_it_is_about(self, world: GateWorld) -> None:
        world.book("A-2", code="90834")
        says = {word: decide(world.gate, "A-1", word, by="billing:b", note="asked").about for word in ("end", "client")}
        says["A-2"] = decide(world.gate, "A-1", "A-2", by="billing:b", note="asked").about
        assert says == {"end": "crosses-midnight", "client": "date-depends-on-zone", "A-2": "same-day-same-code"}

    @pytest.mark.parametrize(
        ("appointment", "says", "note", "fault"),
        [
            ("A-1", "end", " ", Refused),
            ("A-404", "end", "x", NotFoundError),
            ("A-1", "A-404", "x", NotFoundError),
            ("A-1", "A-1", "x", Refused),
        ],
    )
    def test_a_ruling_that_means_nothing_is_refused(
        self, world: GateWorld, appointment: str, says: str, note: str, fault: type[Exception]
    ) -> None:
        with pytest.raises(fault):
            decide(world.gate, appointment, says, by="billing:b", note=note)


class TestProof:
    def test_it_shows_whole_days_cancelled_events_and_what_is_not_there(self, world: GateWorld) -> None:
        day = Span(datetime(2026, 11, 10), datetime(2026, 11, 11), "America/Chicago", all_day=True)
        world.read(None, at=READ + HOUR)
        world.read(day, at=READ + 2 * HOUR)
        with world.db.transaction() as conn:
            off = observations.Observation(
                "K-1", "L-K-1-A-1", "A-1", READ + 3 * HOUR, Appearance(SPAN, cancelled=True), "3", None, after_end=True
            )
            observations.insert(conn, off)
        page = write_proof(world.gate, "A-1")
        for text in ("not there", "2026-11-10, all day", "America/Chicago, called off"):
            assert text in page
        with pytest.raises(NotFoundError):
            write_proof(world.gate, "A-404")
