"""Many histories from their seeds, in one process or several, and what they came to."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tests.simulation.faults import meetings
from tests.simulation.history import Report, run_seed

# 1 in so many histories is run a second time, where sets and names hash otherwise: the same trace, the same books.
TWICE_EACH = 50


@dataclass
class Summary:
    """What many histories came to."""

    histories: int = 0
    steps: int = 0
    marks: Counter[str] = field(default_factory=Counter)
    fired: Counter[str] = field(default_factory=Counter)
    met: Counter[str] = field(default_factory=Counter)  # those in the round of a crash, or the one beside it
    failures: list[tuple[int, str, str]] = field(default_factory=list)  # seed, check, what was told
    traces: dict[int, str] = field(default_factory=dict)  # of those histories that are run twice
    seconds: float = 0.0

    def take(self, seed: int, report: Report) -> None:
        """Count one history."""
        self.histories += 1
        self.steps += report.tally.steps
        self.marks += report.marks
        self.fired += report.tally.fired
        self.met += meetings(report.tally.when)
        if report.trace:
            self.traces[seed] = report.trace
        if report.violations:
            first = report.violations[0]
            self.failures.append((seed, first.check, first.told + ("\n" + report.fault if report.fault else "")))

    def add(self, other: Summary) -> None:
        """Count what another process did."""
        self.histories += other.histories
        self.steps += other.steps
        self.marks += other.marks
        self.fired += other.fired
        self.met += other.met
        self.failures += other.failures
        self.traces |= other.traces


def run_seeds(seeds: Sequence[int], *, stop_at: int | None = None) -> Summary:
    """Run the histories of these seeds in this process; `stop_at` failures it ends early."""
    summary, began = Summary(), time.perf_counter()
    for seed in seeds:
        summary.take(seed, run_seed(seed, trace=seed % TWICE_EACH == 0))
        if stop_at is not None and len(summary.failures) >= stop_at:
            break
    summary.seconds = time.perf_counter() - began
    return summary


def run_many(first: int, count: int, jobs: int) -> Summary:
    """Run histories in several processes."""
    return run_ranges([range(first, first + count)], jobs)


def run_ranges(ranges: Sequence[Sequence[int]], jobs: int) -> Summary:
    """The same for several ranges of seeds; those that are run twice are compared at the end."""
    began, summary = time.perf_counter(), Summary()
    for _, part in parts_of(ranges, jobs):
        summary.add(part)
    summary.failures += traces_differ(summary)
    summary.seconds = time.perf_counter() - began
    return summary


def parts_of(ranges: Sequence[Sequence[int]], jobs: int) -> Iterator[tuple[Sequence[int], Summary]]:
    """Each part of these seeds with what it came to, as it ends."""
    parts = [part for seeds in ranges for part in _parts(seeds, 25)]
    if jobs <= 1:
        yield from map(_run_part, parts)
        return
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        yield from pool.imap_unordered(_run_part, parts)


def _run_part(seeds: Sequence[int]) -> tuple[Sequence[int], Summary]:
    return seeds, run_seeds(seeds)


def traces_differ(summary: Summary) -> list[tuple[int, str, str]]:
    """Failures of those that are run twice: the same seed did not do the same again."""
    again = traces_hashed_otherwise(sorted(summary.traces))
    told = "the same seed left another trace"
    return [(seed, "not-the-same-twice", told) for seed, trace in summary.traces.items() if again[seed] != trace]


def traces_hashed_otherwise(seeds: Sequence[int]) -> dict[int, str]:
    """What the histories of these seeds leave in a process whose hashes are other ones."""
    code = (
        "import json, sys; from tests.simulation.history import run_seed;"
        "print(json.dumps({seed: run_seed(seed, trace=True).trace for seed in map(int, sys.argv[1:])}))"
    )
    here = "7" if os.environ.get("PYTHONHASHSEED") != "7" else "8"
    path = os.pathsep.join(one for one in sys.path if one)
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, seeds)],
        env={**os.environ, "PYTHONHASHSEED": here, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    return {int(seed): trace for seed, trace in json.loads(done.stdout).items()}


def _parts(seeds: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    for start in range(0, len(seeds), size):
        yield seeds[start : start + size]
