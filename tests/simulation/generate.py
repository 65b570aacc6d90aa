"""From a seed to a plan: four streams of chance (people, platform, weather, scheduler), and a swarm.

Each history draws its own subset and strength of what can happen, so that rare things meet each other often in some
histories instead of never in all.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from tests.simulation.generate_faults import draw_faults, trouble_acts
from tests.simulation.generate_people import HOURS, people_acts
from tests.simulation.plan import Act, Plan, Round
from tests.simulation.swarm import Streams, Swarm, draw_swarm
from tests.simulation.widen import WIDE_FROM, widened

ZONE = ZoneInfo("America/New_York")
# Ordinary days, the days around both American switches, and the European one between them.
STARTS = (
    "2026-11-16T14:00:00+00:00",
    "2026-06-09T21:30:00+00:00",
    "2026-03-05T15:00:00+00:00",
    "2026-10-22T13:00:00+00:00",
    "2026-10-30T12:00:00+00:00",
)
PERSONALITIES = ("caldav-sync", "caldav-ctag", "caldav-sogo", "google", "graph", "nasty")


def generate(seed: int) -> Plan:
    """The plan of a seed. From `WIDE_FROM` on the same things happen, and more besides."""
    plan = _plan(seed)
    return plan if seed < WIDE_FROM else widened(plan)


def _plan(seed: int) -> Plan:
    streams = Streams(*(Random(f"{seed}/{name}") for name in ("people", "platform", "weather", "scheduler")))
    swarm = draw_swarm(streams)
    start = streams.platform.choice(STARTS)
    services = [streams.platform.choice(PERSONALITIES) for _ in range(streams.platform.choice((1, 1, 2)))]
    calendars = _calendars(streams, services)
    subjects = _subjects(streams, start, calendars)
    policy = {
        "settle": streams.platform.choice((0, 90, 90, 90, 600)),
        "revert_limit": streams.platform.choice((1, 3, 3)),
        "stampede_min": streams.platform.choice((2, 3, 5)),
        "attempts": streams.platform.choice((1, 1, 4)),
    }
    if streams.platform.random() < 0.05:
        policy["observe"] = True
    return Plan(
        seed=seed,
        start=start,
        policy=policy,
        services=services,
        calendars=calendars,
        rounds=_rounds(streams, swarm, calendars, subjects),
        faults=draw_faults(streams, swarm, services, calendars, subjects),
        release=streams.people.choice(("edits", "restore")),
    )


def _calendars(streams: Streams, services: list[str]) -> list[dict[str, Any]]:
    count = streams.platform.choice((1, 1, 1, 2, 3))
    return [
        {
            "id": f"c{number}",
            "provider": f"P-{0 if number == 0 else streams.platform.choice((0, 1))}",
            "service": streams.platform.randrange(len(services)),
        }
        for number in range(count)
    ]


def _subjects(streams: Streams, start: str, calendars: list[dict[str, Any]]) -> list[Act]:
    """2 to 6 sessions, series and blocks, each at an hour of its own."""
    platform = streams.platform
    today = datetime.fromisoformat(start).astimezone(ZONE).replace(tzinfo=None)
    found: list[Act] = []
    for number in range(platform.randint(2, 6)):
        day = today.date() + timedelta(days=platform.choice((-8, -2, 0, 0, 1, 1, 2, 3, 6, 9, 20)))
        at = datetime(day.year, day.month, day.day, 8 + number, platform.choice((0, 15, 30)))
        act: Act = {"do": "book", "id": f"a{number}", "start": at.isoformat(), "minutes": platform.choice((25, 50))}
        if platform.random() < 0.35:
            act |= {"count": platform.randint(2, 6), "id": f"s{number}"}
        elif platform.random() < 0.1:
            act = {"do": "block", "id": f"b{number}", "start": at.isoformat(), "minutes": 55}
        found.append(act | {"provider": platform.choice(calendars)["provider"]})
    return found


def _rounds(streams: Streams, swarm: Swarm, calendars: list[dict[str, Any]], subjects: list[Act]) -> list[Round]:
    early = [act for act in subjects if streams.platform.random() < 0.8] or subjects
    late = [act for act in subjects if act not in early]
    rounds = [Round(1.0, [*early, {"do": "work"}, {"do": "work"}])]
    for _ in range(streams.scheduler.randint(10, 40)):
        acts: list[Act] = []
        if late and streams.platform.random() < 0.2:
            acts.append(late.pop())
        acts += _platform(streams, swarm, subjects)
        acts += people_acts(streams, swarm, calendars, subjects)
        acts += trouble_acts(streams, swarm, calendars)
        acts += _scheduled(streams, swarm, calendars)
        rounds.append(Round(_advance(streams), acts))
    return rounds


def _advance(streams: Streams) -> float:
    scheduler = streams.scheduler
    return float(scheduler.choice((1, 5, 30, 95, 95, 130, 300, 330, 330, 700, 3600, 4 * 3600, 20 * 3600, 26 * 3600)))


def _scheduled(streams: Streams, swarm: Swarm, calendars: list[dict[str, Any]]) -> list[Act]:
    scheduler = streams.scheduler
    workers = (0, 1) if swarm.two_workers else (0,)
    acts: list[Act] = []
    if swarm.jumps and scheduler.random() < 0.08:
        acts.append({"do": "clock", "by": scheduler.choice((-3600, 3600, -90, 90))})
    if swarm.power and scheduler.random() < 0.1:
        acts.append({"do": "power-loss", "commits": scheduler.randint(1, 3)})
    if scheduler.random() < 0.3:
        acts.append({"do": "push", "calendar": scheduler.choice(calendars)["id"]})
    acts += [{"do": "work", "worker": scheduler.choice(workers)} for _ in range(scheduler.choice((0, 1, 1, 1, 2)))]
    if scheduler.random() < 0.15:
        full = scheduler.random() < 0.3
        acts.append(
            {
                "do": "sync",
                "calendar": scheduler.choice(calendars)["id"],
                "worker": scheduler.choice(workers),
                "full": full,
            }
        )
    if scheduler.random() < 0.05:
        acts.append({"do": "kill", "worker": scheduler.choice(workers)})
    if scheduler.random() < 0.2:
        acts.append({"do": "drain"})
    return acts


# --- the platform


def _platform(streams: Streams, swarm: Swarm, subjects: list[Act]) -> list[Act]:
    platform = streams.platform
    if platform.random() >= swarm.platform_rate:
        return []
    one = platform.choice(subjects)
    if one["do"] == "block":
        return [{"do": "unblock", "id": one["id"]}]
    act: Act = {"id": one["id"], "occurrence": platform.randrange(6)}
    if platform.random() < 0.7:
        scope = platform.choice(("this", "this", "this-and-following"))
        return [act | {"do": "reschedule", "by": 3600 * platform.choice(HOURS), "scope": scope}]
    return [act | {"do": "cancel", "scope": platform.choice(("this", "this", "all-upcoming"))}]
