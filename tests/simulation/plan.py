"""A history as data: what people, the platform, the weather and the scheduler do, decided before it begins.

Everything is plain JSON and refers to things by name or by place in a list, so that any part can be taken away and the
rest still makes sense. That is what makes replaying and shrinking work.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

Act = dict[str, Any]


@dataclass(frozen=True)
class Round:
    """Some time passes, then these acts happen one after the other."""

    advance: float
    acts: list[Act] = field(default_factory=list)


@dataclass(frozen=True)
class Plan:
    """`start` is an instant; `services` are personalities; `calendars` name provider and service.

    `policy` are the knobs of deciding. `faults` strike at the n-th call of a port, counted over the whole history.
    """

    seed: int
    start: str
    policy: dict[str, Any]
    services: list[str]
    calendars: list[dict[str, Any]]
    rounds: list[Round]
    faults: list[dict[str, Any]] = field(default_factory=list)
    release: str = "edits"
    note: str = ""

    @property
    def steps(self) -> int:
        """How much happens, for people who shrink."""
        return sum(len(one.acts) for one in self.rounds) + len(self.faults) + len(self.rounds)

    def to_json(self) -> str:
        """The plan as text: one line for each act and fault, so that a shrunken one is read at a glance."""
        data = asdict(self)
        rounds, faults = data.pop("rounds"), data.pop("faults")
        lines = [f"  {json.dumps(name)}: {json.dumps(value)}," for name, value in data.items()]
        lines.append('  "faults": [' + ",".join(f"\n    {json.dumps(one)}" for one in faults) + "],")
        told = []
        for one in rounds:
            acts = ",".join(f"\n      {json.dumps(act)}" for act in one["acts"])
            told.append(f'\n    {{"advance": {one["advance"]}, "acts": [{acts}]}}')
        lines.append('  "rounds": [' + ",".join(told) + "]")
        return "{\n" + "\n".join(lines) + "\n}\n"


def plan_of(text: str) -> Plan:
    """Read what `to_json` wrote."""
    data = json.loads(text)
    rounds = [Round(**one) for one in data.pop("rounds")]
    return Plan(rounds=rounds, **data)


def stored_plans() -> list[Path]:
    """Plans of faults that were found once, or that show a broken variant: each a regression for ever."""
    tests = Path(__file__).parents[1]
    return [
        *sorted((tests / "simulation" / "plans").glob("*.json")),
        *sorted((tests / "mutants" / "plans").glob("*.json")),
    ]
