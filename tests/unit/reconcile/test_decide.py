"""Deciding over several passes: what one pass recorded and wrote is what the next one starts from."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from calsync.domain.drift import Disposition, DriftKind, Phase, Resolution
from calsync.domain.event import Appearance, Event, Override, Recurrence
from calsync.domain.span import Span
from calsync.domain.write import Cause, WriteKind
from calsync.reconcile.case import Copy, DecisionPolicy, Moment, NothingNew, UnreadableNow
from calsync.reconcile.compare import differences, standing
from calsync.reconcile.decide import decide
from calsync.reconcile.disposition import DEFAULT_DISPOSITIONS, disposition_of, phase_of
from calsync.reconcile.level import Level
from tests.properties.pretend import NOW, POLICY, WINDOW, World
from tests.unit.reconcile.scenes import event

ZONE = "America/New_York"


def policy(**special: str) -> DecisionPolicy:
    words = {
        (DriftKind(kind.replace("_", "-")), phase): Disposition(word)
        for kind, word in special.items()
        for phase in Phase
    }
    return replace(POLICY, dispositions={**DEFAULT_DISPOSITIONS, **words})


def shown(world: World) -> list[Appearance]:
    return [] if world.there is None else list(standing(world.there, WINDOW).values())


WEEKLY = event(rule="FREQ=WEEKLY;COUNT=8")
SECOND = datetime(2026, 12, 8, 15, tzinfo=UTC)


def with_second(start: str) -> Event:
    return replace(WEEKLY, overrides=(Override(SECOND, event(start).master),))


def test_a_quiet_pass_decides_nothing() -> None:
    for shown in (event(), WEEKLY):
        decision = World.agreed(shown).one_pass()
        assert (decision.found, decision.changed, decision.writes) == ((), (), ())
        assert (decision.adopt, decision.remember) == (None, None)
        assert all(one.appearance is not None for one in decision.sightings)


def test_nothing_new_is_not_looked_at() -> None:
    world = World.agreed(event())
    decision = decide(replace(world.case(), sight=NothingNew()), Moment(NOW, WINDOW), POLICY)
    assert (decision.looked, decision.sightings, decision.writes) == (False, (), ())


def test_an_event_that_vanished_was_where_all_its_coming_sessions_were() -> None:
    """Those as well that the record moved or called off since: several weeks are no week that somebody took off."""
    world = World.agreed(WEEKLY)
    world.edit(None)
    before = world.one_pass().starts
    assert len(before) == len({start.isocalendar()[:2] for start in before}) == 8
    world = World.agreed(WEEKLY)
    world.edit(None)
    world.expected = event(rule="FREQ=WEEKLY;COUNT=1")
    assert world.one_pass().starts == before


def test_a_revert_waits_for_quiet_and_then_goes_out_once() -> None:
    world = World.agreed(event())
    world.edit(event("2026-12-01T14:00"))
    (write,) = world.one_pass().writes
    assert (write.not_before, write.version) == (NOW + POLICY.settle, "2")
    world.edit(event("2026-12-01T15:00"))
    world.now += timedelta(seconds=60)
    (write,) = world.one_pass().writes
    assert write.not_before == world.now + POLICY.settle
    assert world.settle() == 2
    assert (world.there, [one.resolution for one in world.drifts]) == (event(), [Resolution.REVERTED])


def test_a_change_of_the_record_does_not_wait_for_an_edit_elsewhere_to_settle() -> None:
    world = World.agreed(WEEKLY)
    world.edit(with_second("2026-12-08T14:00"))
    world.expected = replace(WEEKLY, recurrence=Recurrence("FREQ=WEEKLY;COUNT=9"))
    (write,) = world.one_pass().writes
    assert (write.cause, write.not_before, write.reverts) == (Cause.RECORD, NOW, ())
    assert world.there is not None
    assert [one.original_start for one in world.there.overrides] == [SECOND], "the edit is not put back unsettled"
    world.now += POLICY.settle
    world.settle()
    assert world.there == world.expected


def test_a_flagged_edit_is_kept_when_only_our_texts_change() -> None:
    world = World.agreed(WEEKLY, policy=policy(moved="flag"))
    dragged = event("2026-12-02T11:00", "FREQ=WEEKLY;COUNT=8")
    world.edit(dragged)
    world.one_pass()
    world.expected = event(rule="FREQ=WEEKLY;COUNT=8", title="Session S-1")
    (write,) = world.one_pass().writes
    assert (write.cause, write.target and write.target.master.title) == (Cause.RECORD, "Session S-1")
    assert {one.span.start.hour for one in shown(world)} == {11}, "nothing was put back"
    assert world.settle() == 0


def test_too_many_flagged_occurrences_are_not_written_around() -> None:
    twice_a_day = "FREQ=DAILY;COUNT=160;BYHOUR="
    world = World.agreed(event(rule=twice_a_day + "10,12"), policy=policy(moved="flag"))
    world.edit(replace(event("2026-12-01T11:00", twice_a_day + "11,13")))
    world.one_pass()
    world.expected = event(rule=twice_a_day + "10,12", title="Session S-1")
    assert world.one_pass().writes == ()


def test_a_single_event_made_to_repeat_keeps_what_was_flagged_when_it_moves() -> None:
    world = World.agreed(event(), policy=policy(recurrence_changed="flag"))
    world.edit(event(rule="FREQ=WEEKLY;COUNT=2"))
    world.one_pass()
    world.expected = event("2026-12-01T12:00")
    world.settle()
    assert sorted(f"{one.span.start:%d %H}" for one in shown(world)) == ["01 12", "08 10"]


def test_a_deleted_occurrence_that_was_flagged_stays_deleted() -> None:
    world = World.agreed(WEEKLY, policy=policy(deleted="flag"))
    world.edit(event(rule="FREQ=WEEKLY;COUNT=8", excluded=(SECOND,)))
    world.one_pass()
    world.expected = replace(with_second("2026-12-08T10:00"), location="Room 2")
    world.settle()
    assert SECOND not in world.shows()
    assert world.there is not None
    assert world.there.location == "Room 2"


def test_titles_are_put_back_where_the_practice_says_so() -> None:
    world = World.agreed(event(), policy=policy(retitled="revert"))
    world.edit(event(title="Yoga"))
    (write,) = world.one_pass().writes
    assert (write.kind, write.reverts) == (WriteKind.UPDATE, (None,))


def test_an_answered_edit_taken_back_is_noted_once() -> None:
    world = World.agreed(event(), policy=policy(moved="flag"))
    world.edit(event("2026-12-01T14:00"))
    world.one_pass()
    world.drifts = [replace(world.drifts[0], resolution=Resolution.ACKNOWLEDGED, accepted=True)]
    assert world.settle() == 0
    world.edit(event())
    (found,) = world.one_pass().found
    assert (found.ended, found.kind) == (Resolution.WITHDRAWN, DriftKind.MOVED)
    assert world.settle() == 0


def test_what_an_ignored_name_hides_is_still_seen() -> None:
    world = World.agreed(event())
    world.edit(event(title="Yoga"))
    world.settle()
    world.edit(event("2026-12-01T14:00", title="Yoga"))
    (found,) = world.one_pass().found
    assert (found.kind, found.ended) == (DriftKind.MOVED, None)


def test_a_lost_marker_is_noted_once_and_again_after_our_next_write() -> None:
    world = World.agreed(event())
    world.marked = None
    assert [one.kind for one in world.one_pass().found] == [DriftKind.MARKER_LOST]
    assert world.settle() == 0
    world.expected = event("2026-12-01T12:00")
    world.now += timedelta(minutes=1)
    world.settle()
    world.marked = None
    world.now += timedelta(minutes=1)
    assert [one.kind for one in world.one_pass().found] == [DriftKind.MARKER_LOST]


def test_an_occurrence_that_was_edited_too_hides_the_lost_marker() -> None:
    world = World.agreed(event())
    world.marked = None
    world.edit(event("2026-12-01T14:00"))
    assert [one.kind for one in world.one_pass().found] == [DriftKind.MOVED]


def test_a_note_about_a_lost_marker_accepts_nothing_that_shows_beside_it() -> None:
    world = World.agreed(event())
    world.marked = None
    world.edit(event("2026-12-01T14:00"))
    world.one_pass()
    assert [one.kind for one in world.one_pass().found] == [DriftKind.MARKER_LOST]
    world.edit(event())
    assert [one.ended for one in world.one_pass().changed] == [Resolution.WITHDRAWN]
    assert world.one_pass().found == ()
    world.edit(event("2026-12-01T14:00"))
    assert [(one.kind, one.ended) for one in world.one_pass().found] == [(DriftKind.MOVED, None)]


def test_an_unreadable_event_is_told_once_and_readable_again_it_is_judged() -> None:
    world = World.agreed(WEEKLY)
    case = replace(world.case(), sight=UnreadableNow("9", "times-a-day"))
    first = decide(case, Moment(NOW, WINDOW), POLICY)
    world.record(first)
    assert len(first.found) == 8
    again = decide(replace(world.case(), sight=case.sight), Moment(NOW, WINDOW), POLICY)
    assert (again.found, again.writes) == ((), ())
    world.edit(event(rule="FREQ=WEEKLY;COUNT=8", excluded=(SECOND,)))
    changes = {change.ended for change in world.one_pass().changed}
    assert changes == {Resolution.WITHDRAWN, None}


def copy(remote_id: str = "c-1", start: str = "2026-12-03T10:00", version: str = "7") -> Copy:
    return Copy(remote_id, version, replace(event(start), uid="u-2"))


def test_a_copy_that_moves_is_the_same_drift() -> None:
    world = World.agreed(event())
    world.copies["c-1"] = copy()
    world.one_pass()
    world.copies["c-1"] = copy(start="2026-12-04T10:00", version="8")
    decision = world.one_pass()
    assert ([one.kind for one in decision.changed], decision.found) == ([DriftKind.DUPLICATED], ())
    world.settle()
    assert world.copies == {}


def test_a_copy_that_somebody_took_away_is_withdrawn() -> None:
    world = World.agreed(event())
    world.copies["c-1"] = copy()
    world.one_pass()
    del world.copies["c-1"]
    assert world.one_pass().changed == (), "not mentioned is not gone"
    world.copies_gone.add("c-1")
    assert [one.ended for one in world.one_pass().changed] == [Resolution.WITHDRAWN]


def test_what_is_put_back_even_late_waits_for_an_answer_once_somebody_undid_it() -> None:
    world = World.agreed(event(), policy=policy(moved="revert", duplicated="revert"))
    world.now = datetime(2026, 12, 1, 17, tzinfo=UTC)
    world.edit(event("2026-12-01T14:00"))
    world.copies["c-1"] = copy()
    world.one_pass()
    assert {one.disposition for one in world.drifts} == {Disposition.REVERT}
    world.edit(event())
    del world.copies["c-1"]
    world.copies_gone.add("c-1")
    world.one_pass()
    assert {(one.disposition, one.resolution) for one in world.drifts} == {(Disposition.FLAG, Resolution.OPEN)}
    assert world.settle() == 0


def test_a_copy_is_put_away_though_the_session_beside_it_was_let_be_on_a_day_that_is_over() -> None:
    world = World.agreed(WEEKLY, policy=policy(moved="flag"))
    world.edit(with_second("2026-11-20T10:00"))
    world.one_pass()
    third = datetime(2026, 12, 15, 15, tzinfo=UTC)
    world.expected = replace(WEEKLY, overrides=(Override(third, event("2026-12-15T12:00").master),))
    world.settle()
    assert event("2026-11-20T10:00").master in shown(world), "it is kept, and agreed for now"
    rest = event("2026-12-01T11:00", "FREQ=WEEKLY;COUNT=8")
    world.copies["c-1"] = Copy("c-1", "7", replace(rest, uid="u-2"))
    assert {one.disposition for one in world.one_pass().found} == {Disposition.REVERT}


def test_a_copy_that_a_person_let_be_stays() -> None:
    world = World.agreed(event(), policy=policy(duplicated="flag"))
    world.copies["c-1"] = copy()
    world.one_pass()
    world.drifts = [replace(world.drifts[0], resolution=Resolution.ACKNOWLEDGED, accepted=True)]
    assert world.settle() == 0
    assert "c-1" in world.copies


def test_copying_again_after_it_was_taken_away_is_meant() -> None:
    world = World.agreed(event())
    world.copies["c-1"] = copy()
    world.settle()
    world.copies["c-2"] = copy("c-2")
    assert [one.disposition for one in world.one_pass().found] == [Disposition.FLAG]


def test_a_cancelled_session_takes_its_copies_along_at_once() -> None:
    world = World.agreed(event())
    world.copies["c-1"] = copy()
    world.one_pass()
    world.expected = None
    world.one_pass()
    assert (world.there, world.copies) == (None, {})


def test_a_split_whose_rest_is_not_mentioned_is_still_a_split() -> None:
    world = World.agreed(WEEKLY)
    world.edit(event(rule="FREQ=WEEKLY;UNTIL=20261230T000000Z"))
    rest = event("2027-01-05T10:00", "FREQ=WEEKLY;COUNT=3")
    world.copies["c-1"] = Copy("c-1", "7", replace(rest, uid="u-2"))
    world.one_pass()
    kept = world.copies.pop("c-1")
    assert world.one_pass().changed == ()
    world.copies["c-1"] = kept
    world.settle()
    assert (world.there, world.copies) == (WEEKLY, {})


HEAD = event(rule="FREQ=WEEKLY;UNTIL=20261230T000000Z")
REST = replace(event("2027-01-06T10:00", "FREQ=WEEKLY;COUNT=3"), uid="u-2")


def test_what_is_taken_out_after_its_split_was_put_back_is_no_rest_that_is_not_mentioned() -> None:
    world = World.agreed(WEEKLY)
    world.now = NOW + timedelta(days=46)
    world.edit(HEAD)
    world.copies["c-1"] = Copy("c-1", "7", REST)
    world.settle()
    assert (world.there, world.copies) == (WEEKLY, {})
    world.copies_gone.clear()  # it was we who took it away
    past = event("2027-01-05T10:00").master.span.start_at
    world.edit(replace(WEEKLY, recurrence=Recurrence("FREQ=WEEKLY;COUNT=8", excluded=(past,))))
    assert [(one.kind, one.observed, one.ended) for one in world.one_pass().changed] == [
        (DriftKind.DELETED, None, None)
    ]


def test_what_is_left_alone_in_the_rest_of_a_split_is_taken_over_when_the_rest_goes() -> None:
    moved = event("2027-01-06T15:00").master
    past = event("2027-01-05T10:00").master.span.start_at
    world = World.agreed(WEEKLY)
    world.now = NOW + timedelta(days=46)
    apart = replace(WEEKLY, overrides=(Override(past, moved),))
    world.edit(apart)
    assert [one.disposition for one in world.one_pass().found] == [Disposition.FLAG]
    world.edit(HEAD)
    rest = event("2027-01-05T11:00", "FREQ=WEEKLY;COUNT=3")
    first = rest.master.span.start_at
    world.copies["c-1"] = Copy("c-1", "7", replace(rest, uid="u-2", overrides=(Override(first, moved),)))
    world.settle()
    assert (world.there, world.copies) == (apart, {})
    assert world.one_pass().found == ()


def split_and_left(**more: object) -> World:
    """A cut series whose rest is flagged, and let be."""
    world = World.agreed(WEEKLY, policy=policy(split="flag"), **more)
    world.edit(HEAD)
    world.copies["c-1"] = Copy("c-1", "7", REST)
    world.settle()
    return world


def test_the_rest_of_a_split_stays_that_when_our_event_is_written_around_it() -> None:
    world = split_and_left()
    world.expected = with_second("2026-12-08T12:00")
    world.settle()
    assert {drift.kind for drift in world.drifts} == {DriftKind.SPLIT}
    assert world.copies["c-1"].event == REST
    assert len(shown(world)) == 5


def test_a_split_that_a_person_let_be_is_not_found_again() -> None:
    world = split_and_left()
    world.drifts = [
        replace(drift, resolution=Resolution.ACKNOWLEDGED, accepted=True, resolved_at=NOW) for drift in world.drifts
    ]
    world.edit(replace(HEAD, location="elsewhere"))
    assert world.one_pass().found == ()
    # What changes besides is another edit.
    world.copies["c-1"] = Copy("c-1", "8", replace(REST, master=event("2027-01-06T15:00").master))
    world.edit(HEAD)
    assert {one.kind for one in world.one_pass().found} == {DriftKind.SPLIT}


def test_a_copy_of_a_whole_series_is_no_rest_of_it() -> None:
    dragged = event("2026-12-02T10:00", "FREQ=WEEKLY;COUNT=8", excluded=(datetime(2026, 12, 16, 15, tzinfo=UTC),))
    world = World.agreed(WEEKLY)
    world.edit(dragged)
    world.copies["c-1"] = Copy("c-1", "7", replace(dragged, uid="u-2"))
    kinds = {one.kind for one in world.one_pass().found}
    assert kinds == {DriftKind.MOVED, DriftKind.DELETED, DriftKind.DUPLICATED}


def test_a_copy_that_cannot_be_understood_any_more_is_left_to_a_person() -> None:
    world = World.agreed(event())
    world.copies["c-1"] = copy()
    world.one_pass()
    world.copies["c-1"] = replace(world.copies["c-1"], unreadable=True)
    decision = world.one_pass()
    assert decision.writes == ()
    assert [one.disposition for one in decision.changed] == [Disposition.FLAG]


def test_an_edited_series_that_is_cut_without_another_move_is_told_of_as_cut() -> None:
    world = World.agreed(WEEKLY, policy=policy(moved="flag", split="flag"))
    world.edit(event("2026-12-01T11:00", "FREQ=WEEKLY;COUNT=8"))
    world.one_pass()
    world.edit(event("2026-12-01T11:00", "FREQ=WEEKLY;COUNT=5"))
    rest = event("2027-01-05T11:00", "FREQ=WEEKLY;COUNT=3")
    world.copies["c-1"] = Copy("c-1", "7", replace(rest, uid="u-2"))
    assert [(one.kind, one.copy_id) for one in world.one_pass().changed] == [(DriftKind.SPLIT, "c-1")] * 3
    assert world.one_pass().changed == ()


def test_an_edit_under_way_is_blocked_whole_by_one_fight() -> None:
    world = World.agreed(WEEKLY)
    for _ in range(2):
        world.edit(event("2026-12-02T10:00", "FREQ=WEEKLY;COUNT=8"))
        world.settle()
    assert world.there != WEEKLY
    assert {one.disposition for one in world.drifts[-8:]} == {Disposition.FLAG}


def test_a_lost_answer_and_the_same_edit_again_is_flagged() -> None:
    world = World.agreed(event(), policy=replace(POLICY, settle=timedelta(0)), lose_answers=1)
    world.expected = event("2026-12-01T12:00")
    world.edit(event("2026-12-01T14:00"))
    world.expected = event()
    world.one_pass()
    world.edit(event("2026-12-01T14:00"))
    world.settle()
    world.edit(event("2026-12-01T14:00"))
    world.settle()
    assert world.drifts[-1].disposition is Disposition.FLAG


def test_a_zone_put_on_the_whole_series_is_one_kind_of_edit_in_summer_and_winter() -> None:
    weekly = event("2027-02-16T10:00", "FREQ=WEEKLY;COUNT=6")
    zone = Span(datetime(2027, 2, 16, 15), datetime(2027, 2, 16, 15, 50), "UTC")
    relabelled = replace(weekly, master=replace(weekly.master, span=zone))
    within = replace(WINDOW, end=WINDOW.end + timedelta(days=90))
    found = differences(weekly, relabelled, window=within)
    assert {one.kind for one in found} == {DriftKind.ZONE_CHANGED}
    assert len(found) == 2, "only after the clocks changed"


def test_an_added_date_is_an_occurrence_of_its_own() -> None:
    extra = datetime(2026, 12, 10, 15, tzinfo=UTC)
    weekly = event(rule="FREQ=WEEKLY;COUNT=3", added=(extra,))
    (gone,) = differences(weekly, event(rule="FREQ=WEEKLY;COUNT=3"), window=WINDOW)
    assert (gone.original_start, gone.kind, gone.level) == (extra, DriftKind.DELETED, Level.OVERRIDE)
    (new,) = differences(event(rule="FREQ=WEEKLY;COUNT=3"), weekly, window=WINDOW)
    assert (new.kind, new.level) == (DriftKind.RECURRENCE_CHANGED, Level.OVERRIDE)


@pytest.mark.parametrize(
    ("hours", "claimed", "phase"),
    [
        (1, False, Phase.UPCOMING),
        (0, False, Phase.STARTED),
        (-0.9, False, Phase.PAST),
        (-0.5, False, Phase.STARTED),
        (1, True, Phase.CLAIMED),
    ],
)
def test_phases_begin_and_end_with_the_session(hours: float, claimed: bool, phase: Phase) -> None:
    start = NOW.replace(tzinfo=None) + timedelta(hours=hours)
    shown = Appearance(Span(start, start + timedelta(minutes=50), "UTC"))
    assert phase_of(shown, NOW, claimed=claimed) is phase


def test_nothing_can_be_put_back_that_is_not_ours_to_undo() -> None:
    eager = policy(unreadable="revert", declined="revert", new_time_proposed="revert-and-flag")
    for kind in (DriftKind.UNREADABLE, DriftKind.DECLINED, DriftKind.NEW_TIME_PROPOSED):
        assert disposition_of(kind, Phase.UPCOMING, eager) is Disposition.FLAG


def test_a_series_dragged_over_past_and_future_goes_back_whole() -> None:
    series = event("2026-11-03T10:00", "FREQ=WEEKLY;COUNT=8")
    world = World.agreed(series)
    world.edit(event("2026-11-04T11:00", "FREQ=WEEKLY;COUNT=8"))
    world.settle()
    assert world.there == series
    still_open = {one.original_start for one in world.drifts if one.resolution is Resolution.OPEN}
    assert all(key is not None and key < NOW for key in still_open)
    assert len(still_open) == 3


def test_a_session_beyond_the_window_that_is_dragged_into_it_was_moved() -> None:
    world = World.agreed(event("2027-12-01T10:00"))
    world.edit(event("2026-12-01T10:00"))
    assert [one.kind for one in world.one_pass().found] == [DriftKind.MOVED]


def test_what_is_over_stays_as_it_is_where_not_its_series_but_another_occurrence_goes_back() -> None:
    world = World.agreed(event("2026-11-03T10:00", "FREQ=WEEKLY;COUNT=8"), policy=policy(deleted="flag"))
    off = Override(SECOND, replace(event("2026-12-08T10:00").master, cancelled=True))
    world.edit(replace(event("2026-11-24T10:00", "FREQ=WEEKLY;COUNT=5"), overrides=(off,)))
    world.settle()
    assert [one.span.start.day for one in shown(world) if not one.cancelled] == [24, 1, 8, 15, 22]
    left = [one for one in world.drifts if one.resolution is Resolution.OPEN]
    assert [(one.kind, one.disposition) for one in left] == [(DriftKind.DELETED, Disposition.FLAG)] * 3
