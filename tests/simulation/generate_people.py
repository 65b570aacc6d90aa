"""What people do in a history, drawn from their own stream."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from tests.simulation.plan import Act
from tests.simulation.swarm import SERIES, SINGLE, Streams, Swarm

HOURS = (-3, -2, -1, 1, 2, 4, 24, -24, 48, 168)
WORDS = ("stands", "dismiss", "restore", "reschedule", "did-not-take-place")


def _name(act: Act) -> str:
    kind = "block" if act["do"] == "block" else "series" if "count" in act else "appointment"
    return f"{kind}:{act['id']}"


def people_acts(streams: Streams, swarm: Swarm, calendars: list[dict[str, Any]], subjects: list[Act]) -> list[Act]:
    """What people do in one round: to their calendars, to the practice's questions and to the sessions' records."""
    people = streams.people
    acts: list[Act] = []
    if people.random() < swarm.people_rate:
        acts.append(draw_edit(people, swarm, calendars, subjects))
        if people.random() < 0.15:
            acts.append(draw_edit(people, swarm, calendars, subjects))
    if swarm.insists and people.random() < swarm.insists:
        # The same drag again and again: somebody means it.
        one = subjects[0]
        if one["do"] == "book":
            acts.append({"do": "drag", "calendar": calendars[0]["id"], "subject": _name(one), "by": 3600})
    if people.random() < swarm.mass:
        calendar = people.choice(calendars)["id"]
        wipe: Act = {"do": "wipe", "calendar": calendar, "keep": people.choice((0, 0, 1))}
        acts.append(wipe if people.random() < 0.7 else {"do": "drag-all", "calendar": calendar, "by": 3600})
    if people.random() < 0.06:
        acts.append(_own_event(people, calendars))
    if len(calendars) > 1 and people.random() < 0.04:
        one, here, there = people.choice(subjects), people.choice(calendars)["id"], people.choice(calendars)["id"]
        acts.append({"do": "copy-across", "calendar": here, "subject": _name(one), "to": there})
    if people.random() < 0.03:
        acts.append({"do": "edit-own", "calendar": people.choice(calendars)["id"]})
    if people.random() < swarm.mass * 3:
        release = {
            "do": "resume",
            "calendar": people.choice(calendars)["id"],
            "as": people.choice(("edits", "restore")),
        }
        acts.append(release)
    if people.random() < swarm.answers:
        acts.append({"do": "answer", "which": people.randrange(4), "word": people.choice(WORDS)})
    if people.random() < swarm.billing:
        provider = people.choice(calendars)["provider"]
        but = people.choice((None, None, None, 0))
        acts += [{"do": "attend", "provider": provider, "but": but}, {"do": "bill"}]
    return acts


def draw_edit(people: Random, swarm: Swarm, calendars: list[dict[str, Any]], subjects: list[Act]) -> Act:
    """What somebody does to one of our events."""
    one = people.choice(subjects)
    wanted = SERIES if "count" in one else SINGLE
    allowed = [name for name in wanted if name in swarm.people] or ["drag"]
    name = people.choice(allowed)
    act: Act = {"do": name, "calendar": people.choice(calendars)["id"], "subject": _name(one)}
    occurrence = people.randrange(6)
    if people.random() < 0.12:
        act["copy"] = 1
    if name in ("drag-occurrence", "delete-occurrence"):
        act |= {"do": name.partition("-")[0], "occurrence": occurrence}
    elif name in ("split", "call-off", "resize", "retitle") and "count" in one:
        act["occurrence"] = occurrence
    if name == "drag-far":
        return act | {"do": "drag", "by": 86400 * people.choice((430, -75))}
    return act | _how(people, name)


def _how(people: Random, name: str) -> Act:
    if name in ("drag", "drag-occurrence", "duplicate", "split"):
        hours = (0, *HOURS) if name in ("duplicate", "split") else HOURS
        return {"by": 3600 * people.choice(hours)}
    if name == "resize":
        return {"by": 60 * people.choice((-20, -10, 15, 60))}
    if name == "zone":
        return {"zone": people.choice(("Europe/Berlin", "America/Chicago"))}
    if name == "rule":
        return {"rule": people.choice(("FREQ=WEEKLY;INTERVAL=2;COUNT=3", "FREQ=DAILY;COUNT=4", "FREQ=WEEKLY;COUNT=2"))}
    more = {"retitle": {"title": "Mine"}, "recolour": {"colour": "red"}, "note": {"text": "bring forms"}}
    return more.get(name, {})


def _own_event(people: Random, calendars: list[dict[str, Any]]) -> Act:
    day = datetime(2026, 1, 1, 7, tzinfo=UTC) + timedelta(days=people.randrange(365))
    act: Act = {
        "do": "own-event",
        "calendar": people.choice(calendars)["id"],
        "start": day.replace(tzinfo=None).isoformat(),
    }
    if people.random() < 0.5:
        act |= {"forged": people.choice(("signature", "place")), "which": people.randrange(9)}
    return act
