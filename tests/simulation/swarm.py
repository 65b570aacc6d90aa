"""A history's swarm: which things can happen in it at all, and how often; and the streams that it is drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FAULTS: dict[str, tuple[str, ...]] = {
    "*": ("request-lost", "answer-lost", "fails", "fails-after", "crash-before-send", "crash-after-effect"),
    "changes": ("lag", "repeated", "shuffled", "on-two-pages", "truncated", "last-page-missing", "tombstone-missing",
                "emptied", "cursor-empty", "cursor-back", "fails"),
    "read": ("stale-read", "read-unknown"),
    "write": ("doubled", "false-conflict", "unknown-done", "unknown-undone", "answer-lost", "crash-before-send",
              "crash-after-effect", "meanwhile", "afterwards"),
}  # fmt: skip
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
class Swarm:
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
class Streams:
    """The four streams of chance: whatever is drawn from one leaves the others be."""

    people: Random
    platform: Random
    weather: Random
    scheduler: Random


def draw_swarm(streams: Streams) -> Swarm:
    """Draw what a history is made of."""
    people, weather, scheduler = streams.people, streams.weather, streams.scheduler
    pool = sorted({*SINGLE, *SERIES})
    chosen = people.sample(pool, people.randint(3, len(pool)))
    kinds = [(port, kind) for port, those in FAULTS.items() for kind in those]
    calm = weather.random() < 0.2
    return Swarm(
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
