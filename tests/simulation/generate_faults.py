"""What goes wrong in a history, drawn from the weather's stream: lies, losses, crashes, sleeping workers."""

from __future__ import annotations

from random import Random
from typing import Any

from tests.simulation.generate_people import draw_edit
from tests.simulation.plan import Act
from tests.simulation.swarm import Streams, Swarm

ERRORS = ("unavailable", "auth-revoked", "forbidden", "malformed", "throttled", "throttled-briefly",
          "throttled-absurdly", "throttled-silently", "cursor-expired")  # fmt: skip
TX = ("crash-before-begin", "crash-before-commit", "crash-after-commit")


def trouble_acts(streams: Streams, swarm: Swarm, calendars: list[dict[str, Any]]) -> list[Act]:
    """What becomes of the services in one round."""
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


def draw_faults(
    streams: Streams, swarm: Swarm, services: list[str], calendars: list[dict[str, Any]], subjects: list[Act]
) -> list[dict[str, Any]]:
    """What strikes which call of which port."""
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


def _meanwhile(people: Random, swarm: Swarm, calendars: list[dict[str, Any]], subjects: list[Act]) -> list[Act]:
    """Somebody edits, or the record changes, while our request is on its way."""
    if people.random() < 0.7:
        return [draw_edit(people, swarm, calendars, subjects)]
    one = people.choice(subjects)
    return [{"do": "reschedule", "id": one["id"], "by": 3600, "occurrence": people.randrange(6), "scope": "this"}]


def _zombie(
    weather: Random, people: Random, swarm: Swarm, around: tuple[int, list[dict[str, Any]], list[Act]]
) -> dict[str, Any]:
    """A worker sleeps inside a request, past its lease or not, while another one works."""
    services, calendars, subjects = around
    acts: list[Act] = [{"do": "advance", "by": weather.choice((1, 130, 130, 400))}]
    if people.random() < 0.5:
        acts.append(draw_edit(people, swarm, calendars, subjects))
    acts += [{"do": "sync", "calendar": calendar["id"], "worker": 1} for calendar in calendars]
    port = weather.choice(("changes", "write", "write", "read"))
    nth = weather.randint(1, 10 if port != "changes" else 30)
    return {
        "port": f"s{weather.randrange(services)}/{port}",
        "nth": nth,
        "kind": weather.choice(("meanwhile", "afterwards")),
        "acts": acts,
    }
