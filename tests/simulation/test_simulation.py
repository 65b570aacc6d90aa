"""Random people, random weather, the real worker: 300 fixed histories, and every plan that once failed."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import pytest

from tests.simulation.command import Summary, run_many
from tests.simulation.history import run
from tests.simulation.marks import MUST_REACH, unreached
from tests.simulation.plan import plan_of, stored_plans

HISTORIES = 300


@cache
def histories() -> Summary:
    """Run once, judged by several tests."""
    jobs = 1 if os.environ.get("PYTEST_XDIST_WORKER") else 2
    return run_many(0, HISTORIES, jobs)


def test_no_invariant_is_broken() -> None:
    summary = histories()
    assert summary.histories == HISTORIES
    assert summary.failures == []


def test_every_marked_place_is_reached() -> None:
    assert len(MUST_REACH) >= 40
    assert unreached(histories().marks) == []


@pytest.mark.parametrize("path", stored_plans(), ids=lambda path: path.stem)
def test_what_was_found_once_stays_mended(path: Path) -> None:
    report = run(plan_of(path.read_text()))
    assert report.violations == []
