"""Whole decisions, kept in `whole-decisions.json`: all that is recorded, written and remembered.

Drifts and writes stand there in words, each on a line of its own; events as a whole, and what was seen of each session,
by the beginning of a hash, since what they are follows from the rest.

Every kind of edit meets every change of the record, at once and one after the other, before, during and after its
session. `python -m tests.unit.reconcile.whole_decisions` writes them anew; look at the difference before you keep it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from calsync.domain.drift import Disposition, DriftKind, Phase, Resolution
from calsync.domain.event import Appearance, Event, Override, Recurrence
from calsync.domain.notation import event_to_data
from calsync.domain.span import Span, Window
from calsync.reconcile.case import LinkCase, Moment, NothingNew, UnreadableNow
from calsync.reconcile.decide import decide
from calsync.reconcile.disposition import DEFAULT_DISPOSITIONS
from calsync.reconcile.plan import Decision, Sighting
from tests.properties.pretend import NOW, POLICY, World

STORED = Path(__file__).parent / "whole-decisions.json"
ZONE = "America/New_York"
WINDOW = Window(NOW - timedelta(days=10), NOW + timedelta(days=30))
LENIENT = replace(POLICY, dispositions={**DEFAULT_DISPOSITIONS, **{
    (kind, phase): Disposition.FLAG
    for kind in (DriftKind.MOVED, DriftKind.DELETED, DriftKind.CANCELLED, DriftKind.RECURRENCE_CHANGED)
    for phase in Phase
}})  # fmt: skip
STRICT = replace(POLICY, dispositions={**DEFAULT_DISPOSITIONS, **{
    (kind, Phase.UPCOMING): Disposition.REVERT for kind in DriftKind
}})  # fmt: skip
Change = Callable[[Event], Event | None]
Step = Callable[[World], Decision | None]


def seen(start: str, minutes: int = 50, **more: Any) -> Appearance:
    wall = datetime.fromisoformat(start)
    return Appearance(Span(wall, wall + timedelta(minutes=minutes), ZONE), "Session 1", **more)


def single(start: str = "2026-12-01T10:00") -> Event:
    return Event("u-1", seen(start))


def weekly(start: str = "2026-12-01T10:00", count: int = 3) -> Event:
    return replace(single(start), recurrence=Recurrence(f"FREQ=WEEKLY;COUNT={count}"))


def _master(**changes: Any) -> Change:
    return lambda event: replace(event, master=replace(event.master, **changes))


def _shifted(hours: float, longer: int = 0) -> Change:
    def changed(event: Event) -> Event:
        span = event.master.span
        moved = replace(
            span,
            start=span.start + timedelta(hours=hours),
            end=span.end + timedelta(hours=hours, minutes=longer),
        )
        return replace(event, master=replace(event.master, span=moved))

    return changed


def _spanning(**changes: Any) -> Change:
    return lambda event: replace(event, master=replace(event.master, span=replace(event.master.span, **changes)))


def _recurring(rule: str = "FREQ=WEEKLY;COUNT=3", **more: Any) -> Change:
    return lambda event: replace(event, recurrence=Recurrence(rule, **more))


def _second(change: Callable[[Appearance], Appearance]) -> Change:
    """Change the second occurrence of a weekly event on its own."""

    def changed(event: Event) -> Event:
        span = event.master.span
        slot = span.starting(span.start + timedelta(days=7))
        one = change(replace(event.master, span=slot))
        return replace(event, overrides=(Override(slot.start_at.astimezone(UTC), one),))

    return changed


def _excluding(event: Event) -> Event:
    span = event.master.span
    at = span.starting(span.start + timedelta(days=7)).start_at.astimezone(UTC)
    return replace(event, recurrence=Recurrence("FREQ=WEEKLY;COUNT=3", excluded=(at,)))


def _adding(event: Event) -> Event:
    at = event.master.span.start_at.astimezone(UTC) + timedelta(days=2)
    return replace(event, recurrence=Recurrence("FREQ=WEEKLY;COUNT=3", added=(at,)))


def _later(one: Appearance) -> Appearance:
    start = one.span.start + timedelta(hours=3)
    return replace(one, span=one.span.starting(start))


_ALL_DAY = {"start": datetime(2026, 12, 1), "end": datetime(2026, 12, 2), "all_day": True}
_PROPOSED = Span(datetime(2026, 12, 2, 10), datetime(2026, 12, 2, 10, 50), ZONE)
EDITS: dict[str, Change] = {
    "moved": _shifted(4),
    "resized": _shifted(0, -20),
    "deleted": lambda _: None,
    "called off": _master(cancelled=True),
    "renamed": _master(title="Yoga"),
    "free": _master(busy=False),
    "declined": _master(answer="declined"),
    "proposed": _master(proposed=_PROPOSED),
    "whole day": _spanning(**_ALL_DAY),
    "zone": _spanning(zone="America/Chicago"),
    "repeating": _recurring(),
}
SERIES_EDITS: dict[str, Change] = {
    "moved": _shifted(4),
    "moved by a day": _shifted(24),
    "deleted": lambda _: None,
    "renamed": _master(title="Yoga"),
    "zone": _spanning(zone="America/Chicago"),
    "shorter": _recurring("FREQ=WEEKLY;COUNT=2"),
    "longer": _recurring("FREQ=WEEKLY;COUNT=4"),
    "one moved": _second(_later),
    "one called off": _second(lambda one: replace(one, cancelled=True)),
    "one renamed": _second(lambda one: replace(one, title="Yoga")),
    "one excluded": _excluding,
    "one added": _adding,
    "not repeating": lambda event: replace(event, recurrence=None),
}
RECORDS: dict[str, Change] = {
    "moved": _shifted(4),
    "moved elsewhere": _shifted(2),
    "cancelled": lambda _: None,
    "renamed": _master(title="Session S-1"),
}
SERIES_RECORDS: dict[str, Change] = {
    "moved": _shifted(2),
    "cancelled": lambda _: None,
    "longer": _recurring("FREQ=WEEKLY;COUNT=4"),
    "one moved": _second(_later),
    "one excluded": _excluding,
    "elsewhere": lambda event: replace(event, location="Room 2"),
}


def edit(change: Change) -> Step:
    def step(world: World) -> None:
        world.edit(change(_agreed(world)))

    return step


def want(change: Change) -> Step:
    def step(world: World) -> None:
        world.expected = change(_agreed(world))

    return step


def _agreed(world: World) -> Event:
    assert world.link.baseline is not None
    return world.link.baseline


def back(world: World) -> None:
    world.edit(world.expected)


def wait(world: World) -> None:
    world.now += POLICY.settle


def quiet(world: World) -> Decision:
    return _decided(world, replace(world.case(), sight=NothingNew()))


def unreadable(world: World) -> Decision:
    return _decided(world, replace(world.case(), sight=UnreadableNow("9", "rule-nobody-knows")))


def claimed(world: World) -> Decision:
    case = world.case()
    return _decided(world, replace(case, slots={key: replace(one, claimed=True) for key, one in case.slots.items()}))


def _decided(world: World, case: LinkCase) -> Decision:
    decision = decide(case, Moment(world.now, world.window), world.policy)
    world.record(decision)
    return decision


def unmarked(world: World) -> None:
    world.marked = None


def lose(world: World) -> None:
    world.lose_answers = 1


def answer(resolution: Resolution) -> Step:
    def step(world: World) -> None:
        world.drifts = [
            replace(one, resolution=resolution, accepted=True, resolved_at=world.now) for one in world.drifts
        ]

    return step


def histories() -> Iterator[tuple[str, World, list[Step]]]:
    """All of them: a name, the world to begin with, and what happens before each pass."""
    yield from _single()
    yield from _series()
    yield from _special()


def _world(event: Event, **more: Any) -> World:
    return World.agreed(event, **{"window": WINDOW, **more})


def _single() -> Iterator[tuple[str, World, list[Step]]]:
    for name, change in EDITS.items():
        yield f"single {name}, goes back", _world(single()), [edit(change), quiet, back]
        yield f"single {name}, restored", _world(single()), [edit(change), wait, wait]
        yield (
            f"single {name}, answered",
            _world(single(), policy=LENIENT),
            [edit(change), answer(Resolution.ACKNOWLEDGED), back],
        )
        for phase, start in (("past", "2026-11-20T10:00"), ("under way", "2026-11-22T10:10")):
            yield f"single {name}, {phase}", _world(single(start)), [edit(change), wait]
        yield f"single {name}, claimed", _world(single("2026-11-20T10:00")), [edit(change), claimed]
        for word, wanted in RECORDS.items():
            yield f"single {name}, record {word}", _world(single()), [_both(change, wanted), wait]
            yield f"single {name}, then record {word}", _world(single(), policy=LENIENT), [edit(change), want(wanted)]


def _series() -> Iterator[tuple[str, World, list[Step]]]:
    for name, change in SERIES_EDITS.items():
        yield f"series {name}, goes back", _world(weekly()), [edit(change), back]
        yield f"series {name}, restored", _world(weekly()), [edit(change), wait]
        yield f"series {name}, half over", _world(weekly("2026-11-17T10:00")), [edit(change), wait]
        yield f"series {name}, answered", _world(weekly(), policy=LENIENT), [edit(change), answer(Resolution.IGNORED)]
        for word, wanted in SERIES_RECORDS.items():
            yield f"series {name}, record {word}", _world(weekly()), [_both(change, wanted)]
            yield f"series {name}, then record {word}", _world(weekly(), policy=LENIENT), [edit(change), want(wanted)]


def _special() -> Iterator[tuple[str, World, list[Step]]]:
    for kind, event in (("single", single()), ("series", weekly())):
        edits = EDITS if kind == "single" else SERIES_EDITS
        for word, wanted in (RECORDS if kind == "single" else SERIES_RECORDS).items():
            yield f"{kind} record {word}, answer lost", _world(event), [_then(lose, want(wanted)), wait, back]
        moved = edits["moved"]
        yield f"{kind} revert lost", _world(event), [edit(moved), _then(lose, wait), wait]
        yield f"{kind} revert lost and moved again", _world(event), [edit(moved), _then(lose, wait), edit(moved)]
        yield f"{kind} unreadable", _world(event), [unreadable, edit(moved), unreadable]
        yield f"{kind} marker lost", _world(event), [unmarked, wait]
        yield f"{kind} marker lost and moved", _world(event), [_then(unmarked, edit(moved)), wait]
        yield f"{kind} moved four times", _world(event), [edit(moved), wait, *[edit(moved), wait] * 3]
        yield f"{kind} books lost", _unknown(event), [wait]
        yield f"{kind} books lost and moved", _unknown(event), [edit_there(moved), wait]
        yield f"{kind} nothing there yet", _unknown(event, there=False), [wait]
        for name in ("renamed", "moved", "deleted"):
            yield f"{kind} strict {name}", _world(event, policy=STRICT), [edit(edits[name]), wait]
            observing = replace(POLICY, observe_only=True)
            yield f"{kind} observed {name}", _world(event, policy=observing), [edit(edits[name]), wait]


def edit_there(change: Change) -> Step:
    def step(world: World) -> None:
        assert world.there is not None
        world.edit(change(world.there))

    return step


def _unknown(event: Event, *, there: bool = True) -> World:
    world = _world(event)
    world.link = replace(world.link, baseline=None, baseline_hash=None, version=None)
    if not there:
        world.there = None
    return world


def _both(change: Change, wanted: Change) -> Step:
    return _then(edit(change), want(wanted))


def _then(*steps: Step) -> Step:
    def step(world: World) -> None:
        for one in steps:
            one(world)

    return step


def decisions(world: World, steps: list[Step]) -> list[list[str]]:
    """What is decided after each step, as data without what is as it is by default."""
    found = []
    for step in steps:
        decision = step(world) or world.one_pass()
        found.append(_plain(decision))
    return found


def _plain(decision: Decision) -> list[str]:
    """The decision line by line, without what is as it is by default."""
    told = [_line("found", one) for one in decision.found] + [_line("changed", one) for one in decision.changed]
    told += [_line("write", one) for one in decision.writes]
    told += [] if decision.adopt is None else [_line("adopt", decision.adopt)]
    rest = replace(decision, found=(), changed=(), writes=(), adopt=None)
    return [_line("", rest), *told]


def _line(what: str, value: Any) -> str:
    kept = {one.name: getattr(value, one.name) for one in fields(value)}
    words = [f"{name}={_short(one)}" for name, one in kept.items() if one not in ((), None, False)]
    return " ".join([what, *words]).strip()


def _short(value: Any) -> str:
    match value:
        case Appearance():
            return _appearance(value)
        case Event():
            return _hash(json.dumps(event_to_data(value), sort_keys=True))
        case datetime():
            return value.astimezone(UTC).strftime("%m-%dT%H:%M:%S")
        case (Sighting(), *_):
            return _hash(" ".join(f"{_short(one.original_start)}={_short(one.appearance)}" for one in value))
        case tuple():
            return ",".join(map(_short, value))
    return str(value)


def _appearance(value: Appearance) -> str:
    span = value.span
    times = f"{span.start:%m-%dT%H:%M}/{span.end:%m-%dT%H:%M}"
    zone = "" if span.zone == ZONE else span.zone
    odd = [("whole-day", span.all_day), ("cancelled", value.cancelled), ("free", not value.busy)]
    more = [zone, value.answer, *(name for name, so in odd if so), value.title if value.title != "Session 1" else ""]
    proposed = f"proposed {value.proposed.start:%m-%dT%H:%M}" if value.proposed is not None else ""
    return "/".join(one for one in (times, *more, proposed) if one)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:6]


@lru_cache(maxsize=1)
def names() -> dict[str, list[str]]:
    """The names of all histories, by their first words."""
    found: dict[str, list[str]] = {}
    for name, _, _ in histories():
        found.setdefault(name.split(",")[0], []).append(name)
    return found


def told(first_words: str | None = None) -> dict[str, list[list[str]]]:
    """All decisions of the histories whose names begin so."""
    return {
        name: decisions(world, steps) for name, world, steps in histories() if first_words in (None, name.split(",")[0])
    }


@lru_cache(maxsize=1)
def stored() -> dict[str, Any]:
    """What is kept."""
    kept: dict[str, Any] = json.loads(STORED.read_text(encoding="utf-8"))
    return kept


if __name__ == "__main__":
    STORED.write_text(json.dumps(told(), indent=0, sort_keys=True) + "\n", encoding="utf-8")
