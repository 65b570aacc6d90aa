"""Somebody makes an event of ours public: it is made private at once, told once, and not fought over (I5, I8)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from calsync.domain.drift import Disposition, DriftKind, Phase, Resolution
from calsync.testing.weather import lost_answer, lost_request
from tests.unit.answers.test_edits import Desked
from tests.unit.worker.world import POLICY


@pytest.fixture
def world() -> Desked:
    made = Desked()
    made.book("4821", "2026-11-24T10:00")
    made.run()
    return made


def is_public(world: Desked) -> bool:
    return world.people.see(world.only()).event.public


def told(world: Desked) -> list[tuple[str, str, str]]:
    return [(one.kind.value, one.disposition.value, one.resolution.value) for one in world.drifts()]


ONCE = ("made-public", "revert", "ignored")


@pytest.mark.parametrize("fault", [None, lost_request, lost_answer])
def test_it_is_private_again_at_once_and_told_once(world: Desked, fault: object) -> None:
    world.people.publish(world.only())
    if callable(fault):
        world.service.weather.next("write", fault())
    world.run()
    assert is_public(world) is (fault is lost_request)
    for _ in range(2):
        world.later(minutes=10)
        world.run(full=True)
    assert not is_public(world)
    assert told(world) == [ONCE]
    assert world.open_holds() == 0
    assert world.run().written == 0


def test_what_a_person_wrote_into_it_stays(world: Desked) -> None:
    world.people.add_note(world.only(), "bring the file")
    world.people.recolour(world.only(), "red")
    before = world.people.see(world.only()).own
    world.people.publish(world.only())
    world.run()
    assert not is_public(world)
    assert world.people.see(world.only()).own == before


def test_who_insists_is_told_of_and_not_fought(world: Desked) -> None:
    for _ in range(3):
        world.people.publish(world.only())
        world.run()
        world.later(hours=1)
        assert world.run(full=True).written == 0
    assert is_public(world)
    assert told(world) == [ONCE, ("made-public", "flag", "ignored")]
    world.later(hours=24)
    world.people.recolour(world.only(), "red")
    world.run()
    assert is_public(world), "it was told, and left"
    world.book("4821", "2026-11-24T11:00")
    world.run()
    assert not is_public(world), "each write of ours makes it private"
    world.later(hours=25)
    world.people.publish(world.only())
    world.run()
    assert not is_public(world)


def test_a_drag_that_comes_along_is_an_edit_as_ever(world: Desked) -> None:
    world.people.publish(world.only())
    world.people.drag(world.only(), timedelta(hours=4))
    world.run()
    world.later(minutes=10)
    world.run()
    assert not is_public(world)
    assert [one.kind for one in world.drifts() if one.resolution is Resolution.REVERTED] == [DriftKind.MOVED]


def test_one_that_is_over_is_made_private_as_well_and_its_claim_is_cleared() -> None:
    world = Desked()
    world.past_session()
    assert world.check().verdict == "cleared"
    world.people.publish(world.only())
    world.run()
    world.later(minutes=10)
    world.run(full=True)
    assert not is_public(world)
    assert world.check().verdict == "cleared"


def test_nothing_is_written_while_a_practice_observes_or_where_it_does_not_mind(world: Desked) -> None:
    world.settle(observe_only=True)
    world.people.publish(world.only())
    world.run()
    assert is_public(world)
    assert told(world) == [("made-public", "would-revert", "ignored")]
    world.settle(observe_only=False, dispositions={**POLICY.dispositions, **LEFT})
    world.later(hours=1)
    world.people.publish(world.only())
    world.run(full=True)
    assert is_public(world)


LEFT = {(DriftKind.MADE_PUBLIC, phase): Disposition.IGNORE for phase in Phase}


def test_one_whose_session_is_called_off_goes(world: Desked) -> None:
    world.people.publish(world.only())
    world.book("4821", "2026-11-24T10:00", status="cancelled")
    world.run()
    assert world.people.ids() == []
    assert told(world) == []
