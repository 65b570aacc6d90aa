"""Make a failing plan small: take rounds, acts and faults away as long as the same check still fails (ddmin)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from tests.simulation.history import run
from tests.simulation.plan import Plan, Round

T = TypeVar("T")
# Keys that make an act more special than it needs to be.
_EXTRAS = ("copy", "occurrence", "worker", "forged", "but")


def shrink(plan: Plan, check: str, *, at_most: int = 3000) -> Plan:
    """The smallest plan found that still fails `check`."""
    left = [at_most]

    def fails(candidate: Plan) -> bool:
        left[0] -= 1
        return left[0] > 0 and run(candidate).failed == check

    while True:
        before = plan
        for step in (_fewer_rounds, _fewer_faults, _fewer_acts, _merged_rounds, _fewer_places, _plainer):
            plan = step(plan, fails)
        if plan == before or left[0] <= 0:
            return plan


def _minimal(items: Sequence[T], fails: Callable[[list[T]], bool]) -> list[T]:
    """Zeller's ddmin: ever smaller pieces are taken away."""
    kept, size = list(items), max(1, len(items) // 2)
    while size >= 1:
        place = 0
        while place < len(kept):
            rest = kept[:place] + kept[place + size :]
            if fails(rest):
                kept = rest
            else:
                place += size
        size //= 2
    return kept


def _fewer_rounds(plan: Plan, fails: Callable[[Plan], bool]) -> Plan:
    return replace(plan, rounds=_minimal(plan.rounds, lambda rest: fails(replace(plan, rounds=rest))))


def _fewer_faults(plan: Plan, fails: Callable[[Plan], bool]) -> Plan:
    return replace(plan, faults=_minimal(plan.faults, lambda rest: fails(replace(plan, faults=rest))))


def _fewer_acts(plan: Plan, fails: Callable[[Plan], bool]) -> Plan:
    for place in range(len(plan.rounds)):
        plan = _fewer_acts_in(plan, place, fails)
    return plan


def _fewer_acts_in(plan: Plan, place: int, fails: Callable[[Plan], bool]) -> Plan:
    def with_acts(acts: list[dict[str, Any]]) -> Plan:
        one = replace(plan.rounds[place], acts=acts)
        return replace(plan, rounds=[*plan.rounds[:place], one, *plan.rounds[place + 1 :]])

    return with_acts(_minimal(plan.rounds[place].acts, lambda rest: fails(with_acts(rest))))


def _merged_rounds(plan: Plan, fails: Callable[[Plan], bool]) -> Plan:
    """Two rounds become one where the time between them does not matter."""
    place = 0
    while place + 1 < len(plan.rounds):
        first, second = plan.rounds[place], plan.rounds[place + 1]
        for advance in (first.advance, first.advance + second.advance):
            merged = Round(advance, [*first.acts, *second.acts])
            candidate = replace(plan, rounds=[*plan.rounds[:place], merged, *plan.rounds[place + 2 :]])
            if fails(candidate):
                plan = candidate
                break
        else:
            place += 1
    return plan


def _fewer_places(plan: Plan, fails: Callable[[Plan], bool]) -> Plan:
    for place in plan.calendars[::-1]:
        rest = [one for one in plan.calendars if one is not place]
        named = [
            replace(one, acts=[act for act in one.acts if act.get("calendar") != place["id"]]) for one in plan.rounds
        ]
        candidate = replace(plan, calendars=rest, rounds=named)
        if rest and fails(candidate):
            plan = candidate
    for name in ("caldav-sync", "google"):
        for number, service in enumerate(plan.services):
            if service not in {name, "caldav-sync"}:
                candidate = replace(plan, services=[*plan.services[:number], name, *plan.services[number + 1 :]])
                if fails(candidate):
                    plan = candidate
    return plan


def _plainer(plan: Plan, fails: Callable[[Plan], bool]) -> Plan:
    plain = {"settle": 90, "revert_limit": 3, "stampede_min": 5, "attempts": 1}
    for name, value in plain.items():
        candidate = replace(plan, policy=plan.policy | {name: value})
        if plan.policy.get(name) != value and fails(candidate):
            plan = candidate
    for place, one in enumerate(plan.rounds):
        for number, act in enumerate(one.acts):
            for extra in _EXTRAS:
                if extra not in act or (extra == "occurrence" and act["do"] in ("drag", "delete", "split")):
                    continue
                acts = [*one.acts[:number], {k: v for k, v in act.items() if k != extra}, *one.acts[number + 1 :]]
                candidate = replace(
                    plan, rounds=[*plan.rounds[:place], replace(one, acts=acts), *plan.rounds[place + 1 :]]
                )
                if fails(candidate):
                    return candidate
    return plan
