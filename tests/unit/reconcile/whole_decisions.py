"""Whole decisions, kept in `whole-decisions.json`: all that is recorded, written and remembered.

Drifts and writes stand there in words, each on a line of its own; events as a whole, and what was seen of each session,
by the beginning of a hash, since what they are follows from the rest.

Every kind of edit meets every change of the record, at once and one after the other, before, during and after its
session. `python -m tests.unit.reconcile.whole_decisions` writes them anew; look at the difference before you keep it.
"""

from __future__ import annotations

import hashlib
import json
from copy import deepcopy
from dataclasses import fields, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from calsync.domain.event import Appearance, Event
from calsync.domain.notation import event_to_data
from calsync.reconcile.plan import Decision, Sighting
from tests.properties.pretend import World
from tests.unit.reconcile.histories import Step, histories
from tests.unit.reconcile.scenes import ZONE

STORED = Path(__file__).parent / "whole-decisions.json"


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
def _by_first_words() -> dict[str, list[tuple[str, World, list[Step]]]]:
    found: dict[str, list[tuple[str, World, list[Step]]]] = {}
    for one in histories():
        found.setdefault(one[0].split(",")[0], []).append(one)
    return found


def beginnings() -> list[str]:
    """The first words of the histories' names, up to their comma."""
    return sorted(_by_first_words())


def told(beginning: str) -> dict[str, list[list[str]]]:
    """All decisions of the histories whose names begin so."""
    return {name: decisions(deepcopy(world), steps) for name, world, steps in _by_first_words()[beginning]}


def names() -> set[str]:
    """The names of all histories."""
    return {name for group in _by_first_words().values() for name, _, _ in group}


@lru_cache(maxsize=1)
def stored() -> dict[str, Any]:
    """What is kept."""
    kept: dict[str, Any] = json.loads(STORED.read_text(encoding="utf-8"))
    return kept


if __name__ == "__main__":
    every = {name: one for beginning in beginnings() for name, one in told(beginning).items()}
    STORED.write_text(json.dumps(every, indent=0, sort_keys=True) + "\n", encoding="utf-8")
