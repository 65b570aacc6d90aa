"""Who says `restore` has answered: it is put back, whatever became of the first write, and nobody is asked twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from calsync.answers.words import Answer
from calsync.domain.appointment import AppointmentStatus
from calsync.domain.drift import Disposition, DriftKind, Phase, Resolution
from calsync.domain.span import Span, Window
from calsync.reconcile.align import keyed
from calsync.store import owed_writes, records
from calsync.testing.personality import CALDAV_SOGO, CALDAV_SYNC, Personality
from calsync.testing.weather import lost_request, meanwhile
from tests.unit.answers.test_edits import Desked, dragged_past, world
from tests.unit.worker.world import POLICY

__all__ = ["world"]
YEAR = Window(datetime(2026, 7, 1, tzinfo=UTC), datetime(2027, 7, 1, tzinfo=UTC))


def booked(world: Desked) -> Span:
    expected = world.drifts()[0].expected
    assert expected is not None
    return expected.span


def who_answered(world: Desked) -> list[str | None]:
    return [one.resolved_by for one in world.drifts()]


def test_a_write_that_never_arrived_is_made_again(world: Desked) -> None:
    dragged_past(world)
    world.answer(Answer.RESTORE)
    world.service.weather.next("write", lost_request())
    world.run()
    assert not world.shown()[world.only()].same_time_as(booked(world))
    world.later(minutes=10)
    world.run()
    assert world.shown()[world.only()].same_time_as(booked(world))
    (drift,) = world.drifts()
    assert (drift.resolution, drift.accepted, who_answered(world)) == (Resolution.ACKNOWLEDGED, False, ["support:ada"])


def test_a_version_that_moved_meanwhile_does_not_make_it_forgotten(world: Desked) -> None:
    dragged_past(world)
    world.answer(Answer.RESTORE)
    world.service.weather.next("write", meanwhile(lambda: world.people.recolour(world.only(), "red")))
    world.run()
    assert world.shown()[world.only()].same_time_as(booked(world))
    assert [one.resolution for one in world.drifts()] == [Resolution.ACKNOWLEDGED]


@pytest.mark.parametrize("personality", [CALDAV_SYNC, CALDAV_SOGO], ids=lambda one: one.name)
def test_an_event_that_got_another_name_meanwhile_is_put_back_there_and_made_no_second_time(
    personality: Personality,
) -> None:
    world = Desked(personality)
    dragged_past(world)
    world.answer(Answer.RESTORE)
    name = world.only()
    world.people.duplicate(name)
    world.people.delete(name)
    world.run()
    assert world.shown()[world.only()].same_time_as(booked(world))
    assert [one.resolution for one in world.drifts()] == [Resolution.ACKNOWLEDGED]


@pytest.mark.parametrize("personality", [CALDAV_SYNC, CALDAV_SOGO], ids=lambda one: one.name)
def test_what_was_called_off_and_taken_away_meanwhile_is_not_made_anew(personality: Personality) -> None:
    world = Desked(personality)
    dragged_past(world)
    world.answer(Answer.RESTORE)
    world.book("A-1", "2026-11-16T10:00", status="cancelled")
    world.people.delete(world.only())
    for _ in range(3):
        world.run()
        world.later(minutes=10)
    assert world.people.ids() == []
    with world.database.reading() as conn:
        assert owed_writes.count_owed(conn, "work") == 0


def test_a_further_edit_is_none_that_the_word_was_about(world: Desked) -> None:
    dragged_past(world)
    world.answer(Answer.RESTORE)
    world.service.weather.next("write", meanwhile(lambda: world.people.drag(world.only(), timedelta(days=1))))
    world.run()
    world.later(minutes=10)
    world.run()
    (drift,) = world.drifts()
    assert (drift.resolution, drift.disposition) == (Resolution.OPEN, Disposition.FLAG)
    assert who_answered(world) == [None]
    assert not world.shown()[world.only()].same_time_as(booked(world))


def test_neither_is_one_that_was_seen_before_the_write_went_out(world: Desked) -> None:
    dragged_past(world)
    world.answer(Answer.RESTORE)
    world.people.drag(world.only(), timedelta(days=1))
    before = world.people.see(world.only())
    for _ in range(3):
        world.run()
        world.later(minutes=3)
    assert world.people.see(world.only()) == before
    assert [(one.resolution, one.resolved_by) for one in world.drifts()] == [(Resolution.OPEN, None)]


def test_an_event_that_cannot_be_understood_is_replaced_over_what_stands_there(world: Desked) -> None:
    world.past_session()
    (span,) = world.shown().values()
    world.people.break_event(world.only())
    world.run(full=True)
    assert [one.kind for one in world.drifts()] == [DriftKind.UNREADABLE]
    world.answer(Answer.RESTORE)
    world.run()
    assert [one.start for one in world.shown().values()] == [span.start]
    assert [one.resolution for one in world.drifts()] == [Resolution.ACKNOWLEDGED]


def test_what_cannot_be_understood_is_left_alone_without_a_word_about_that(world: Desked) -> None:
    drift = dragged_past(world)
    world.answer(Answer.RESTORE, drift.id)
    world.people.break_event(world.only())
    world.run(full=True)
    world.later(minutes=10)
    world.run()
    assert world.people.see(world.only()).unreadable


def test_what_was_answered_to_an_invitation_is_let_be_and_nothing_waits(world: Desked) -> None:
    world.past_session()
    world.people.answer(world.only(), "declined")
    before = world.people.see(world.only())
    world.run()
    assert [one.kind for one in world.drifts()] == [DriftKind.DECLINED]
    world.answer(Answer.RESTORE)
    for _ in range(2):
        world.later(minutes=10)
        world.run(full=True)
    (drift,) = world.drifts()
    assert (drift.resolution, drift.accepted, drift.resolved_by) == (Resolution.ACKNOWLEDGED, True, "support:ada")
    assert world.people.see(world.only()) == before
    with world.database.reading() as conn:
        assert owed_writes.count_owed(conn, "work") == 0
    assert world.check().verdict == "cleared"
    world.people.drag(world.only(), timedelta(days=1))
    world.run()
    assert [one.kind for one in world.drifts() if one.resolution is Resolution.OPEN] == [DriftKind.MOVED]


def test_what_was_dragged_in_the_same_series_goes_back_and_nothing_waits_for_the_rest(world: Desked) -> None:
    world.settle(dispositions={**POLICY.dispositions, (DriftKind.MOVED, Phase.UPCOMING): Disposition.FLAG})
    slots = [one.span.start_at for one in world.book_series("S", "2026-11-17T10:00", "FREQ=WEEKLY;COUNT=4", 4)]
    world.run()
    world.people.drag_occurrence(world.only(), slots[1], timedelta(hours=2))
    world.people.answer(world.only(), "declined", slots[2])
    world.run()
    assert {one.kind for one in world.drifts()} == {DriftKind.MOVED, DriftKind.DECLINED}
    world.answer_edit(Answer.RESTORE)
    world.run()
    assert {one.resolution for one in world.drifts()} == {Resolution.ACKNOWLEDGED}
    assert world.people.see(world.only()).event.overrides == ()
    world.later(hours=1)
    world.run(full=True)
    assert len(world.drifts()) == 2


def copied_past(world: Desked) -> tuple[str, str]:
    """A series was copied an hour later; two of its four sessions are over, and all of it waits for an answer."""
    world.settle(dispositions={**POLICY.dispositions, **ASKED})
    world.book_series("S", "2026-11-03T10:00", "FREQ=WEEKLY;COUNT=4", 4)
    world.run()
    own = world.only()
    copy = world.people.duplicate(own, timedelta(hours=1))
    world.run()
    assert {one.disposition for one in world.drifts()} == {Disposition.FLAG}
    return own, copy


ASKED = {(DriftKind.DUPLICATED, phase): Disposition.FLAG for phase in Phase}


def test_a_copy_goes_at_a_word_about_all_of_it(world: Desked) -> None:
    own, _ = copied_past(world)
    world.answer_edit(Answer.RESTORE)
    world.run()
    assert world.people.ids() == [own]
    assert {one.resolution for one in world.drifts()} == {Resolution.REVERTED}
    assert set(who_answered(world)) == {"support:ada"}


def test_a_copy_goes_though_something_else_is_decided_about_its_series_first(world: Desked) -> None:
    own, copy = copied_past(world)
    world.answer_edit(Answer.RESTORE)
    world.people.recolour(copy, "red")
    world.run(full=True)
    world.later(minutes=10)
    world.run()
    assert world.people.ids() == [own]


def test_a_copy_that_its_owner_took_away_is_answered(world: Desked) -> None:
    own, copy = copied_past(world)
    world.answer_edit(Answer.RESTORE)
    world.people.delete(copy)
    world.run(full=True)
    assert world.people.ids() == [own]
    assert not [one for one in world.drifts() if one.resolution is Resolution.OPEN]


def test_a_word_about_a_copy_that_is_gone_is_an_answer_and_nothing_waits(world: Desked) -> None:
    _, copy = copied_past(world)
    world.people.delete(copy)
    world.run(full=True)
    waiting = [one for one in world.drifts() if one.resolution is Resolution.OPEN]
    assert {one.phase for one in waiting} == {Phase.PAST}
    world.answer_edit(Answer.RESTORE)
    assert not [one for one in world.drifts() if one.resolution is Resolution.OPEN]
    assert not any(one.accepted for one in world.drifts())


def test_what_its_owner_put_back_first_is_answered(world: Desked) -> None:
    dragged_past(world)
    world.answer(Answer.RESTORE)
    world.people.drag(world.only(), timedelta(days=-1))
    world.run(full=True)
    assert [one.resolution for one in world.drifts()] == [Resolution.ACKNOWLEDGED]
    assert who_answered(world) == ["support:ada"]


def flagged_series(world: Desked) -> tuple[str, list[datetime]]:
    """A series of four, in a practice where every edit waits for a word."""
    world.settle(dispositions=dict.fromkeys(POLICY.dispositions, Disposition.FLAG))
    slots = [one.span.start_at for one in world.book_series("S", "2026-11-17T10:00", "FREQ=WEEKLY;COUNT=4", 4)]
    world.run()
    return world.only(), slots


def restore_only(world: Desked, slot: datetime, kind: DriftKind) -> None:
    world.run()
    world.answer(
        Answer.RESTORE, next(one.id for one in world.drifts() if (one.original_start, one.kind) == (slot, kind))
    )
    world.run()
    world.later(minutes=5)
    world.run()


def starts(world: Desked, name: str) -> list[datetime]:
    event = world.people.see(name).event
    return [shown.span.start_at for shown in keyed(event, YEAR).values() if not shown.cancelled]


def test_where_a_copy_stands_beside_the_others_keep_their_own_times(world: Desked) -> None:
    own, slots = flagged_series(world)
    copy = world.people.duplicate(own, timedelta(hours=1))
    world.run()
    world.people.drag_occurrence(own, slots[1], timedelta(hours=2))
    restore_only(world, slots[1], DriftKind.MOVED)
    assert starts(world, own) == slots
    assert starts(world, copy) == [slot + timedelta(hours=1) for slot in slots]


def test_what_stands_in_the_rest_of_a_split_does_not_come_to_stand_twice(world: Desked) -> None:
    own, slots = flagged_series(world)
    rest = world.people.split_series(own, slots[2], timedelta(hours=2))
    world.run()
    world.people.drag_occurrence(own, slots[1], timedelta(hours=2))
    restore_only(world, slots[1], DriftKind.MOVED)
    assert starts(world, own) == slots[:2]
    assert starts(world, rest) == [slot + timedelta(hours=2) for slot in slots[2:]]


def test_what_a_rest_showed_of_a_session_called_off_goes_with_it(world: Desked) -> None:
    own, slots = flagged_series(world)
    world.people.split_series(own, slots[1], timedelta(hours=2))
    world.run()
    with world.database.reading() as conn:
        last = records.appointment(conn, "S-3")
    assert last is not None
    world.put(replace(last, status=AppointmentStatus.CANCELLED))
    restore_only(world, slots[1], DriftKind.SPLIT)
    assert world.people.ids() == [own]
    assert starts(world, own) == [slots[0], slots[1], slots[2] + timedelta(hours=2)]


def test_a_time_that_the_record_went_on_from_does_not_come_back_with_another_session(world: Desked) -> None:
    own, slots = flagged_series(world)
    world.people.drag_occurrence(own, slots[1], timedelta(hours=2))
    world.run()
    world.answer(Answer.STANDS)
    with world.database.reading() as conn:
        second = records.appointment(conn, "S-1")
    assert second is not None
    world.put(replace(second, span=second.span.starting(second.span.start + timedelta(hours=5))))
    world.run()
    world.people.drag_occurrence(own, slots[2], timedelta(hours=1))
    restore_only(world, slots[2], DriftKind.MOVED)
    assert starts(world, own) == [slots[0], slots[1] + timedelta(hours=5), slots[2], slots[3]]


def test_where_nobody_can_read_a_series_all_of_it_is_written_at_a_word_about_one(world: Desked) -> None:
    own, slots = flagged_series(world)
    copy = world.people.duplicate(own, timedelta(hours=1))
    world.run()
    world.people.break_event(own)
    restore_only(world, slots[1], DriftKind.UNREADABLE)
    assert starts(world, own) == slots
    assert starts(world, copy) == [slot + timedelta(hours=1) for slot in slots]


def test_what_stands_in_a_rest_is_not_written_over_an_event_that_nobody_can_read(world: Desked) -> None:
    own, slots = flagged_series(world)
    rest = world.people.split_series(own, slots[2], timedelta(hours=2))
    world.run()
    world.people.break_event(own)
    restore_only(world, slots[1], DriftKind.UNREADABLE)
    assert starts(world, own) == slots[:2]
    assert starts(world, rest) == [slot + timedelta(hours=2) for slot in slots[2:]]
