"""A worker with hundreds of calendars for a long time, in light bad weather: what it holds must not grow.

Sampled: its memory, its open files, the database's write-ahead file, and the rows that an edit leaves on the books.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from calsync.sandbox.google.faults import ApiError, usage
from calsync.sandbox.google.weather import Damage, Storm
from tests.endurance.fleet import Editors, Fleet
from tests.endurance.progress import Progress
from tests.endurance.verdict import settled, whole
from tests.system.programs import Program

FLAT = 0.05
LONGEST_STOP_S = 10.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how much. `lives`: the worker is restarted so often. `tolerance`: what still counts as flat."""

    seconds: float
    calendars: int = 500
    sessions: int = 10
    poll: str = "60s"
    lives: int = 6
    edits_a_second: float = 1.0
    fault_share: float = 0.01
    tolerance: float = FLAT
    sample_every: float = 5.0


@dataclass(frozen=True, slots=True)
class Sample:
    """One look. `at`: seconds since the beginning; `life`: which worker it was."""

    at: float
    life: int
    rss_mb: float
    files: int
    wal_mb: float
    rows: int
    drifts: int


@dataclass(slots=True)
class Told:
    """What was seen, and what of it must not be."""

    samples: list[Sample] = field(default_factory=list)
    requests: int = 0
    faults: int = 0
    longest_stop: float = 0.0
    problems: list[str] = field(default_factory=list)

    def growth(self, value: Callable[[Sample], float]) -> float:
        """The last part of the time against an earlier one: 1.0 where nothing grew.

        Both are taken from the second half of a worker's life, when it has met everything once.
        """
        early, late = self._closing(0), self._closing(-1)
        return statistics.median(map(value, late)) / statistics.median(map(value, early))

    def _closing(self, place: int) -> list[Sample]:
        lives = sorted({one.life for one in self.samples})
        life = [one for one in self.samples if one.life == lives[place]]
        return life[len(life) // 2 :]

    def peak_growth(self, value: Callable[[Sample], float]) -> float:
        """The largest of the second half of the time against that of the first."""
        half = len(self.samples) // 2
        return max(map(value, self.samples[half:])) / max(map(value, self.samples[:half]))

    def end(self, fleet: Fleet, worker: Program) -> None:
        """Ask a worker to end: it must do so well, within ten seconds."""
        began = time.monotonic()
        worker.terminate()
        code = worker.wait(30)
        self.longest_stop = max(self.longest_stop, time.monotonic() - began)
        if code != 0:
            self.problems.append(f"a worker that was asked to stop ended with {code}: {fleet.log()}")

    def figures(self) -> dict[str, float]:
        """What has to be flat, as ratios of late to early."""
        before, after = self.rows_per_edit()
        return {
            "memory": self.growth(lambda one: one.rss_mb),
            "open files": self.growth(lambda one: one.files),
            "write-ahead file": self.peak_growth(lambda one: one.wal_mb),
            "rows an edit": after / before,
        }

    def not_flat(self, tolerance: float) -> list[str]:
        """What has grown."""
        found = [f"{name} grew to {ratio:.2f}" for name, ratio in self.figures().items() if ratio > 1 + tolerance]
        return found + [f"a stop took {self.longest_stop:.1f} s"] * (self.longest_stop > LONGEST_STOP_S)

    def rows_per_edit(self) -> tuple[float, float]:
        """In the first half of the time, and in the second."""
        first, middle, last = self.samples[0], self.samples[len(self.samples) // 2], self.samples[-1]
        return (
            (middle.rows - first.rows) / max(1, middle.drifts - first.drifts),
            (last.rows - middle.rows) / max(1, last.drifts - middle.drifts),
        )


class LightWeather(Storm):
    """Spoils a share of all requests, each in a way drawn by chance."""

    def __init__(self, share: float, chance: random.Random) -> None:
        super().__init__("*", times=None)
        self._share, self._chance = share, chance

    def strikes(self, method: str, calendar: str | None) -> bool:
        """See `Storm`."""
        if self._chance.random() >= self._share:
            return False
        kinds: list[tuple[Damage, ApiError | None]] = [
            (Damage.REFUSE, ApiError(503, "backendError")),
            (Damage.REFUSE, usage(429, "rateLimitExceeded", 1)),
            (Damage.DROP_BEFORE, None),
            (Damage.DROP_AFTER, None),
            (Damage.HTML, None),
            (Damage.CUT, None),
        ]
        self.damage, self.error = self._chance.choice(kinds)
        self.hit += 1
        return True


def soak(folder: Path, plan: Plan, progress: Progress) -> Told:
    """Run the whole of it."""
    told = Told()
    chance = random.Random(20261122)
    more = f'[sync]\npoll_interval = "{plan.poll}"\n'
    with Fleet(folder, plan.calendars, plan.sessions, more=more) as fleet:
        fleet.book()
        worker = fleet.start("worker")
        fleet.wait(fleet.all_shown, worker, 1800)
        fleet.wait(fleet.is_at_rest, worker, 600)
        weather = LightWeather(plan.fault_share, chance)
        fleet.google.weather.add(weather)
        with Editors(fleet, plan.edits_a_second, chance) as editors:
            for life in range(plan.lives):
                if life:
                    told.end(fleet, worker)
                    worker = fleet.start("worker")
                _watch(fleet, plan, told, (worker, life, progress))
        fleet.google.weather.clear()
        fleet.wait(lambda: fleet.number("SELECT count(*) FROM drifts") >= editors.count, worker, 300)
        fleet.wait(fleet.is_at_rest, worker, 600)
        told.end(fleet, worker)
        told.problems += [*whole(fleet), *settled(fleet, editors), *told.not_flat(plan.tolerance)]
        told.requests, told.faults = fleet.google.state.requests, weather.hit
    return told


def _watch(fleet: Fleet, plan: Plan, told: Told, what: tuple[Program, int, Progress]) -> None:
    """Look at one worker now and then until its time is over."""
    worker, life, progress = what
    process = psutil.Process(worker.pid)
    each = plan.seconds / plan.lives
    wal = fleet.folder / "calsync.db-wal"
    end = time.monotonic() + each
    while (left := end - time.monotonic()) > 0:
        assert worker.poll() is None, fleet.log()
        at = (life + 1) * each - left
        told.samples.append(
            Sample(
                at=round(at, 1),
                life=life,
                rss_mb=process.memory_info().rss / 1e6,
                files=process.num_fds(),
                wal_mb=wal.stat().st_size / 1e6 if wal.exists() else 0.0,
                rows=sum(fleet.rows().values()),
                drifts=fleet.number("SELECT count(*) FROM drifts"),
            )
        )
        newest = told.samples[-1]
        words = f"{newest.rss_mb:.0f} MB, {newest.files} files, {newest.drifts} edits"
        progress.step(round(at), plan.seconds, words)
        time.sleep(max(0.0, min(plan.sample_every, left)))
