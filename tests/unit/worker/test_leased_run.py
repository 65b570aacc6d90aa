"""A pass under a lease: it works only as long as nobody else has the calendar."""

from __future__ import annotations

from calsync.store import work
from calsync.worker.dispatch import run_now
from calsync.worker.leased_run import Request, run_leased
from tests.unit.worker.world import World


def test_a_worker_that_slept_past_its_lease_asks_the_service_nothing() -> None:
    world = World()
    world.book("A-1", "2026-11-25T10:00")
    one, other = world.worker, world.new_worker()
    with world.database.transaction() as conn:
        lease = work.claim_one(conn, world.calendar, one.owner, world.clock.now(), one.lease_for)
    assert lease is not None
    world.later(seconds=one.lease_for.total_seconds() + 1)
    run_now(other, world.calendar, lambda taken: run_leased(other, taken, Request()))
    asked = world.service.total_requests
    assert run_leased(one, lease, Request()).error == "lease-lost"
    assert world.service.total_requests == asked
