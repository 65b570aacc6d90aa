"""The command line of a hosted service's benchmark: `[sweeps [CALENDARS EVENTS] | push [EDITS]]`, or all of it."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.figures import section
from benchmarks.hosted import pushes, sweeps
from benchmarks.hosted.pushes import Place
from benchmarks.hosted.sweeps import Service

SIZES = ((1_000, 50, 5), (10_000, 2, 1))


def measure(name: str, service: Service, place: Place, words: Sequence[str]) -> None:
    """Measure what was named, and write it down under the service's name."""
    what = words[0] if words else "all"
    numbers = [int(word) for word in words[1:]]
    if what in {"all", "sweeps"}:
        for calendars, events, times in [_size(*numbers[:2])] if len(numbers) > 1 else SIZES:
            with section(name, f"sweeps-{calendars}", *sweeps.COLUMNS) as table:
                sweeps.run(table, service, calendars, events, times)
    if what in {"all", "push"}:
        with section(name, "push", *pushes.COLUMNS) as table:
            pushes.measure(table, place, numbers[0] if numbers else 60)


def _size(calendars: int, events: int) -> tuple[int, int, int]:
    """With how many sweeps of each kind: the larger, the fewer."""
    return calendars, events, 1 if calendars >= sweeps.ONLY_QUIET else 3
