"""`./dev mutants [--list | --hunt] [NAME ...]`: run what is known to kill each, or look for new histories.

A hunt goes through fresh seeds. What it finds is made small and stored as a plan, which a changed generator leaves be.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor

from tests.mutants.broken import PATCHES, PLANS, ROOT, Mutant, broken, mutants, simulate, small
from tests.mutants.forks import findings
from tests.mutants.table import render

# An unbroken calsync must pass the histories that are to kill a mutant, so hunts stay inside those that CI runs.
HUNT = 2000
_PART = 50


def main() -> int:
    """Run the command; 0 when every mutant that was asked for is caught."""
    parser = argparse.ArgumentParser(prog="./dev mutants", description=__doc__)
    parser.add_argument("names", nargs="*", help="numbers or names; all of them by default")
    parser.add_argument("--list", action="store_true", help="print the list: what each breaks, and what catches it")
    parser.add_argument("--hunt", action="store_true", help="look for a history that kills, and store it")
    parser.add_argument("--from-seed", type=int, help="hunt from this seed on, not from the known one")
    parser.add_argument("--count", type=int, default=HUNT, help="how many histories to hunt through")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    wanted = [one for one in mutants() if not options.names or any(one.name.startswith(n) for n in options.names)]
    if options.list:
        print(render())
        return 0
    if not options.hunt:
        return 0 if confirm(wanted) else 1
    with ThreadPoolExecutor(options.jobs) as pool:
        return 0 if all(list(pool.map(lambda one: hunt(one, options.from_seed, options.count), wanted))) else 1


def confirm(wanted: list[Mutant]) -> bool:
    """Run what is known to kill each of them."""
    for one in wanted:
        if one.check is None:
            print(f"{one.name}: {'survives: ' + one.survives if one.survives else 'nothing is known to kill it'}")
    known = [one for one in wanted if one.check is not None]
    found = findings(known)
    for one in known:
        caught = found[one.name] == one.check
        told = f"caught by {one.check}" if caught else f"NOT CAUGHT by {one.check}: {found[one.name]}"
        print(f"{one.name}: {told}", flush=True)
    return all(found.get(one.name) == one.check for one in wanted if one.survives is None)


def hunt(mutant: Mutant, start: int | None, count: int) -> bool:
    """Look for the first history that fails, make it small, and store it as a plan."""
    first = start if start is not None else mutant.seed or 0
    with broken(mutant) as source:
        beyond = first + count
        while first < beyond:
            failures = simulate(source, first, min(_PART, beyond - first))
            first = failures[0][0] + 1 if failures else first + _PART
            # A history that fails without the mutant says nothing about it.
            if failures and not simulate(ROOT / "src", failures[0][0]):
                seed, check, told = failures[0]
                _write_down(mutant, check, small(source, seed, check, note=mutant.story))
                print(f"{mutant.name}: seed {seed} {check}: {told[:160]}", flush=True)
                return True
    print(f"{mutant.name}: SURVIVES {count} histories", flush=True)
    return False


def _write_down(mutant: Mutant, check: str, plan: str) -> None:
    PLANS[0].mkdir(exist_ok=True)
    (PLANS[0] / f"{mutant.name}.json").write_text(plan)
    path = PATCHES / f"{mutant.name}.patch"
    head, _, patch = path.read_text().partition("\n\n")
    lines = [line for line in head.splitlines() if not line.startswith(("killed-by:", "survives:"))]
    path.write_text("\n".join([*lines, f"killed-by: plan {mutant.name} {check}"]) + "\n\n" + patch)


if __name__ == "__main__":
    sys.exit(main())
