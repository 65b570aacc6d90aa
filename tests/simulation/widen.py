"""What histories from `WIDE_FROM` on go through besides: the office, the book's rules, and the rarer kinds of fault.

Drawn from streams of its own, so that what the other streams make of a seed stays what it was.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

from tests.simulation.plan import Act, Plan, Round
from tests.simulation.ports import SQLITE_SAYS

WIDE_FROM = 1_000_000
# From here on billing sends what was cleared, and corrects it, in most histories.
FILED_FROM = 31_000_000
_CRASHES = ("crash-before-begin", "crash-before-commit", "crash-after-commit")
_MAIL = (
    "mail-crash",
    "mail-taken-and-crash",
    "mail-deferred",
    "mail-refused",
    "mail-server-away",
    "mail-taken-unheard",
    "mail-lost-unheard",
)
_HOOKS = ("lost", "doubled", "late", "forged", "early")
_RARE = ("touch", "rename", "short-listing", "swap-account", "hook", "backup")
_CLOSED = ("already-right", "rejected-by-payer", "not-ours")
_WORDS = ("stands", "did-not-take-place", "did-not-take-place", "dismiss")
_SAYINGS = ("cancel", "move", "ask", "respond", "no-show", "complete", "pay")


def widened(plan: Plan) -> Plan:
    """The same plan with more in it."""
    people, weather = (Random(f"{plan.seed}/{name}") for name in ("people-2", "faults-2"))
    office = people.random() < 0.6
    rare = weather.sample(_RARE, weather.randint(0, 3))
    says = people.choice((0.0, 0.1, 0.3)) if office else 0.0
    rounds = [plan.rounds[0]]
    for one in plan.rounds[1:]:
        acts = [*one.acts]
        if weather.random() < 0.2 and rare:
            acts.insert(weather.randint(0, len(acts)), _trouble(weather, plan, weather.choice(rare)))
        if people.random() < says:
            acts.insert(0, _say(people, plan))
        if office:
            acts += [{"do": name} for name in ("timers", "mail") if people.random() < 0.4]
        rounds.append(Round(one.advance, acts))
    rounds = _with_answers(Random(f"{plan.seed}/people-3"), rounds)
    if plan.seed >= FILED_FROM:
        rounds = _with_filing(Random(f"{plan.seed}/billing"), plan, rounds)
    policy = plan.policy | ({"office": True} if office else {})
    return replace(plan, policy=policy, rounds=rounds, faults=[*plan.faults, *_faults(weather, plan, office=office)])


def _with_answers(people: Random, rounds: list[Round]) -> list[Round]:
    """Who was asked for another time chooses one, now and then, a few rounds later."""
    answered = list(rounds)
    for place, one in enumerate(rounds):
        for act in one.acts:
            if act.get("what") == "ask" and people.random() < 0.6:
                later = min(place + people.randint(1, 2), len(rounds) - 1)
                chosen = {k: act[k] for k in ("do", "id", "occurrence")} | {"what": "respond", "by": "client:K-1"}
                chosen["by_seconds"] = 3600 * people.choice((24, 49, 170))
                answered[later] = replace(answered[later], acts=[*answered[later].acts, chosen])
    return answered


def _with_filing(billing: Random, plan: Plan, rounds: list[Round]) -> list[Round]:
    """Sessions are recorded as held, asked about, and filed; now and then a recall is done, or closed by a word.

    Some days follow on which what was filed turns out otherwise.
    """
    if billing.random() < 0.3:
        return rounds
    rounds = [replace(one, acts=[_with_its_code(act) for act in one.acts]) for one in rounds]
    filed = [rounds[0]]
    for one in rounds[1:]:
        acts = _at_the_desk(billing, plan) if billing.random() < 0.35 else []
        place = billing.randint(0, len(one.acts))
        filed.append(replace(one, acts=[*one.acts[:place], *acts, *one.acts[place:]]))
    for _ in range(billing.randint(1, 5)):
        acts = [{"do": "work"}, *_at_the_desk(billing, plan)]
        acts += [_turned_out(billing, plan) for _ in range(billing.choice((0, 1, 1, 2)))]
        filed.append(Round(float(billing.choice((4, 20, 26, 26, 49)) * 3600), acts))
    return filed


def _with_its_code(act: Act) -> Act:
    """A short session by the code for short ones: it would never be cleared by the other."""
    return act | {"code": "90832"} if act["do"] == "book" and act["minutes"] < 38 else act


def _at_the_desk(billing: Random, plan: Plan) -> list[Act]:
    but = billing.choice((None,) * 7 + (0,))
    acts: list[Act] = [
        {"do": "attend", "provider": provider, "but": but}
        for provider in sorted({one["provider"] for one in plan.calendars})
    ]
    acts += [{"do": "bill"}, {"do": "file"}][: billing.choice((1, 2, 2, 2))]
    if billing.random() < 0.4:
        acts.append({"do": "correct", "which": billing.randrange(3)})
    elif billing.random() < 0.1:
        acts.append({"do": "correct", "which": billing.randrange(3), "how": billing.choice(_CLOSED)})
    return acts


def _turned_out(billing: Random, plan: Plan) -> Act:
    """An edit of an event, a person's word on one, or a change of the record, whose session may have been filed."""
    if billing.random() < 0.3:
        return {"do": "answer", "which": billing.randrange(4), "word": billing.choice(_WORDS)}
    subject = billing.choice(_subjects(plan))
    number, occurrence = subject.partition(":")[2], billing.randrange(6)
    if billing.random() < 0.5:
        hours = billing.choice((1, 24, -24))
        act: Act = {"do": billing.choice(("drag", "drag", "delete", "duplicate", "undo")), "subject": subject}
        act |= {"calendar": billing.choice(plan.calendars)["id"], "by": 3600 * hours}
        return act | ({"occurrence": occurrence} if subject.startswith("series") and hours != 1 else {})
    act = {"id": number, "occurrence": occurrence, "scope": "this"}
    if billing.random() < 0.6:
        return act | {"do": "reschedule", "by": 3600 * billing.choice((1, 24, -24))}
    return act | {"do": "cancel"}


