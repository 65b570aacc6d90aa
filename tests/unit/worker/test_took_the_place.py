"""Our own event is deleted, and a copy of it that stands beside goes on as ours: as it is now, not as it once was."""

from __future__ import annotations

from datetime import timedelta

from calsync.domain.drift import Disposition, DriftKind
from calsync.testing.weather import Fault, FaultKind
from tests.unit.worker.world import POLICY, World


def copied() -> tuple[World, str, str]:
    """A session's event and a copy an hour later, which waits for a word."""
    world = World()
    world.settle(dispositions=dict.fromkeys(POLICY.dispositions, Disposition.FLAG))
    world.book("4821", "2026-11-24T10:00")
    world.run()
    own = world.only()
    copy = world.people.duplicate(own, timedelta(hours=1))
    world.run()
    return world, own, copy


def test_what_the_feed_does_not_tell_of_it_yet_is_read() -> None:
    world, own, copy = copied()
    world.people.delete(own)
    world.people.drag(copy, timedelta(hours=3))
    world.service.weather.next("changes", Fault(FaultKind.LAG))
    world.run()
    [moved] = [one for one in world.drifts() if one.kind is DriftKind.MOVED]
    assert moved.observed is not None
    assert moved.observed.span == world.shown()[copy]


def test_as_long_as_it_cannot_be_read_nothing_is_decided() -> None:
    world, own, copy = copied()
    world.people.delete(own)
    reads = world.service.weather.calls["read"]
    world.service.weather.at("read", reads + 2, Fault(FaultKind.READ_UNKNOWN))
    world.run()
    assert [one.kind for one in world.drifts()] == [DriftKind.DUPLICATED]
    world.later(minutes=10)
    world.run()
    assert {one.kind for one in world.drifts()} == {DriftKind.DUPLICATED, DriftKind.MOVED}
    assert world.people.ids() == [copy]
