"""`./dev sweep`: crash each scenario at each port, one by one; the core ones at each pair; or refuse each statement."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator

from tests.simulation.sweeps.runner import Row, Task, each_pair, each_port, each_statement, run_all, tasks_of
from tests.simulation.sweeps.scenarios import Scenario, scenarios

_SHOWN = 20


def main() -> int:
    """Run the command; 0 when no invariant was broken."""
    options = _options().parse_args()
    chosen = [one for one in scenarios() if not options.names or one.name in options.names]
    if (options.pairs or options.every_pair) and not options.names:
        chosen = [one for one in chosen if one.core]
    tasks = [task for one in chosen for task in _tasks(one, options)]
    total, began = sum(len(one.histories) for one in tasks), time.monotonic()
    print(f"{len(chosen)} scenarios, {total} histories", flush=True)
    done = [0]

    def told(_task: Task, row: Row) -> None:
        done[0] += row.histories
        for one in row.failures:
            print(f"\nFAILED {one}", flush=True)
        if sys.stdout.isatty():
            print(f"\r{done[0]}/{total}", end="", flush=True)

    rows = run_all(tasks, options.jobs, told)
    _show(rows, time.monotonic() - began)
    return 1 if any(row.failures for row in rows.values()) else 0


def _tasks(scenario: Scenario, options: argparse.Namespace) -> Iterator[Task]:
    if options.pairs or options.every_pair:
        return tasks_of(scenario, each_pair(scenario, every=options.every_pair))
    if options.database:
        return tasks_of(scenario, each_statement(scenario, kinds=options.database))
    return tasks_of(scenario, each_port(scenario))


def _show(rows: dict[str, Row], seconds: float) -> None:
    print(f"\n{'scenario':42}{'histories':>10}{'struck':>10}{'broken':>8}")
    for name in sorted(rows):
        row = rows[name]
        print(f"{name:42}{row.histories:>10}{row.fired:>10}{len(row.failures):>8}")
    broken = [one for row in rows.values() for one in row.failures]
    print(f"{sum(row.histories for row in rows.values())} histories, {len(broken)} broken, {seconds:.0f} s")
    for one in broken[:_SHOWN]:
        print(f"  {one}")


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./dev sweep", description=__doc__)
    parser.add_argument("names", nargs="*", help="scenarios; all of them by default")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--pairs", action="store_true", help="two crashes, and each lost answer with a crash")
    what.add_argument("--every-pair", action="store_true", help="also pairs that leave the same world as others")
    what.add_argument(
        "--database",
        nargs="?",
        type=int,
        const=1,
        choices=(1, 2, 3),
        help="refuse each statement: disk full, locked and error in turns, or two or all three of them each time",
    )
    parser.add_argument("--jobs", type=int, default=2)
    return parser


if __name__ == "__main__":
    sys.exit(main())
