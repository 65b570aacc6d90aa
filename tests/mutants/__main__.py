"""`python -m tests.mutants [--hunt] [NAME ...]`: run the known killing histories, or look for new ones.

A hunt goes through fresh seeds. What it finds is made small and stored as a plan, which a changed generator leaves be.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor

from tests.mutants.broken import PATCHES, PLANS, ROOT, Mutant, broken, mutants, shows, simulate, small

# An unbroken calsync must pass the histories that are to kill a mutant, so hunts stay inside those that CI runs.
HUNT = 2000
_PART = 50


def main() -> int:
    """Run the command; 0 when every mutant that was asked for is caught."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("names", nargs="*", help="numbers or names; all of them by default")
    parser.add_argument("--hunt", action="store_true", help="look for a history that kills, and store it")
    parser.add_argument("--from-seed", type=int, help="hunt from this seed on, not from the known one")
    parser.add_argument("--count", type=int, default=HUNT, help="how many histories to hunt through")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    wanted = [one for one in mutants() if not options.names or any(one.name.startswith(n) for n in options.names)]
    with ThreadPoolExecutor(options.jobs) as pool:
        act = (lambda one: hunt(one, options.from_seed, options.count)) if options.hunt else confirm
        results = list(pool.map(act, wanted))
    return 0 if all(results) else 1


def confirm(mutant: Mutant) -> bool:
    """Run the known killing history."""
    if mutant.check is None:
        print(f"{mutant.name}: {'survives: ' + mutant.survives if mutant.survives else 'no seed is known'}", flush=True)
        return mutant.survives is not None
    with broken(mutant) as source:
        found = shows(mutant, source)
    caught = found == mutant.check
    print(
        f"{mutant.name}: {'caught by' if caught else f'NOT CAUGHT, found {found} instead of'} {mutant.check}",
        flush=True,
    )
    return caught


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
