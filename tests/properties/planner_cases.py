"""Cases of the planner check by the thousand: one event, perturbed for each of its three states, from a number.

`./dev planner [COUNT]` runs as many as one likes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from calsync.domain.drift import Resolution
from calsync.domain.event import Appearance, Event, Override, Recurrence
from calsync.domain.recurrence import rule_with_until, slots_between
from calsync.domain.span import Span
from calsync.reconcile.compare import view
from calsync.reconcile.plan import Decision, WantedWrite
from calsync.reconcile.shown import same_state
from tests.properties.pretend import NOW, POLICY, WINDOW, World, link

ZONES = ("America/New_York", "Europe/Berlin", "UTC", "Australia/Lord_Howe")
RULES = ("FREQ=WEEKLY", "FREQ=WEEKLY;INTERVAL=2;COUNT=6", "FREQ=DAILY;COUNT=5", "FREQ=MONTHLY;BYDAY=1TU")
MOST_ROUNDS = 5
Edit = Callable[[Random, Event], Event | None]


def _event(random: Random) -> Event:
    # Moved twice, it still lies inside the window: what lies at its edge is told by other tests.
    start = datetime(2026, 11, 22, 9, 30) + timedelta(days=random.randint(-24, 40), hours=random.randint(0, 8))
    span = Span(start, start + timedelta(minutes=50), random.choice(ZONES))
    rule = random.choice(RULES) if random.random() < 0.3 else None
    return Event("u-1", Appearance(span, "Session 1"), None if rule is None else Recurrence(rule))


def _moved(random: Random, event: Event) -> Event:
    span = event.master.span
    return replace(event, master=replace(event.master, span=span.starting(span.start + _hours(random))))


def _hours(random: Random) -> timedelta:
    return timedelta(hours=random.choice((-50, -24, -2, -1, 0, 1, 3, 24, 60)))


def _longer(random: Random, event: Event) -> Event:
    span = event.master.span
    longer = replace(span, end=span.end + timedelta(minutes=random.choice((-20, 15, 60))))
    return replace(event, master=replace(event.master, span=longer))


def _slot(random: Random, event: Event) -> datetime | None:
    slots = sorted(slots_between(event, NOW - timedelta(days=40), NOW + timedelta(days=120)))
    return random.choice(slots) if slots and event.is_series else None


def _one_changed(random: Random, event: Event) -> Event:
    slot = _slot(random, event)
    if slot is None:
        return _moved(random, event)
    base = slots_between(event, slot, slot)[slot]
    shown = Appearance(base.starting(base.start + _hours(random)), "Session 1", cancelled=random.random() < 0.2)
    others = [one for one in event.overrides if one.original_start != slot]
    made = sorted([*others, Override(slot, shown)], key=lambda one: one.original_start)
    return replace(event, overrides=tuple(made))


def _one_less(random: Random, event: Event) -> Event | None:
    slot, recurrence = _slot(random, event), event.recurrence
    if slot is None or recurrence is None:
        return None
    excluded = tuple(sorted({*recurrence.excluded, slot}))
    overrides = tuple(one for one in event.overrides if one.original_start != slot)
    return replace(event, recurrence=replace(recurrence, excluded=excluded), overrides=overrides)


def _ends_early(random: Random, event: Event) -> Event:
    slot, recurrence = _slot(random, event), event.recurrence
    if slot is None or recurrence is None:
        return _longer(random, event)
    rule = rule_with_until(recurrence.rule, slot - timedelta(days=1))
    return replace(event, recurrence=replace(recurrence, rule=rule))


def _other_zone(random: Random, event: Event) -> Event:
    span = replace(event.master.span, zone=random.choice(ZONES))
    return replace(event, master=replace(event.master, span=span))


def _whole_day(_random: Random, event: Event) -> Event:
    span = event.master.span
    day = datetime(span.start.year, span.start.month, span.start.day)
    whole = Span(day, day + timedelta(days=1), span.zone, all_day=True)
    return replace(event, master=replace(event.master, span=whole))


def _looks(random: Random, event: Event) -> Event:
    return replace(event, master=replace(event.master, title="Yoga", busy=random.random() < 0.5))


def _repeats(_random: Random, event: Event) -> Event:
    return event if event.is_series else replace(event, recurrence=Recurrence("FREQ=DAILY;COUNT=3"))


EDITS: tuple[Edit, ...] = (
    _moved,
    _moved,
    _longer,
    _one_changed,
    _one_changed,
    _one_less,
    _ends_early,
    _other_zone,
    _whole_day,
    _looks,
    _repeats,
    lambda _random, _event: None,
)


def _perturbed(random: Random, event: Event) -> Event | None:
    """The event as it is, or after one or two edits."""
    seen: Event | None = event
    for _ in range(random.choice((0, 1, 1, 2))):
        seen = random.choice(EDITS)(random, seen) if seen is not None else None
    return seen


class Shuffled(World):
    """A world whose writes go out in any order."""

    random: Random

    def one_pass(self) -> Decision:
        """See `World`."""
        decision = self.decide()
        self.record(decision)
        due = [one for one in decision.writes if one.not_before <= self.now]
        self.random.shuffle(due)
        for write in due:
            self._write_if_unchanged(write)
        return decision

    def _write_if_unchanged(self, write: WantedWrite) -> None:
        """A service refuses a write whose version another one has moved."""
        about_copy = write.remote_id != self.link.remote_id
        moved = not about_copy and write.version is not None and write.version != str(self.version)
        taken = not about_copy and write.version is None and self.there is not None
        gone = about_copy and write.remote_id not in self.copies
        if not (moved or taken or gone):
            self.write(write)


def world_of(number: int) -> Shuffled:
    """The case of a number."""
    random = Random(number)
    event = _event(random)
    baseline = event if random.random() < 0.6 else _perturbed(random, event)
    known = baseline or event
    world = Shuffled.agreed(known)
    assert isinstance(world, Shuffled)
    world.random = random
    world.policy = POLICY
    if baseline is None:
        world.link, world.there = link(), None
    world.expected = _perturbed(random, known)
    world.lose_answers = random.choice((0, 0, 1))
    seen = _perturbed(random, known)
    if baseline is not None and seen != baseline:
        world.edit(seen)
    return world


def rounds_of(number: int) -> int:
    """How many rounds the case needed; AssertionError when it does not settle, or on something else than it should."""
    world = world_of(number)
    rounds = world.settle(MOST_ROUNDS + 1)  # the last one finds nothing to do
    excused = {
        one.original_start
        for one in world.drifts
        if one.accepted or (one.resolution is Resolution.OPEN and not one.disposition.reverts)
    }
    if world.expected is None:
        assert world.there is None or excused, "it still stands"
        return rounds
    seen = view(world.expected, world.there, window=WINDOW)
    wrong = [
        (key, shown)
        for key, shown in seen.shown.items()
        if key not in excused and not same_state(seen.agreed.get(key), shown.own)
    ]
    assert wrong == [], wrong
    assert not [one for one in world.drifts if one.resolution is Resolution.OPEN and one.disposition.reverts]
    return rounds


def broken(numbers: range) -> list[str]:
    """What is wrong with those cases that do not settle as they should."""
    told = []
    for number in numbers:
        try:
            rounds_of(number)
        except AssertionError as problem:
            told.append(f"case {number}: {str(problem)[:300]}")
    return told


def main() -> int:
    """Run cases; 0 when all of them settled."""
    parser = argparse.ArgumentParser(prog="./dev planner", description="perturb one event thrice, decide, pretend")
    parser.add_argument("count", nargs="?", type=int, default=20_000)
    parser.add_argument("--first", type=int, default=0, help="the number of the first case")
    options = parser.parse_args()
    wrong = broken(range(options.first, options.first + options.count))
    print("\n".join([*wrong, f"{options.count} cases, {len(wrong)} broken"]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
