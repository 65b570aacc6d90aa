"""A worker is asked to stop at any point of a pass: it ends well within ten seconds, and leaves no half pass."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from calsync.sandbox.google.weather import Damage, Storm
from tests.endurance.fleet import Fleet, running
from tests.endurance.verdict import whole

SESSIONS = 100


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    """One calendar and its sessions, not written yet."""
    with Fleet(tmp_path, 1, SESSIONS) as made:
        made.book()
        yield made


class Moment(Storm):
    """Does no harm, but lets something happen at the n-th request."""

    def strikes(self, method: str, calendar: str | None) -> bool:
        """See `Storm`."""
        if super().strikes(method, calendar) and self.then is not None:
            self.then()
        return False


def test_at_any_request_of_a_pass(fleet: Fleet) -> None:
    for skip in (0, 1, 12, 25):
        worker = fleet.start("worker")
        moment = fleet.google.weather.add(Moment("*", skip=skip, then=worker.terminate))
        fleet.wait(lambda worker=worker: worker.poll() is not None, seconds=60)  # type: ignore[misc]
        assert moment.hit == 1
        assert worker.returncode == 0, fleet.log()
        assert fleet.number("SELECT count(*) FROM calendars WHERE lease_owner IS NOT NULL") == 0
        assert fleet.number("SELECT count(*) FROM owed_writes WHERE state = 'sent'") == 0
        assert whole(fleet) == []
    assert 0 < len(fleet.shown()) < SESSIONS
    with running(fleet, "worker") as worker:
        fleet.wait(lambda: fleet.all_shown() and fleet.is_at_rest(), worker)
    assert {len(events) for events in fleet.shown().values()} == {1}


def test_while_a_service_does_not_answer(fleet: Fleet) -> None:
    answer, asked = threading.Event(), threading.Event()

    def hang() -> None:
        asked.set()
        answer.wait(40)

    fleet.google.weather.add(Storm("events.insert", Damage.DROP_AFTER, skip=5, then=hang))
    worker = fleet.start("worker")
    assert asked.wait(30), fleet.log()
    began = time.monotonic()
    worker.terminate()
    try:
        assert worker.wait(25) == 0, fleet.log()
        assert time.monotonic() - began < 10
    finally:
        answer.set()
    assert fleet.number("SELECT count(*) FROM calendars WHERE lease_owner IS NOT NULL") == 0
    with running(fleet, "worker") as other:
        fleet.wait(lambda: fleet.all_shown() and fleet.is_at_rest(), other)
    assert {len(events) for events in fleet.shown().values()} == {1}
