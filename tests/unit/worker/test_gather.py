"""Which event is the link's own, where several carry its marker."""

from __future__ import annotations

from datetime import timedelta

from calsync.domain.drift import Disposition, DriftKind, Resolution
from tests.unit.worker.world import World


def test_a_copy_that_she_made_into_an_event_of_her_own_is_not_our_event_under_another_name() -> None:
    world = World()
    world.book("4821", "2026-11-24T10:00")
    world.run()
    name = world.only()
    before = world.people.see(name).event
    hers = world.people.duplicate(name, timedelta(days=2))
    world.people.retitle(hers, "Choir")
    world.people.delete(name)
    made = world.people.see(hers)
    world.run()
    world.later(minutes=3)
    world.run()
    assert world.people.see(hers) == made
    [again] = [one for one in world.people.ids() if one != hers]
    assert world.people.see(again).event.master == before.master
    told = {one.kind: (one.disposition, one.resolution) for one in world.drifts()}
    assert told == {
        DriftKind.DELETED: (Disposition.REVERT, Resolution.REVERTED),
        DriftKind.DUPLICATED: (Disposition.FLAG, Resolution.OPEN),
    }
