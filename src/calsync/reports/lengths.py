"""Lengths of time, kept as plain numbers: eight bytes each, so that a hundred thousand of them need no room. Pure."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

BUCKETS: Final[tuple[tuple[str, float], ...]] = (
    ("under 1 min", 60),
    ("1-5 min", 300),
    ("5-30 min", 1800),
    ("30 min-2 h", 7200),
    ("2-8 h", 28800),
    ("8-24 h", 86400),
    ("1-3 days", 259200),
    ("3-7 days", 604800),
    ("over 7 days", float("inf")),
)
"""The steps in which a distribution is shown: the name of each, and the number of seconds that it stays below."""

_BELOW: Final = [limit for _, limit in BUCKETS]


@dataclass(frozen=True, slots=True)
class Distribution:
    """How a length of time is spread. All None without a single one; `buckets` counts by the names of `BUCKETS`."""

    count: int = 0
    median: timedelta | None = None
    p90: timedelta | None = None
    longest: timedelta | None = None
    buckets: tuple[tuple[str, int], ...] = ()


@dataclass(slots=True)
class Lengths:
    """Collects lengths of time. What would be negative (a clock that was set back) counts as none."""

    _seconds: array[float] = field(default_factory=lambda: array("d"))

    def add(self, length: timedelta) -> None:
        """One more."""
        self._seconds.append(max(0.0, length.total_seconds()))

    def distribution(self) -> Distribution:
        """Median, ninetieth percentile, longest, and how many fell into each step."""
        if not self._seconds:
            return Distribution()
        ordered = array("d", sorted(self._seconds))
        last = len(ordered) - 1
        counts = [0] * len(BUCKETS)
        for seconds in ordered:
            counts[min(bisect_right(_BELOW, seconds), len(counts) - 1)] += 1
        return Distribution(
            count=len(ordered),
            median=timedelta(seconds=ordered[last // 2]),
            p90=timedelta(seconds=ordered[round(last * 0.9)]),
            longest=timedelta(seconds=ordered[last]),
            buckets=tuple((name, count) for (name, _), count in zip(BUCKETS, counts, strict=True)),
        )
