"""Every word of `drifts resolve`, on a calendar in memory: what the books, the calendar and the gate say afterwards."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from calsync.answers.edits import Settled, resolve_drift, resolve_edit
from calsync.answers.words import Answer, Desk, Word
from calsync.claims.answer import Answer as GateAnswer
from calsync.claims.gate import Gate, Question
from calsync.domain.appointment import AppointmentStatus, Subject, SubjectKind
from calsync.domain.drift import Drift, Resolution
from calsync.errors import NotFoundError, Refused
from calsync.settings.model import Settings
from calsync.store import (
    audit,
    holds,
    outbox,
    owed_writes,
    record_changes,
    records,
    statements,
    subject_changes,
    webhooks,
)
from calsync.testing.personality import CALDAV_SOGO, CALDAV_SYNC, Personality
from tests.unit.worker.world import NOW, World

ALL = [one for one in Answer if one not in (Answer.TOOK_PLACE, Answer.RESCHEDULE)]


class Desked(World):
    """The world, with a desk to answer at and a gate to ask."""

    def __init__(self, personality: Personality = CALDAV_SYNC) -> None:
        super().__init__(personality)
        self.desk = Desk(self.database, Settings(path=Path("calsync.toml")), self.clock, self.ids)

    def past_session(self, number: str = "A-1", *, origin: str = "book") -> None:
        """A completed session of this morning that the calendar showed, and was read after its end."""
        one = self.book(number, "2026-11-16T10:00")
        self.run()
        self.later(hours=3)
        with self.database.transaction() as conn:
            done: dict[str, Any] = {"now": self.clock.now(), "actor": "provider:P-1", "action": "complete"}
            after = type(one)(**{**_fields(one), "status": AppointmentStatus.COMPLETED})
            record_changes.put_appointment(conn, after, completed_by="provider:P-1", **done)
            if origin != "book":
                conn.exec_driver_sql(f"UPDATE appointments SET origin = '{origin}'")
        self.run()

    def answer(self, answer: Answer, drift: str | None = None, **told: Any) -> Settled:
        word = Word(answer=answer, by="support:ada", note=told.pop("note", "asked her"), **told)
        self.later(minutes=5)
        return resolve_drift(self.desk, drift or self.drifts()[-1].id, word)

    def answer_edit(self, answer: Answer, **told: Any) -> Settled:
        word = Word(answer=answer, by="support:ada", note="asked her", **told)
        self.later(minutes=5)
        return resolve_edit(self.desk, self.drifts()[-1].edit, word)

    def check(self, number: str = "A-1") -> GateAnswer:
        (answer,) = Gate(self.database, self.desk.settings, self.clock, self.ids).check([Question(number)])
        return answer

    def open_holds(self) -> int:
        with self.database.reading() as conn:
            return len(holds.standing(conn))

    def statement(self, number: str = "A-1") -> Any:
        with self.database.reading() as conn:
            return statements.of_appointments(conn, [number])[number][-1]

    def start_of(self, number: str) -> datetime:
        with self.database.reading() as conn:
            found = records.appointment(conn, number)
        assert found is not None
        return found.span.start

    def is_audited(self, drift: str) -> bool:
        with self.database.reading() as conn:
            told = [row for row in audit.rows(conn, f"drift:{drift}") if row.what == "drift-answered"]
            assert audit.verify(conn).is_whole
        return [row.actor for row in told] == ["support:ada"]


def _fields(one: Any) -> dict[str, Any]:
    return {name: getattr(one, name) for name in type(one).__dataclass_fields__}


def codes(answer: GateAnswer) -> set[str]:
    return {str(one.code) for one in answer.reasons}


@pytest.fixture
def world() -> Desked:
    return Desked()


def dragged_past(world: Desked, **how: Any) -> Drift:
    """The session of 16 November is dragged to the 17th, on the 18th."""
    world.past_session(**how)
    world.later(days=2)
    world.people.drag(world.only(), timedelta(days=1))
    world.run()
    (drift,) = world.drifts()
    assert "drift-open" in codes(world.check())
    return drift


def test_stands_accepts_what_is_seen_and_leaves_the_calendar(world: Desked) -> None:
    drift = dragged_past(world)
    assert world.answer(Answer.STANDS) == Settled(drift.edit, (drift.id,), ())
    (after,) = world.drifts()
    assert (after.resolution, after.accepted) == (Resolution.ACKNOWLEDGED, True)
    shown = world.shown()
    assert world.run(full=True).drifts == 0
    assert world.shown() == shown
    assert (world.check().verdict, world.check().date_of_service) == ("cleared", date(2026, 11, 16))
    assert (world.statement().says, world.statement().saw) == ("as-booked", (drift.id,))
    assert (world.open_holds(), world.is_audited(drift.id)) == (0, True)


@pytest.mark.parametrize("personality", [CALDAV_SYNC, CALDAV_SOGO], ids=lambda one: one.name)
def test_what_nobody_can_read_and_is_let_be_is_told_of_once(personality: Personality) -> None:
    world = Desked(personality)
    dragged_past(world)
    world.answer(Answer.DISMISS, note=None)
    world.people.break_event(world.only())
    world.run()
    world.answer(Answer.STANDS)
    for full in (False, True):
        assert world.run(full=full).drifts == 0
    with world.database.transaction() as conn:
        subject_changes.mark(conn, "P-1", Subject(SubjectKind.APPOINTMENT, "A-1"))
    assert world.run().drifts == 0
    assert [one.resolution for one in world.drifts()] == [Resolution.IGNORED, Resolution.ACKNOWLEDGED]


def test_dismiss_ends_it_without_a_word_about_the_session(world: Desked) -> None:
    drift = dragged_past(world)
    world.answer(Answer.DISMISS, note=None)
    assert world.drifts()[0].resolution is Resolution.IGNORED
    assert world.run(full=True).drifts == 0
    assert world.check().verdict == "cleared"
    assert (world.open_holds(), world.is_audited(drift.id)) == (0, True)


def test_restore_writes_the_expected_event_again_and_clears(world: Desked) -> None:
    drift = dragged_past(world)
    before = world.drifts()[0].expected
    assert before is not None
    world.answer(Answer.RESTORE)
    assert world.open_holds() == 0
    assert world.shown()[world.only()] != before.span
    world.run()
    assert world.shown()[world.only()].same_time_as(before.span)
    (after,) = world.drifts()
    assert (after.resolution, after.accepted) == (Resolution.ACKNOWLEDGED, False)
    world.later(minutes=10)
    world.run(full=True)
    assert len(world.drifts()) == 1
    assert world.check().verdict == "cleared"
    assert (world.open_holds(), world.is_audited(drift.id)) == (0, True)


def test_restore_survives_a_full_look_at_the_calendar_before_it_is_written(world: Desked) -> None:
    dragged_past(world)
    expected = world.drifts()[0].expected
    assert expected is not None
    world.answer(Answer.RESTORE)
    world.run(full=True)
    assert world.shown()[world.only()].same_time_as(expected.span)
    assert len(world.drifts()) == 1


def test_restore_makes_a_deleted_event_again(world: Desked) -> None:
    world.past_session()
    (span,) = world.shown().values()
    world.people.delete(world.only())
    world.run()
    world.answer(Answer.RESTORE)
    world.run()
    assert [one.start for one in world.shown().values()] == [span.start]


def test_took_place_corrects_a_record_of_our_own(world: Desked) -> None:
    drift = dragged_past(world)
    world.answer(Answer.TOOK_PLACE, start="2026-11-17T10:00")
    assert world.start_of("A-1") == datetime(2026, 11, 17, 10)
    assert world.drifts()[0].resolution is Resolution.RECORD_CORRECTED
    world.run(full=True)
    world.later(minutes=10)
    world.run(full=True)
    answer = world.check()
    assert (answer.verdict, answer.date_of_service) == ("cleared", date(2026, 11, 17))
    assert world.is_audited(drift.id)


def test_took_place_asks_another_platform_to_correct_its_record(world: Desked) -> None:
    dragged_past(world, origin="import")
    world.answer(Answer.TOOK_PLACE, start="2026-11-17T10:00", end="2026-11-17T10:50")
    assert world.start_of("A-1") == datetime(2026, 11, 16, 10)
    assert codes(world.check()) == {"statement-contradicts"}
    with world.database.reading() as conn:
        kinds = [one.kind for one in outbox.of_recipient(conn, "support", NOW)]
    assert kinds == ["record-correction"]
    with world.database.transaction() as conn:
        webhooks.fan_out(conn, lambda kind: ["platform"] if kind.startswith("record.") else [], NOW)
        ((told, _),) = webhooks.rows(conn)
    assert (told.type, told.payload["appointment"]) == ("record.correction-requested", "A-1")
    assert told.payload["wanted"]["start"] == "2026-11-17T10:00:00"
    world.book("A-1", "2026-11-17T10:00", status="completed")
    world.run(full=True)
    world.later(minutes=10)
    world.run(full=True)
    assert (world.check().verdict, world.check().date_of_service) == ("cleared", date(2026, 11, 17))


def test_did_not_take_place_makes_it_not_billable(world: Desked) -> None:
    dragged_past(world)
    world.answer(Answer.DID_NOT_TAKE_PLACE)
    assert world.check().verdict == "not-billable"
    assert world.statement().says == "did-not-take-place"


def test_did_not_take_place_holds_until_another_platform_agrees(world: Desked) -> None:
    dragged_past(world, origin="api")
    world.answer(Answer.DID_NOT_TAKE_PLACE)
    assert codes(world.check()) == {"statement-contradicts"}


def test_the_original_stands_answers_a_revert(world: Desked) -> None:
    world.book("A-1", "2026-11-17T10:00")
    world.run()
    world.people.drag(world.only(), timedelta(days=1))
    world.run()
    world.later(minutes=5)
    world.run()
    (drift,) = world.drifts()
    assert drift.resolution is Resolution.REVERTED
    world.answer(Answer.STANDS, note=None)
    (after,) = world.drifts()
    assert (after.resolution, after.accepted) == (Resolution.ACKNOWLEDGED, False)
    assert world.open_holds() == 0
    with pytest.raises(Refused, match="settled already"):
        world.answer(Answer.STANDS)


def test_reschedule_moves_the_record_to_where_it_was_dragged(world: Desked) -> None:
    world.book("A-1", "2026-11-17T10:00")
    world.run()
    world.people.drag(world.only(), timedelta(days=1))
    world.run()
    world.answer(Answer.RESCHEDULE)
    assert world.start_of("A-1") == datetime(2026, 11, 18, 10)
    world.later(minutes=5)
    assert world.run(full=True).drifts == 0
    assert [one.start for one in world.shown().values()] == [datetime(2026, 11, 18, 10)]
    assert [one.resolution for one in world.drifts()] == [Resolution.RECORD_CORRECTED]
    assert world.open_holds() == 0


def test_reschedule_takes_another_time_that_is_named(world: Desked) -> None:
    world.book("A-1", "2026-11-17T10:00")
    world.run()
    world.people.drag(world.only(), timedelta(days=1))
    world.run()
    world.later(minutes=5)
    world.run()
    world.answer(Answer.RESCHEDULE, start="2026-11-19T15:00")
    world.run()
    assert [one.start for one in world.shown().values()] == [datetime(2026, 11, 19, 15)]


def test_a_dragged_series_is_rescheduled_from_its_first_upcoming_session(world: Desked) -> None:
    world.book_series("S-1", "2026-11-18T10:00", "FREQ=WEEKLY;COUNT=4", 4)
    world.run()
    world.people.drag_series(world.only(), timedelta(hours=2))
    world.run()
    assert len(world.drifts()) == 4
    settled = world.answer_edit(Answer.RESCHEDULE)
    assert len(settled.answered) == 4
    assert [world.start_of(f"S-1-{n}").hour for n in range(4)] == [12, 12, 12, 12]


def test_a_rule_that_refuses_changes_nothing(world: Desked) -> None:
    world.book("A-1", "2026-11-17T10:00")
    world.book("A-2", "2026-11-17T12:00")
    world.run()
    first = next(name for name, span in world.shown().items() if span.start.hour == 10)
    world.people.drag(first, timedelta(hours=2))
    world.run()
    with pytest.raises(Refused) as refused:
        world.answer(Answer.RESCHEDULE)
    assert refused.value.code == "overlaps"
    assert world.start_of("A-1") == datetime(2026, 11, 17, 10)
    assert world.drifts()[0].resolution is Resolution.OPEN


def test_an_answer_withdraws_what_was_going_to_be_put_back(world: Desked) -> None:
    world.book("A-1", "2026-11-17T10:00")
    world.run()
    world.people.drag(world.only(), timedelta(hours=1))
    world.run()
    world.answer(Answer.STANDS)
    world.run()
    world.later(minutes=10)
    world.run(full=True)
    with world.database.reading() as conn:
        assert owed_writes.count_owed(conn, world.calendar) == 0
        assert [one.state for one in outbox.of_recipient(conn, "provider:P-1", NOW)] == ["merged"]
    assert [one.start.hour for one in world.shown().values()] == [11]
    assert len(world.drifts()) == 1


@pytest.mark.parametrize("answer", [Answer.TOOK_PLACE, Answer.DID_NOT_TAKE_PLACE, Answer.RESCHEDULE])
def test_what_may_change_a_date_or_a_bill_needs_a_note(world: Desked, answer: Answer) -> None:
    dragged_past(world)
    with pytest.raises(Refused, match="needs a note"):
        world.answer(answer, note=" ", start="2026-11-17T10:00")
    assert world.drifts()[0].resolution is Resolution.OPEN


def test_took_place_needs_a_start_that_is_over(world: Desked) -> None:
    dragged_past(world)
    with pytest.raises(Refused, match="--start"):
        world.answer(Answer.TOOK_PLACE)
    with pytest.raises(Refused, match="still to come"):
        world.answer(Answer.TOOK_PLACE, start="2026-12-15T10:00")
    with pytest.raises(Refused, match="not a time"):
        world.answer(Answer.TOOK_PLACE, start="tomorrow")


def test_what_is_unknown_is_named(world: Desked) -> None:
    with pytest.raises(NotFoundError):
        world.answer(Answer.STANDS, drift="nothing")
    with pytest.raises(NotFoundError):
        resolve_edit(world.desk, "nothing", Word(answer=Answer.STANDS, by="support:ada"))


@pytest.mark.parametrize("answer", ALL)
def test_no_edit_is_settled_twice(world: Desked, answer: Answer) -> None:
    dragged_past(world)
    world.answer(answer)
    with pytest.raises(Refused, match="settled already"):
        world.answer(Answer.STANDS)


def test_a_block_can_be_restored_and_has_no_session_to_speak_of(world: Desked) -> None:
    world.block("B-1", "2026-12-24T09:00")
    world.run()
    world.people.drag(world.only(), timedelta(days=1))
    world.run()
    with pytest.raises(Refused, match="blocked out"):
        world.answer(Answer.DID_NOT_TAKE_PLACE)
    world.answer(Answer.RESTORE)
    world.run()
    assert [one.start.day for one in world.shown().values()] == [24]


def test_restoring_one_session_leaves_what_was_done_to_the_others(world: Desked) -> None:
    sessions = world.book_series("S-1", "2026-11-16T10:00", "FREQ=WEEKLY;COUNT=4", 4)
    world.run()
    world.later(days=9)
    for number in (0, 1):
        world.people.drag_occurrence(world.only(), sessions[number].span.start_at, timedelta(hours=2))
    world.run()
    first, second = sorted(world.drifts(), key=lambda one: one.appointment or "")
    assert (first.appointment, second.appointment) == ("S-1-0", "S-1-1")
    world.answer(Answer.RESTORE, first.id)
    world.run()
    shown = {one.original_start: one for one in world.people.see(world.only()).event.overrides}
    assert sessions[0].span.start_at not in shown
    assert shown[sessions[1].span.start_at].appearance.span.start.hour == 12
    world.run(full=True)
    assert {one.appointment: one.resolution for one in world.drifts()} == {
        "S-1-0": Resolution.ACKNOWLEDGED,
        "S-1-1": Resolution.OPEN,
    }
