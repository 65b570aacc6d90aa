"""Histories that nobody has seen: seeds drawn by chance, or that follow from the code; and how many of them fail."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable
from pathlib import Path

from tests.simulation.many import Summary, parts_of, traces_differ
from tests.simulation.widen import WIDE_FROM

# Seeds below are drawn by hand, in tests and hunts; so far above them none is met twice.
FRESH_FROM = WIDE_FROM + 10**9
FRESH_BELOW = 10**15


def draw(count: int) -> range:
    """As many seeds in a row, none of them used before."""
    first = FRESH_FROM + secrets.randbelow(FRESH_BELOW - FRESH_FROM)
    return range(first, first + count)


def drawn_by(code: Iterable[Path], count: int) -> range:
    """As many seeds in a row that follow from the text of these files: each change of the code brings other histories.

    The same code has the same seeds on every machine, so that a test run that used them can be had again.
    """
    digest = hashlib.sha256()
    for path in sorted(code):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    first = FRESH_FROM + int.from_bytes(digest.digest()[:8]) % (FRESH_BELOW - FRESH_FROM)
    return range(first, first + count)


def longest_run(seeds: Iterable[int], failed: Iterable[int]) -> int:
    """How many seeds in a row did not fail, at most."""
    bad, longest, current = set(failed), 0, 0
    for seed in seeds:
        current = 0 if seed in bad else current + 1
        longest = max(longest, current)
    return longest


def run_fresh(seeds: range, jobs: int, say: Callable[[str], None]) -> Summary:
    """Run these histories to the end, whatever fails; each failure is said as it comes, and the rate at the end.

    Where somebody interrupts it, what was run until then is told. Seeds come in parts, so that the next part may have
    begun before an earlier one ends.
    """
    say(f"{len(seeds)} fresh histories, seeds {seeds[0]} to {seeds[-1]}; any of them again: --seed SEED --count 1")
    total, done = Summary(), list[int]()
    try:
        for part, summary in parts_of([seeds], jobs):
            done += part
            total.add(summary)
            for seed, check, told in sorted(summary.failures):
                say(f"FAILED seed {seed} {check}: {told}")
    except KeyboardInterrupt:
        say("interrupted")
    else:
        for seed, check, told in traces_differ(total):
            total.failures.append((seed, check, told))
            say(f"FAILED seed {seed} {check}: {told}")
    say(verdict(total, sorted(done)))
    return total


def verdict(total: Summary, done: list[int]) -> str:
    """How many were run, how many failed, and how many in a row did not."""
    if not done:
        return "0 histories"
    failed = {seed for seed, _, _ in total.failures}
    rate = f"{len(failed) / len(done):.2%}"
    row = longest_run(done, failed)
    return f"{len(done)} fresh histories, {len(failed)} failed ({rate}); {row} in a row without a failure"
