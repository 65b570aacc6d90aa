"""A cancelled session takes no event along that its person made into one of her own: another title, another time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta

from calsync.domain.drift import Disposition, DriftKind, Phase, Resolution
from calsync.domain.event import Event, Override, Recurrence
from calsync.reconcile.disposition import DEFAULT_DISPOSITIONS
from tests.properties.pretend import POLICY, World
from tests.unit.reconcile.histories import weekly
from tests.unit.reconcile.scenes import seen, single

HERS = replace(seen("2026-12-01T19:00"), title="Choir")


def hers(event: Event | None = None) -> Event:
    return replace(event or single(), master=HERS)


def told(world: World) -> list[tuple[DriftKind, Disposition, Resolution]]:
    return [(one.kind, one.disposition, one.resolution) for one in world.drifts]


ASKED = [(DriftKind.MOVED, Disposition.FLAG, Resolution.OPEN)]


def test_what_she_made_of_it_stays_when_its_session_is_cancelled_before_it_is_read() -> None:
    world = World.agreed(single())
    world.edit(hers())
    world.expected = None
    world.settle()
    assert world.there == hers()
    assert told(world) == ASKED


def test_it_stays_when_the_session_is_cancelled_while_her_edit_settles() -> None:
    world = World.agreed(single())
    world.edit(hers())
    world.one_pass()
    assert told(world) == [(DriftKind.MOVED, Disposition.REVERT, Resolution.OPEN)]
    world.expected = None
    world.settle()
    assert world.there == hers()
    assert told(world) == ASKED


def test_what_she_makes_of_it_later_is_told_and_stays() -> None:
    world = World.agreed(single())
    world.edit(hers())
    world.expected = None
    world.settle()
    on = replace(hers(), master=replace(HERS, span=seen("2026-12-03T19:00").span))
    world.edit(on)
    world.settle()
    assert world.there == on
    assert told(world) == ASKED
    assert world.drifts[0].observed == on.master


def test_what_was_answered_before_stays_without_another_question() -> None:
    world = World.agreed(single())
    world.edit(hers())
    world.one_pass()
    world.drifts[0] = replace(world.drifts[0], resolution=Resolution.ACKNOWLEDGED, accepted=True)
    world.expected = None
    world.settle()
    assert world.there == hers()
    assert len(world.drifts) == 1


def test_an_edit_that_policy_ignores_stays_without_a_question() -> None:
    lenient = {**DEFAULT_DISPOSITIONS, (DriftKind.MOVED, Phase.UPCOMING): Disposition.IGNORE}
    world = World.agreed(single(), policy=replace(POLICY, dispositions=lenient))
    world.edit(hers())
    world.expected = None
    world.settle()
    assert world.there == hers()
    assert told(world) == [(DriftKind.MOVED, Disposition.IGNORE, Resolution.IGNORED)]


def test_it_stays_as_it_is_once_the_session_stands_again() -> None:
    world = World.agreed(single())
    world.edit(hers())
    world.expected = None
    world.settle()
    world.expected = single()
    world.settle()
    # The question stays hers to answer; nothing is written over what is flagged.
    assert world.there == hers()
    assert told(world) == ASKED


def test_a_drag_alone_and_a_title_alone_go_with_their_session() -> None:
    dragged, renamed = replace(HERS, title="Session 1"), replace(single().master, title="Choir")
    for edited in (replace(single(), master=dragged), replace(single(), master=renamed)):
        world = World.agreed(single())
        world.edit(edited)
        world.expected = None
        world.settle()
        assert world.there is None


def test_one_of_a_series_that_she_made_her_own_stays_when_that_one_is_cancelled() -> None:
    series = weekly()
    at = series.master.span.starting(series.master.span.start + timedelta(days=7)).start_at.astimezone(UTC)
    own = replace(seen("2026-12-09T19:00"), title="Choir")
    world = World.agreed(series)
    world.edit(replace(series, overrides=(Override(at, own),)))
    world.expected = replace(series, recurrence=Recurrence(series.recurrence.rule, excluded=(at,)))  # type: ignore[union-attr]
    world.settle()
    assert world.shows()[at] == own
    assert told(world) == ASKED
    # A later change of the record goes around it.
    world.expected = replace(world.expected, location="Room 2")
    world.settle()
    assert world.shows()[at] == own
    assert told(world) == ASKED


def test_a_series_that_she_made_her_own_stays_whole_and_one_session_of_hers_does_not_keep_a_cancelled_series() -> None:
    series = weekly()
    world = World.agreed(series)
    world.edit(hers(series))
    world.expected = None
    world.settle()
    assert world.there == hers(series)
    assert {one.disposition for one in world.drifts} == {Disposition.FLAG}
    at = series.master.span.start_at.astimezone(UTC)
    world = World.agreed(series)
    world.edit(replace(series, overrides=(Override(at, HERS),)))
    world.expected = None
    world.settle()
    assert world.there is None
    assert [one.kind for one in world.drifts] == [DriftKind.MOVED]
