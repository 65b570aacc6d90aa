"""What people and feeds do to a session after the gate said yes: the doubt stays until somebody answers it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from calsync.answers.edits import resolve_drift
from calsync.answers.words import Answer, Desk, Word
from calsync.claims.deciding import decide
from calsync.claims.filing import FiledLine, file_claims
from calsync.claims.gate import Gate, Question
from calsync.claims.reasons import Verdict
from calsync.domain.appointment import AppointmentStatus
from calsync.domain.span import Span
from calsync.settings.model import Settings
from calsync.store import record_changes, records
from tests.unit.claims.gate_world import DAY, SPAN, GateWorld, codes
from tests.unit.worker.world import ZONE, World

A_DAY = timedelta(days=1)


class Practice(World):
    """One session, A-1, on 17 November at ten; mirrored, held, read after its end and recorded as held: it clears."""

    def __init__(self) -> None:
        super().__init__()
        self.settings = Settings(path=Path("calsync.toml"))
        self.book("A-1", "2026-11-17T10:00")
        self.run()
        self.at("11:00")
        self.run()
        self.complete()
        assert self.verdict() is Verdict.CLEARED

    def at(self, clock: str) -> None:
        """Let the time of 17 November come."""
        then = datetime.fromisoformat(f"2026-11-17T{clock}").replace(tzinfo=ZoneInfo(ZONE))
        self.clock.advance(then - self.clock.now())

    def complete(self) -> None:
        """Record that it took place."""
        with self.database.transaction() as conn:
            one = records.appointment(conn, "A-1")
            assert one is not None
            done = replace(one, status=AppointmentStatus.COMPLETED)
            who = "provider:P-1"
            record_changes.put_appointment(
                conn, done, now=self.clock.now(), actor=who, action="completed", completed_by=who
            )

    def say(self, answer: Answer) -> None:
        """Support answers the only edit."""
        desk = Desk(self.database, self.settings, self.clock, self.ids)
        (drift,) = self.drifts()
        resolve_drift(desk, drift.id, Word(answer=answer, by="support:test", note="because"))

    def verdict(self) -> Verdict:
        """What the gate says of it now."""
        (answer,) = Gate(self.database, self.settings, self.clock, self.ids).check([Question("A-1")])
        return answer.verdict


@pytest.fixture
def practice() -> Practice:
    return Practice()


def test_a_word_about_an_edit_is_none_about_what_was_made_of_it_since(practice: Practice) -> None:
    practice.people.drag(practice.only(), A_DAY)
    practice.later(minutes=5)
    practice.run()
    practice.say(Answer.RESTORE)
    practice.later(minutes=1)
    practice.people.drag(practice.only(), A_DAY)
    practice.later(minutes=1)
    practice.run()
    assert practice.verdict() is Verdict.HELD
    # And it is no dead end: what it shows now can be answered like any other edit.
    practice.later(minutes=1)
    practice.say(Answer.STANDS)
    assert practice.verdict() is Verdict.CLEARED


@pytest.mark.parametrize("rule", ["hold", "start"])
def test_observing_gives_the_date_that_a_person_decided_on(world: GateWorld, rule: str) -> None:
    night = Span(datetime(2026, 11, 10, 23, 30), datetime(2026, 11, 11, 0, 20), SPAN.zone)
    world.book(span=night)
    world.read(night, at=night.end_at + timedelta(minutes=10))
    world.configure(midnight=rule)
    decide(world.gate, "A-1", "end", by="billing:b", note="it concluded then")
    world.drift()
    world.observe()
    answer = world.check()
    assert (answer.verdict, answer.date_of_service) == (Verdict.CLEARED, date(2026, 11, 11))


def test_what_was_filed_is_a_duplicate_by_the_code_it_was_filed_under(world: GateWorld) -> None:
    world.book("A-2", span=SPAN.starting(datetime(2026, 11, 10, 14)), code=None)
    assert world.check().verdict is Verdict.CLEARED
    file_claims(world.gate, [FiledLine(appointment="A-2", date=DAY, code="90834")], by="billing:b", note=None)
    assert codes(world.check()) == {"same-day-same-code"}


def shift_the_record(practice: Practice, clock: str) -> None:
    """What a platform's feed does when it learns when a session really began."""
    with practice.database.transaction() as conn:
        one = records.appointment(conn, "A-1")
        assert one is not None
        moved = replace(one, span=one.span.starting(datetime.fromisoformat(f"2026-11-17T{clock}")))
        record_changes.put_appointment(conn, moved, now=practice.clock.now(), actor="import", action="import")


def passes(practice: Practice) -> None:
    for _ in range(3):
        practice.later(minutes=5)
        practice.run()


@pytest.mark.parametrize("seen_first", [True, False])
@pytest.mark.parametrize("deleted", [True, False])
def test_a_feed_that_shifts_a_past_session_does_not_answer_its_edit(
    practice: Practice, *, deleted: bool, seen_first: bool
) -> None:
    if deleted:
        practice.people.delete(practice.only())
    else:
        practice.people.drag(practice.only(), A_DAY)
    if seen_first:
        passes(practice)
    shift_the_record(practice, "10:05")
    passes(practice)
    # The calendar follows the record, and the question stays.
    assert practice.people.see(practice.only()).event.master.span.start == datetime(2026, 11, 17, 10, 5)
    assert practice.verdict() is Verdict.HELD
    practice.say(Answer.STANDS)
    assert practice.verdict() is Verdict.CLEARED


def test_a_record_that_comes_to_say_what_was_seen_answers_the_edit(practice: Practice) -> None:
    practice.people.drag(practice.only(), timedelta(minutes=5))
    passes(practice)
    assert practice.verdict() is Verdict.HELD
    shift_the_record(practice, "10:05")
    passes(practice)
    assert practice.verdict() is Verdict.CLEARED


def test_a_reading_at_the_very_instant_from_which_they_count_is_taken_again(practice: Practice) -> None:
    shift_the_record(practice, "12:00")
    practice.run()
    practice.at("12:52")
    practice.run()
    assert practice.verdict() is Verdict.HELD
    practice.later(minutes=1)
    practice.run()
    assert practice.verdict() is Verdict.CLEARED
