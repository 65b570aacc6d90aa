"""`./dev benchmark outlook [sweeps [CALENDARS EVENTS] | push [EDITS]]`; without words, all of it."""

from __future__ import annotations

import sys

from benchmarks.figures import section
from benchmarks.hosted import pushes, sweeps
from benchmarks.outlook.echo import OUTLOOK as PLACE
from benchmarks.outlook.sides import OUTLOOK as SERVICE

SIZES = ((1_000, 50, 5), (10_000, 2, 1))


def size(calendars: int, events: int) -> tuple[int, int, int]:
    """With how many sweeps of each kind: the larger, the fewer."""
    return calendars, events, 1 if calendars >= sweeps.ONLY_QUIET else 3


def main(words: list[str]) -> None:
    """Measure what was named."""
    what = words[0] if words else "all"
    numbers = [int(word) for word in words[1:]]
    if what in {"all", "sweeps"}:
        for calendars, events, times in [size(*numbers[:2])] if len(numbers) > 1 else SIZES:
            with section("outlook", f"sweeps-{calendars}", *sweeps.COLUMNS) as table:
                sweeps.run(table, SERVICE, calendars, events, times)
    if what in {"all", "push"}:
        with section("outlook", "push", *pushes.COLUMNS) as table:
            pushes.measure(table, PLACE, numbers[0] if numbers else 60)


if __name__ == "__main__":
    main(sys.argv[1:])
