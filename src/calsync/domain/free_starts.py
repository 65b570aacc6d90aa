"""Where a session fits between what a provider's time is taken by. Pure arithmetic of instants."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

Interval = tuple[datetime, datetime]


def free_starts(
    windows: Sequence[Interval], taken: Iterable[Interval], length: timedelta, step: timedelta
) -> list[datetime]:
    """Return all starts, `step` apart from each window's start, at which `length` fits into windows and is not taken.

    Windows that touch count as one, so that a session may reach from one into the next.
    """
    free = without(merged(windows), merged(taken))
    begins = [start for start, _ in free]
    found: set[datetime] = set()
    for start, end in windows:
        at = start
        while at < end:
            place = bisect_right(begins, at) - 1
            if place >= 0 and at + length <= free[place][1]:
                found.add(at)
            at += step
    return sorted(found)


def merged(intervals: Iterable[Interval]) -> list[Interval]:
    """Return the same time as intervals that neither touch nor overlap, by start; empty ones are left out."""
    joined: list[Interval] = []
    for start, end in sorted(intervals):
        if start >= end:
            continue
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def without(intervals: Sequence[Interval], taken: Sequence[Interval]) -> list[Interval]:
    """Return what is left of merged intervals when the merged `taken` ones are cut out."""
    left: list[Interval] = []
    place = 0
    for start, end in intervals:
        at = start
        while place < len(taken) and taken[place][1] <= at:
            place += 1
        ahead = place
        while ahead < len(taken) and taken[ahead][0] < end:
            if taken[ahead][0] > at:
                left.append((at, taken[ahead][0]))
            at = max(at, taken[ahead][1])
            ahead += 1
        if at < end:
            left.append((at, end))
    return left
