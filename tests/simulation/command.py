"""The command line of the simulation: many seeds, one plan, shrinking, and a table of what was reached."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tests.mutants.broken import broken, mutants, simulate
from tests.simulation.faults import render, table
from tests.simulation.fresh import draw, run_fresh
from tests.simulation.history import run, run_seed
from tests.simulation.many import Summary, run_many, run_seeds
from tests.simulation.marks import unreached
from tests.simulation.plan import Plan, plan_of
from tests.simulation.shrink import shrink

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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 when nothing failed and every mark was reached."""
    options = _options().parse_args(arguments)
    if options.mutant is not None:
        return _run_mutant(options.mutant, options.seed, options.count)
    if options.replay is not None:
        return _replay(options.replay, small=options.shrink)
    if options.shrink:
        return _shrink_seed(options.seed)
    if options.fresh:
        return _run_fresh(options.count, options.jobs)
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


def _run_fresh(count: int, jobs: int) -> int:
    return 1 if run_fresh(draw(count), jobs, lambda line: print(line, flush=True)).failures else 0


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
    parser.add_argument(
        "--fresh", action="store_true", help="draw seeds that nobody has used, and tell how many histories fail"
    )
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


__all__ = ["main", "run_seeds"]
