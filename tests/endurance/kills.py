"""The worker is killed again and again, with the signal that cannot be caught, while people edit."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from pathlib import Path

from calsync.sandbox.google.weather import Damage, Storm
from tests.endurance.fleet import Editors, Fleet, running
from tests.endurance.progress import Progress
from tests.endurance.verdict import settled, whole


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of it. `database`: an address, "" for SQLite. `longest`: seconds that a worker lives at most."""

    kills: int
    database: str = ""
    calendars: int = 20
    sessions: int = 40
    a_second: float = 20.0
    longest: float = 2.0
    seed: int = 20261122


@dataclass(slots=True)
class Told:
    """What it came to. `problems` must be empty."""

    kills: int = 0
    edits: int = 0
    drifts: int = 0
    mid_write: int = 0
    problems: list[str] = field(default_factory=list)


def storm(folder: Path, plan: Plan, progress: Progress) -> Told:
    """Run the whole of it."""
    chance = random.Random(plan.seed)
    told = Told()
    more = '[sync]\npoll_interval = "1s"\n'
    with Fleet(folder, plan.calendars, plan.sessions, plan.database, more) as fleet:
        fleet.book()
        with running(fleet, "worker") as worker:
            fleet.wait(fleet.all_shown, worker)
            fleet.wait(fleet.is_at_rest, worker)
        with Editors(fleet, plan.a_second, chance) as editors:
            for number in range(plan.kills):
                _one_life(fleet, plan, chance, told)
                told.problems += whole(fleet)
                progress.step(number + 1, plan.kills, f"{editors.count} edits")
        with running(fleet, "worker") as worker:
            fleet.wait(lambda: _has_caught_up(fleet, editors), worker)
        told.problems += [*whole(fleet), *settled(fleet, editors)]
        told.edits, told.drifts = editors.count, fleet.number("SELECT count(*) FROM drifts")
    return told


def _one_life(fleet: Fleet, plan: Plan, chance: random.Random, told: Told) -> None:
    """A worker from its start to its end: at any moment, or just as a write of its has come to the service."""
    worker = fleet.start("worker")
    before = fleet.google.state.requests
    while worker.poll() is None and fleet.google.state.requests == before:
        time.sleep(0.005)
    moment = time.monotonic() + chance.uniform(0, plan.longest)
    if chance.random() < 0.5:
        damage = chance.choice((Damage.DROP_BEFORE, Damage.DROP_AFTER))
        fleet.google.weather.add(Storm("events.patch", damage, skip=chance.randrange(4), then=worker.kill))
        moment += plan.longest
    while worker.poll() is None and time.monotonic() < moment:
        time.sleep(0.005)
    worker.kill()
    assert worker.wait(10) == -9, fleet.log()
    fleet.google.weather.clear()
    told.kills += 1
    told.mid_write += fleet.number("SELECT count(*) FROM owed_writes WHERE state = 'sent'") > 0


def _has_caught_up(fleet: Fleet, editors: Editors) -> bool:
    drifts = fleet.number("SELECT count(*) FROM drifts")
    return drifts >= editors.count and fleet.is_at_rest()
