"""The loop of a worker whose database restarts under it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import pytest

from calsync.store.errors import NotUpgraded, StoreUnavailable
from calsync.system_ports import StopEvent
from calsync.worker.dispatch import Dispatch
from calsync.worker.loop import Loop
from calsync.worker.timers import Timers
from tests.unit.worker.world import World


@dataclass
class Rounds:
    """Takes work, or does not: each round ends as it is told, and the last one asks for the end."""

    ends: list[Exception | None]
    stop: StopEvent = field(default_factory=StopEvent)
    rounds: int = 0

    def dispatch(self) -> int:
        self.rounds += 1
        end = self.ends.pop(0)
        if not self.ends:
            self.stop.set()
        if end is not None:
            raise end
        return 1

    def drain(self, seconds: float) -> bool:
        return seconds > 0


def run(*ends: Exception | None) -> Rounds:
    world, rounds = World(), Rounds(list(ends))
    assert Loop(world.worker, cast("Dispatch", rounds), Timers(world.clock)).run(rounds.stop)
    return rounds


def test_a_database_that_is_away_for_a_while_ends_no_worker() -> None:
    away = StoreUnavailable.of("the database server is shutting down")
    assert run(None, away, away, None, away, None).rounds == 6


def test_one_of_another_release_does() -> None:
    with pytest.raises(NotUpgraded):
        run(None, NotUpgraded.of("the database is older than this program"), None)
