"""The same message again and again."""

from __future__ import annotations

from datetime import timedelta

from tests.system.test_google_push import Pushed, world

__all__ = ["world"]


def test_a_hook_repeated_a_thousand_times_is_one_pass(world: Pushed) -> None:
    world.person.drag(world.remote, world.only_event(), timedelta(hours=1))
    world.google.pending = world.google.pending * 1000
    assert set(world.deliver()) == {204}
    assert world.dispatch() == 1
    assert len(world.drifts()) == 1
    assert not world.due()