def _trouble(weather: Random, plan: Plan, name: str) -> Act:
    calendar = weather.choice(plan.calendars)["id"]
    match name:
        case "hook":
            return {"do": "hook", "how": weather.choice(_HOOKS), "calendar": calendar}
        case "backup":
            return {"do": weather.choice(("backup", "backup", "restore-backup"))}
        case "swap-account":
            return {"do": weather.choice(("swap-account", "swap-back", "swap-back")), "calendar": calendar}
        case "short-listing":
            return {"do": name, "calendar": calendar, "count": weather.randint(1, 3)}
        case _:
            subject = weather.choice(_subjects(plan))
            return {"do": name, "calendar": calendar, "subject": subject}


def _subjects(plan: Plan) -> list[str]:
    booked = [act for one in plan.rounds for act in one.acts if act["do"] in ("book", "block")]
    kinds = {"block": "block"}
    return [f"{kinds.get(a['do'], 'series' if 'count' in a else 'appointment')}:{a['id']}" for a in booked]


def _say(people: Random, plan: Plan) -> Act:
    kind, _, number = people.choice(_subjects(plan)).partition(":")
    what = people.choice(_SAYINGS)
    act: Act = {"do": "say", "what": what, "id": number, "occurrence": people.randrange(6), "reason": "simulated"}
    if kind == "series" and what in ("cancel", "move"):
        act["scope"] = people.choice(("this", "this", "this-and-following" if what == "move" else "all-upcoming"))
    if what == "cancel":
        act |= {"by": people.choice(("support:sim", "client:K-1")), "block": people.random() < 0.2}
    if what in ("move", "respond"):
        act["by_seconds"] = 3600 * people.choice((1, 3, 24, 49))
    if what == "ask":
        act["block"] = people.random() < 0.5
    return act


def _faults(weather: Random, plan: Plan, *, office: bool) -> list[dict[str, Any]]:
    ports: list[tuple[str, int, tuple[str, ...]]] = [("web", 25, _CRASHES), ("sql", 1500, tuple(SQLITE_SAYS))]
    if office:
        ports += [("office", 60, _CRASHES), ("mail", 12, _MAIL), ("mail", 12, _MAIL)]
    found: list[dict[str, Any]] = []
    for port, most, kinds in ports:
        times = range(weather.choice((0, 1, 2)))
        found += [{"port": port, "nth": weather.randint(1, most), "kind": weather.choice(kinds)} for _ in times]
    # Each port call is struck by one fault at most.
    return list({(one["port"], one["nth"]): one for one in found}.values())
