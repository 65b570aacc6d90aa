"""The command line of the simulation: many seeds, one plan, shrinking, and a table of what was reached."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.mutants.broken import broken, mutants, simulate
from tests.simulation.faults import meetings, render, table
from tests.simulation.history import Report, run, run_seed
from tests.simulation.marks import unreached
from tests.simulation.plan import Plan, plan_of, stored_plans
from tests.simulation.shrink import shrink

# 1 in so many histories is run a second time, where sets and names hash otherwise: the same trace, the same books.
TWICE_EACH = 50
FAILURES_SHOWN = 5
ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "faults.md"
HEAD = """# What goes wrong in the simulation

Every kind of fault that the simulated services, people, processes, clocks and mail servers have, how often each struck
in one run, and how often in the same round as a crash of a process, or in the one beside it. What an event in memory
cannot have, such as a body that ends too early, is one of the connector's own errors there; the test that shows it is
named.

This page is written by `./dev simulate --seed 1000000 --count 150 --write`. Scripted scenarios are struck at each port,
one by one, by `./dev sweep`.

"""


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
    if jobs <= 1:
        for seeds in ranges:
            summary.add(run_seeds(seeds))
    else:
        with multiprocessing.get_context("spawn").Pool(jobs) as pool:
            for part in pool.imap_unordered(run_seeds, [part for seeds in ranges for part in _parts(seeds, 25)]):
                summary.add(part)
    again = traces_hashed_otherwise(sorted(summary.traces))
    for seed, trace in summary.traces.items():
        if again[seed] != trace:
            summary.failures.append((seed, "not-the-same-twice", "the same seed left another trace"))
    summary.seconds = time.perf_counter() - began
    return summary


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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 when nothing failed and every mark was reached."""
    options = _options().parse_args(arguments)
    if options.mutant is not None:
        return _run_mutant(options.mutant, options.seed, options.count)
    if options.replay is not None:
        return _replay(options.replay, small=options.shrink)
    if options.shrink:
        return _shrink_seed(options.seed)
    summary = run_many(options.seed, options.count, options.jobs)
    told = render(table(summary.fired, summary.met), summary.histories)
    if options.table:
        print(told)
    if options.write:
        PAGE.write_text(HEAD + told, encoding="utf-8")
    _tell(summary)
    missing = unreached(summary.marks) if options.count >= 300 else []
    for name in missing:
        print(f"never reached: {name}")
    return 1 if summary.failures or missing else 0


def _run_mutant(name: str, first: int, count: int) -> int:
    """Run histories against a broken variant until one shows it; 0 when none does."""
    mutant = next(one for one in mutants() if one.name.startswith(name))
    with broken(mutant) as source:
        failures = simulate(source, first, count)
    for seed, check, told in failures:
        print(f"seed {seed} {check}: {told}")
    return 1 if failures else 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--count", type=int, default=300, help="how many histories")
    parser.add_argument("--jobs", type=int, default=2, help="how many processes")
    parser.add_argument("--mutant", help="break calsync first, by a patch of tests/mutants")
    parser.add_argument("--replay", type=Path, help="run a stored plan instead")
    parser.add_argument("--table", action="store_true", help="print how often each kind of fault fired")
    parser.add_argument("--write", action="store_true", help=f"write the table to {PAGE.relative_to(ROOT)}")
    parser.add_argument("--shrink", action="store_true", help="make the failing seed or plan small, and print it")
    return parser


def _replay(path: Path, *, small: bool) -> int:
    return _show(plan_of(path.read_text()), small=small)


def _shrink_seed(seed: int) -> int:
    return _show(run_seed(seed).plan, small=True)


def _show(plan: Plan, *, small: bool) -> int:
    report = run(plan)
    if report.failed is None:
        print("nothing failed")
        return 0
    if small:
        plan = shrink(plan, report.failed)
        report = run(plan)
        print(replace(plan, note=plan.note or f"shrunken from seed {plan.seed}").to_json())
    for one in report.violations:
        print(f"{one.check}: {one.told}")
    print(report.fault)
    return 1


def _tell(summary: Summary) -> None:
    rate = summary.histories / summary.seconds if summary.seconds else 0.0
    print(f"{summary.histories} histories, {summary.steps} steps, {summary.seconds:.1f} s ({rate:.1f} a second)")
    print("faults: " + ", ".join(f"{name} {count}" for name, count in sorted(summary.fired.items())))
    print("marks:  " + ", ".join(f"{name} {count}" for name, count in sorted(summary.marks.items())))
    by_check: dict[str, list[tuple[int, str]]] = {}
    for seed, check, told in sorted(summary.failures):
        by_check.setdefault(check, []).append((seed, told))
    for check, those in by_check.items():
        print(f"\nFAILED {check}: {len(those)} histories, seeds {[seed for seed, _ in those][:FAILURES_SHOWN]}")
        print(f"  {those[0][1]}")
    if summary.failures:
        print(
            f"\nReplay and shrink: python -m tests.simulation --seed {min(summary.failures)[0]} --shrink",
            file=sys.stderr,
        )


__all__ = ["Summary", "main", "run_many", "run_seeds", "stored_plans"]
