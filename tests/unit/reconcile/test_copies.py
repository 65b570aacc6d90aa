"""Copies are taken away whole or not at all, and the rest of a split is told of whole."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from calsync.domain.drift import Disposition, Drift, DriftKind, Phase, Resolution
from calsync.domain.event import Appearance, Event, Override, Recurrence
from calsync.domain.span import Span
from calsync.domain.write import Cause
from calsync.reconcile.case import Copy
from calsync.reconcile.compare import view
from tests.properties.pretend import NOW, POLICY, WINDOW, World

ZONE = "America/New_York"


def series(start: str = "2026-11-10T10:00", count: int = 5, zone: str = ZONE) -> Event:
    """Two sessions are over at `NOW`, three are ahead."""
    wall = datetime.fromisoformat(start)
    span = Span(wall, wall + timedelta(minutes=50), zone)
    return Event("u-1", Appearance(span, "Session 1"), Recurrence(f"FREQ=WEEKLY;COUNT={count}"))


def beside(event: Event, version: str = "7") -> Copy:
    return Copy("c-1", version, replace(event, uid="u-2"))


def duplicated(world: World) -> list[Drift]:
    return [one for one in world.drifts if one.kind is DriftKind.DUPLICATED]


def test_a_copied_series_goes_though_part_of_it_is_over_and_what_it_showed_waits() -> None:
    world = World.agreed(series())
    world.copies["c-1"] = beside(series("2026-11-10T14:00"))
    world.settle()
    assert world.copies == {}
    over = [one for one in duplicated(world) if one.phase is Phase.PAST]
    assert [one.resolution for one in over] == [Resolution.OPEN] * 2
    assert all(one.observed is not None and one.disposition is Disposition.FLAG for one in over)
    ahead = [one for one in duplicated(world) if one.phase is Phase.UPCOMING]
    assert [one.resolution for one in ahead] == [Resolution.REVERTED] * 3


def test_a_copy_of_one_session_that_is_over_stays_when_it_is_made_to_repeat() -> None:
    world = World.agreed(series())
    once = replace(series("2026-11-17T14:00"), recurrence=None)
    world.copies["c-1"] = beside(once)
    world.settle()
    [flagged] = duplicated(world)
    assert flagged.disposition is Disposition.FLAG
    world.copies["c-1"] = beside(series("2026-11-17T14:00", 4), "8")
    world.settle()
    assert "c-1" in world.copies
    assert {one.disposition for one in duplicated(world)} == {Disposition.FLAG}
    assert len(duplicated(world)) == 4


def test_a_copy_of_which_a_person_let_a_session_be_stays_whole() -> None:
    world = World.agreed(series("2026-12-01T10:00", 3))
    world.copies["c-1"] = beside(series("2026-12-01T14:00", 3))
    world.one_pass()
    first, *others = duplicated(world)
    world.drifts[0] = replace(first, resolution=Resolution.ACKNOWLEDGED, accepted=True)
    assert {one.disposition for one in others} == {Disposition.REVERT}
    world.now += POLICY.settle
    world.settle()
    assert "c-1" in world.copies
    left = [one for one in duplicated(world) if one.resolution is Resolution.OPEN]
    assert [one.disposition for one in left] == [Disposition.FLAG] * 2


def test_what_a_copy_no_longer_shows_does_not_keep_it() -> None:
    world = World.agreed(series())
    once = replace(series("2026-11-17T14:00"), recurrence=None)
    world.copies["c-1"] = beside(once)
    world.settle()
    ahead = replace(series("2026-12-01T14:00"), recurrence=None)
    world.copies["c-1"] = beside(ahead, "8")
    world.settle()
    assert world.copies == {}


def without_the_first(event: Event) -> Event:
    """What a series shows once its first session ahead is taken out."""
    assert event.recurrence is not None
    return replace(event, recurrence=replace(event.recurrence, excluded=(event.master.span.start_at,)))


def test_what_was_taken_out_of_a_copy_before_its_session_began_waits_for_a_person() -> None:
    world = World.agreed(series("2026-12-01T10:00", 3))
    copied = series("2026-12-01T14:00", 3)
    world.copies["c-1"] = beside(copied)
    world.one_pass()
    assert {one.disposition for one in duplicated(world)} == {Disposition.REVERT}
    world.copies["c-1"] = beside(without_the_first(copied), "8")
    world.now = datetime(2026, 12, 1, 20, tzinfo=UTC)
    world.one_pass()
    assert world.copies == {}
    first, *others = duplicated(world)
    assert (first.disposition, first.resolution) == (Disposition.FLAG, Resolution.OPEN)
    assert [one.resolution for one in others] == [Resolution.REVERTED] * 2


def test_what_somebody_took_out_of_a_copy_as_a_person_had_asked_is_answered() -> None:
    world = World.agreed(series())
    copied = series("2026-11-10T14:00")
    world.copies["c-1"] = beside(copied)
    world.one_pass()
    world.drifts[0] = replace(world.drifts[0], resolved_by="support:ada")
    world.copies["c-1"] = beside(without_the_first(copied), "8")
    world.one_pass()
    assert [one.resolution for one in duplicated(world)] == [Resolution.ACKNOWLEDGED, *[Resolution.OPEN] * 4]


def test_the_copies_of_a_cancelled_session_go_whatever_was_flagged() -> None:
    world = World.agreed(series("2026-12-01T10:00", 3))
    world.copies["c-1"] = beside(series("2026-12-01T14:00", 3))
    world.one_pass()
    world.drifts[0] = replace(world.drifts[0], resolution=Resolution.ACKNOWLEDGED, accepted=True)
    world.expected = None
    world.settle()
    assert world.copies == {}


# ---------------------------------------------------------------- made into an event of her own

BOOKED = replace(series("2026-12-01T10:00"), recurrence=None)


def hers(start: str = "2026-12-05T19:00", title: str = "Choir") -> Event:
    made = replace(series(start), recurrence=None)
    return replace(made, master=replace(made.master, title=title))


def test_a_copy_with_a_title_and_a_time_of_its_own_is_asked_about_and_stays() -> None:
    world = World.agreed(BOOKED)
    world.copies["c-1"] = beside(hers())
    world.settle()
    assert "c-1" in world.copies
    assert [(one.disposition, one.resolution) for one in duplicated(world)] == [(Disposition.FLAG, Resolution.OPEN)]


def test_it_stays_when_the_session_is_cancelled() -> None:
    for cancelled_first in (True, False):
        world = World.agreed(BOOKED)
        world.copies["c-1"] = beside(hers())
        if not cancelled_first:
            world.settle()
        world.expected = None
        world.settle()
        assert world.there is None
        assert "c-1" in world.copies


def test_a_copy_that_waits_to_be_taken_away_stays_once_it_is_made_hers() -> None:
    for before in (BOOKED, hers(title="Session 1"), hers("2026-12-01T10:00")):
        world = World.agreed(BOOKED)
        world.copies["c-1"] = beside(before)
        world.one_pass()
        assert {one.disposition for one in duplicated(world)} == {Disposition.REVERT}
        world.copies["c-1"] = beside(hers(), "8")
        world.now += POLICY.settle
        world.settle()
        assert "c-1" in world.copies
        assert [one.disposition for one in duplicated(world)] == [Disposition.FLAG]


def test_a_series_that_was_copied_stays_whole_for_one_session_made_hers() -> None:
    for booked in (True, False):
        world = World.agreed(series("2026-12-01T10:00", 3))
        slot = datetime(2026, 12, 8, 19, tzinfo=UTC)
        copied = series("2026-12-01T14:00", 3)
        world.copies["c-1"] = beside(replace(copied, overrides=(Override(slot, hers("2026-12-08T20:00").master),)))
        world.expected = world.expected if booked else None
        world.settle()
        assert "c-1" in world.copies


def test_in_observe_mode_it_is_said_that_it_would_be_asked_about_and_acting_asks() -> None:
    world = World.agreed(BOOKED, policy=replace(POLICY, observe_only=True))
    world.copies["c-1"] = beside(hers())
    world.settle()
    assert [one.disposition for one in duplicated(world)] == [Disposition.WOULD_FLAG]
    world.policy = POLICY
    world.settle()
    assert "c-1" in world.copies
    assert [one.disposition for one in duplicated(world)] == [Disposition.FLAG]


def test_it_does_not_take_the_place_of_our_event_that_is_gone() -> None:
    for told in (True, False):
        world = World.agreed(BOOKED)
        world.copies["c-1"] = beside(hers())
        if told:
            world.settle()
        world.edit(None)
        world.settle()
        assert world.there == BOOKED
        assert world.copies["c-1"].event.master == hers().master


def test_another_title_or_another_time_alone_makes_it_nobodys() -> None:
    for made in (hers(title="Session 1"), hers("2026-12-01T10:00"), hers(title="")):
        world = World.agreed(BOOKED)
        world.copies["c-1"] = beside(made)
        world.settle()
        assert world.copies == {}


def test_a_copy_of_a_session_that_has_her_title_goes() -> None:
    world = World.agreed(BOOKED)
    world.edit(hers("2026-12-01T10:00"))
    world.settle()
    world.copies["c-1"] = beside(hers())
    world.settle()
    assert world.copies == {}


# ---------------------------------------------------------------- the rest of a split

SECOND = datetime(2026, 12, 8, 15, tzinfo=UTC)


def split_after_the_second(policy: object = POLICY) -> World:
    """Our event keeps the second session on a time of its own; the rest shows it as well, and the last two."""
    weekly = series("2026-12-01T10:00", 4)
    world = World.agreed(weekly, policy=policy)
    longer = Override(
        SECOND, replace(weekly.master, span=Span(datetime(2026, 12, 8, 10), datetime(2026, 12, 8, 12), ZONE))
    )
    head = replace(weekly, recurrence=Recurrence("FREQ=WEEKLY;COUNT=1"), overrides=(longer,))
    world.edit(head)
    world.copies["c-1"] = beside(series("2026-12-08T11:00", 3))
    return world


def test_what_the_rest_of_a_split_shows_besides_is_told() -> None:
    observing = replace(POLICY, observe_only=True)
    world = split_after_the_second(observing)
    assert world.settle() == 1
    assert [(one.original_start, one.kind) for one in world.drifts if one.copy_id == "c-1"] == [
        (SECOND + timedelta(days=7), DriftKind.SPLIT),
        (SECOND + timedelta(days=14), DriftKind.SPLIT),
        (SECOND, DriftKind.DUPLICATED),
    ]
    assert "c-1" in world.copies


def test_the_rest_goes_with_what_it_shows_besides() -> None:
    world = split_after_the_second()
    world.settle()
    assert world.copies == {}
    assert {one.resolution for one in world.drifts} == {Resolution.REVERTED}


def test_a_rest_that_a_flag_keeps_is_not_taken_away_for_what_it_shows_besides() -> None:
    flagging = {**POLICY.dispositions, (DriftKind.SPLIT, Phase.UPCOMING): Disposition.FLAG}
    world = split_after_the_second(replace(POLICY, dispositions=flagging))
    before = world.copies["c-1"].event
    decisions = [world.one_pass() for _ in range(3)]
    assert not [write for one in decisions for write in one.writes if write.cause is Cause.COPY]
    assert world.copies["c-1"].event == before
    assert [one.disposition for one in duplicated(world)] == [Disposition.FLAG]


def test_a_rest_that_goes_on_for_longer_shows_nothing_beside_ours() -> None:
    weekly = series("2026-12-01T10:00", 4)
    head = replace(weekly, recurrence=Recurrence("FREQ=WEEKLY;COUNT=2"))
    seen = view(weekly, head, window=WINDOW, copies=[beside(series("2026-12-15T10:00", 4))])
    assert seen.duplicates == ()
    assert NOW < SECOND


def test_a_rest_whose_removal_was_refused_for_no_reason_is_removed_all_the_same() -> None:
    agreed = series("2026-12-01T10:00", 4)
    world = World.agreed(agreed)
    cut = datetime(2026, 12, 15, 15, tzinfo=UTC)
    world.edit(replace(agreed, recurrence=Recurrence("FREQ=WEEKLY;COUNT=2")))
    world.copies["c-1"] = beside(series("2026-12-15T14:00", 2))
    world.one_pass()
    assert (world.drifts[0].kind, world.drifts[0].original_start) == (DriftKind.SPLIT, cut)
    world.now += POLICY.settle
    rest = world.copies["c-1"]
    # Our own event is put back; the removal of the rest meets a version that is the same.
    world.one_pass()
    world.copies["c-1"] = replace(rest, told=True)
    world.copies_gone.clear()
    for _ in range(3):
        world.now += POLICY.settle
        world.one_pass()
    assert world.copies == {}
    assert {(one.kind, one.resolution) for one in world.drifts} == {(DriftKind.SPLIT, Resolution.REVERTED)}
    assert world.there == agreed
