"""What a stop cuts short goes on as soon as somebody works again, not at the next poll."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from calsync.testing.fake_ports import FakeStop
from tests.unit.worker.world import World


def test_a_pass_that_a_stop_cut_short_is_due_at_once() -> None:
    world = World()
    for number in range(3):
        world.book(f"A-{number}", f"2026-11-{24 + number}T10:00")
    world.worker = replace(world.new_worker(), stop=FakeStop(wished=True))
    cut = world.run()
    assert (cut.written, cut.owed) == (0, 3)
    assert world.row().due_at <= world.clock.now()
    world.worker = world.new_worker()
    assert world.run().written == 3
    assert world.row().due_at > world.clock.now() + timedelta(minutes=1)
