"""From a seed to a plan: four streams of chance (people, platform, weather, scheduler), and a swarm.

Each history draws its own subset and strength of what can happen, so that rare things meet each other often in some
histories instead of never in all.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from tests.simulation.plan import Act, Plan, Round
from tests.simulation.widen import WIDE_FROM, widened


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


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
HOURS = (-3, -2, -1, 1, 2, 4, 24, -24, 48, 168)
FAULTS: dict[str, tuple[str, ...]] = {
    "*": ("request-lost", "answer-lost", "fails", "fails-after", "crash-before-send", "crash-after-effect"),
    "changes": ("lag", "repeated", "shuffled", "on-two-pages", "truncated", "last-page-missing", "tombstone-missing",
                "emptied", "cursor-empty", "cursor-back", "fails"),
    "read": ("stale-read", "read-unknown"),
    "write": ("doubled", "false-conflict", "unknown-done", "unknown-undone", "answer-lost", "crash-before-send",
              "crash-after-effect", "meanwhile", "afterwards"),
}  # fmt: skip
ERRORS = ("unavailable", "auth-revoked", "forbidden", "malformed", "throttled", "throttled-briefly",
          "throttled-absurdly", "throttled-silently", "cursor-expired")  # fmt: skip
TX = ("crash-before-begin", "crash-before-commit", "crash-after-commit")
WORDS = ("stands", "dismiss", "restore", "reschedule", "did-not-take-place")
# What people do to single events and to series; what stands twice is done twice as often.
SINGLE = _words(
    "drag drag drag resize delete delete all-day zone call-off undo retitle free decline recolour note strip break"
    " duplicate other-calendar undo-delete drag-far"
)
SERIES = _words(
    "drag drag-occurrence drag-occurrence delete-occurrence delete-occurrence resize delete split split duplicate zone"
    " rule call-off undo strip recolour retitle other-calendar undo-delete"
)


@dataclass(frozen=True)
class _Swarm:
    """What this history is made of: which acts at all, and how often."""

    people: tuple[str, ...]
    people_rate: float
    platform_rate: float
    faults: tuple[tuple[str, str], ...]
    fault_count: int
    crashes: int
    two_workers: bool
    jumps: bool
    power: bool
    trouble: float
    mass: float
    billing: float
    answers: float
    insists: float


@dataclass
class _Streams:
    people: Random
    platform: Random
    weather: Random
    scheduler: Random


def generate(seed: int) -> Plan:
    """The plan of a seed. From `WIDE_FROM` on the same things happen, and more besides."""
    plan = _plan(seed)
    return plan if seed < WIDE_FROM else widened(plan)


def _plan(seed: int) -> Plan:
    streams = _Streams(*(Random(f"{seed}/{name}") for name in ("people", "platform", "weather", "scheduler")))
    swarm = _swarm(streams)
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
        faults=_faults(streams, swarm, services, calendars, subjects),
        release=streams.people.choice(("edits", "restore")),
    )


def _swarm(streams: _Streams) -> _Swarm:
    people, weather, scheduler = streams.people, streams.weather, streams.scheduler
    pool = sorted({*SINGLE, *SERIES})
    chosen = people.sample(pool, people.randint(3, len(pool)))
    kinds = [(port, kind) for port, those in FAULTS.items() for kind in those]
    calm = weather.random() < 0.2
    return _Swarm(
        people=tuple(chosen),
        people_rate=people.choice((0.2, 0.5, 1.0)),
        platform_rate=streams.platform.choice((0.0, 0.1, 0.3)),
        faults=tuple(weather.sample(kinds, weather.randint(1, 8))),
        fault_count=0 if calm else weather.choice((1, 3, 6, 12)),
        crashes=0 if calm else weather.choice((0, 0, 1, 2, 4)),
        two_workers=scheduler.random() < 0.4,
        jumps=scheduler.random() < 0.15,
        power=scheduler.random() < 0.06,
        trouble=weather.choice((0.0, 0.0, 0.05, 0.15)),
        mass=people.choice((0.0, 0.0, 0.03, 0.08)),
        billing=people.choice((0.0, 0.1, 0.3)),
        answers=people.choice((0.0, 0.0, 0.1)),
        insists=people.choice((0.0, 0.0, 0.2)),
    )


def _calendars(streams: _Streams, services: list[str]) -> list[dict[str, Any]]:
    count = streams.platform.choice((1, 1, 1, 2, 3))
    return [
        {
            "id": f"c{number}",
            "provider": f"P-{0 if number == 0 else streams.platform.choice((0, 1))}",
            "service": streams.platform.randrange(len(services)),
        }
        for number in range(count)
    ]


def _subjects(streams: _Streams, start: str, calendars: list[dict[str, Any]]) -> list[Act]:
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


def _rounds(streams: _Streams, swarm: _Swarm, calendars: list[dict[str, Any]], subjects: list[Act]) -> list[Round]:
    early = [act for act in subjects if streams.platform.random() < 0.8] or subjects
    late = [act for act in subjects if act not in early]
    rounds = [Round(1.0, [*early, {"do": "work"}, {"do": "work"}])]
    for _ in range(streams.scheduler.randint(10, 40)):
        acts: list[Act] = []
        if late and streams.platform.random() < 0.2:
            acts.append(late.pop())
        acts += _platform(streams, swarm, subjects)
        acts += _people(streams, swarm, calendars, subjects)
        acts += _trouble(streams, swarm, calendars)
        acts += _scheduled(streams, swarm, calendars)
        rounds.append(Round(_advance(streams), acts))
    return rounds


def _advance(streams: _Streams) -> float:
    scheduler = streams.scheduler
    return float(scheduler.choice((1, 5, 30, 95, 95, 130, 300, 330, 330, 700, 3600, 4 * 3600, 20 * 3600, 26 * 3600)))


def _scheduled(streams: _Streams, swarm: _Swarm, calendars: list[dict[str, Any]]) -> list[Act]:
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


def _name(act: Act) -> str:
    kind = "block" if act["do"] == "block" else "series" if "count" in act else "appointment"
    return f"{kind}:{act['id']}"


def _platform(streams: _Streams, swarm: _Swarm, subjects: list[Act]) -> list[Act]:
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


# --- people


def _people(streams: _Streams, swarm: _Swarm, calendars: list[dict[str, Any]], subjects: list[Act]) -> list[Act]:
    people = streams.people
    acts: list[Act] = []
    if people.random() < swarm.people_rate:
        acts.append(_edit(people, swarm, calendars, subjects))
        if people.random() < 0.15:
            acts.append(_edit(people, swarm, calendars, subjects))
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


def _edit(people: Random, swarm: _Swarm, calendars: list[dict[str, Any]], subjects: list[Act]) -> Act:
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


# --- weather


def _trouble(streams: _Streams, swarm: _Swarm, calendars: list[dict[str, Any]]) -> list[Act]:
    weather = streams.weather
    if weather.random() >= swarm.trouble:
        return []
    calendar = weather.choice(calendars)
    which = weather.random()
    if which < 0.3:
        return [{"do": "expire", "calendar": calendar["id"]}]
    if which < 0.5:
        return [{"do": "read-only", "calendar": calendar["id"], "on": weather.random() < 0.5}]
    error = weather.choice((*ERRORS[:-1], "not-found", None, None, None))
    return [{"do": "trouble", "service": calendar["service"], "error": error}]


def _faults(
    streams: _Streams, swarm: _Swarm, services: list[str], calendars: list[dict[str, Any]], subjects: list[Act]
) -> list[dict[str, Any]]:
    weather, people = streams.weather, streams.people
    found: list[dict[str, Any]] = []
    for _ in range(swarm.fault_count):
        port, kind = weather.choice(swarm.faults)
        most = {"*": 90, "changes": 40, "read": 12, "write": 12}[port]
        told: dict[str, Any] = {
            "port": f"s{weather.randrange(len(services))}/{port}",
            "nth": weather.randint(1, most),
            "kind": kind,
        }
        if kind in ("fails", "fails-after"):
            told["error"] = weather.choice(ERRORS if port == "changes" else ERRORS[:-1])
        if kind in ("lag", "truncated", "cursor-back", "stale-read"):
            told["count"] = weather.randint(1, 3)
        if kind in ("meanwhile", "afterwards"):
            told["acts"] = _meanwhile(people, swarm, calendars, subjects)
        found.append(told)
    crashes = ({"port": "tx", "nth": weather.randint(1, 120), "kind": weather.choice(TX)} for _ in range(swarm.crashes))
    found.extend(crashes)
    zombies = weather.choice((0, 1, 2)) if swarm.two_workers else 0
    around = (len(services), calendars, subjects)
    found.extend(_zombie(weather, people, swarm, around) for _ in range(zombies))
    if swarm.fault_count and weather.random() < 0.4:
        found += _moved_on(weather, len(services), subjects)
    return found


def _moved_on(weather: Random, services: int, subjects: list[Act]) -> list[dict[str, Any]]:
    """The record moves on before the answer to our write is known, and that answer never comes."""
    one = weather.choice(subjects)
    move: Act = {"do": "reschedule", "id": one["id"], "occurrence": weather.randrange(6), "scope": "this"}
    place = {"port": f"s{weather.randrange(services)}/write", "nth": weather.randint(1, 5)}
    acts = [move | {"by": 3600 * weather.choice((2, 5))}]
    return [place | {"kind": "afterwards", "acts": acts}, place | {"kind": "answer-lost"}]


def _meanwhile(people: Random, swarm: _Swarm, calendars: list[dict[str, Any]], subjects: list[Act]) -> list[Act]:
    """Somebody edits, or the record changes, while our request is on its way."""
    if people.random() < 0.7:
        return [_edit(people, swarm, calendars, subjects)]
    one = people.choice(subjects)
    return [{"do": "reschedule", "id": one["id"], "by": 3600, "occurrence": people.randrange(6), "scope": "this"}]


def _zombie(
    weather: Random, people: Random, swarm: _Swarm, around: tuple[int, list[dict[str, Any]], list[Act]]
) -> dict[str, Any]:
    """A worker sleeps inside a request, past its lease or not, while another one works."""
    services, calendars, subjects = around
    acts: list[Act] = [{"do": "advance", "by": weather.choice((1, 130, 130, 400))}]
    if people.random() < 0.5:
        acts.append(_edit(people, swarm, calendars, subjects))
    acts += [{"do": "sync", "calendar": calendar["id"], "worker": 1} for calendar in calendars]
    port = weather.choice(("changes", "write", "write", "read"))
    nth = weather.randint(1, 10 if port != "changes" else 30)
    return {
        "port": f"s{weather.randrange(services)}/{port}",
        "nth": nth,
        "kind": weather.choice(("meanwhile", "afterwards")),
        "acts": acts,
    }
