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


def test_the_copies_of_a_cancelled_session_go_whatever_was_flagged() -> None:
    world = World.agreed(series("2026-12-01T10:00", 3))
    world.copies["c-1"] = beside(series("2026-12-01T14:00", 3))
    world.one_pass()
    world.drifts[0] = replace(world.drifts[0], resolution=Resolution.ACKNOWLEDGED, accepted=True)
    world.expected = None
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
