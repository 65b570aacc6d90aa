"""Random people at Google: when they stop, the calendar shows what the records say, and passes are quiet."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from calsync.domain.drift import Resolution
from calsync.sandbox.google.knobs import Exceptions, Knobs
from calsync.sandbox.google.times import instant_of, slots
from tests.system.google_world import GoogleWorld
from tests.system.service_world import wall, weeks

READINGS = (
    Knobs(),
    Knobs(one_entity_series=False, exceptions_on_master_change=Exceptions.ORPHANED, opaque_instance_ids=False),
    Knobs(one_entity_series=False, exceptions_on_master_change=Exceptions.RESET, lag=2, split_by_count=True),
)


@pytest.fixture
def world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[GoogleWorld]:
    made = GoogleWorld(tmp_path, replace(READINGS[request.param]))
    made.settle(stampede_min=1000, stampede_share=1.0, revert_limit=1000)
    yield made
    made.close()
    assert made.google.state.strict_faults == []


# Sessions that nobody touches, so that the rest is never "everything at once".
BYSTANDERS = [wall(f"2027-02-{day:02}T09:00") for day in range(1, 11)]


def one_act(world: GoogleWorld, chance: random.Random, number: int, done: set[object]) -> None:
    """Something that somebody does to one event, or to one occurrence of a series.

    Nothing is done twice in the same way: that would be meant, and is left to a person (R-12).
    """
    person, calendar = world.person, world.remote
    bodies = [body for body in person.events(calendar) if "2027-02" not in str(body["start"])]
    body = chance.choice(bodies)
    name, at = body["id"], None
    if "recurrence" in body:
        deleted = {
            instant_of(row["originalStartTime"], "UTC")
            for row in person.exceptions(calendar, name)
            if row["status"] == "cancelled"
        }
        left = [slot for slot in slots(body, "America/New_York") if slot not in deleted]
        at = chance.choice([None, *left, *left])
    by = timedelta(minutes=5 * number)
    act = chance.randrange(7)
    if act > 1 and (act, world_name(body), at) in done:
        return
    done.add((act, world_name(body), at))
    match act:
        case 0 | 1:
            person.drag(calendar, name, by, at)
        case 2:
            person.resize(calendar, name, by, at)
        case 3:
            person.delete(calendar, name, at)
        case 4 if at is None:
            person.make_all_day(calendar, name) if "recurrence" not in body else person.drag(calendar, name, by)
        case 4:
            person.make_all_day(calendar, name, at)
        case 5 if at is not None and at > min(slots(body, "America/New_York")):
            person.split(calendar, name, at, chance.choice([timedelta(0), by]))
        case _:
            person.duplicate(calendar, name, timedelta(days=1) + by)


def world_name(body: dict[str, object]) -> str:
    """Which session or series an event shows, copies included."""
    return str(body["summary"])


@pytest.mark.parametrize("seed", [0, 1, 21, 23])
@pytest.mark.parametrize("world", range(len(READINGS)), indirect=True)
def test_it_converges(world: GoogleWorld, seed: int) -> None:
    chance = random.Random(seed)
    world.book("A-1", "2026-12-01T09:00")
    world.book("A-2", "2026-12-02T09:00")
    world.book_series("S-1", "2026-12-03T10:00", "FREQ=WEEKLY;COUNT=6", 6)
    world.book_series("S-2", "2026-12-04T11:00", "FREQ=WEEKLY;COUNT=6", 6)
    for number, start in enumerate(BYSTANDERS):
        world.book(f"B-{number}", start.isoformat())
    world.run()
    done: set[object] = set()
    for number in range(5):
        for more in range(chance.randrange(1, 4)):
            one_act(world, chance, 1 + 3 * number + more, done)
        if chance.random() < 0.4:
            world.google.weather.lose_answers("events.patch")
        if chance.random() < 0.2:
            world.google.weather.refuse("events.list", 503, "backendError")
        world.later(seconds=chance.randrange(10, 300))
        world.run()
    world.google.weather.clear()
    for _ in range(12):
        world.later(minutes=7)
        world.run()
    shown = sorted(
        at
        for body in world.person.events(world.remote)
        for at in (world.occurrences(body["id"]) if "recurrence" in body else [world.google_shows()[body["id"]]])
    )
    wanted = [wall("2026-12-01T09:00"), wall("2026-12-02T09:00")]
    wanted += [*weeks("2026-12-03T10:00", 6), *weeks("2026-12-04T11:00", 6)]
    assert shown == sorted([*wanted, *BYSTANDERS])
    assert Resolution.OPEN not in world.resolutions()
    assert world.drifts()
    quiet = world.run()
    assert (quiet.requests, quiet.written, quiet.drifts) == (1, 0, 0)
