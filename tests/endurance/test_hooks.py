"""A short burst of hooks; `./dev storm hooks` sends the full one."""

from __future__ import annotations

from pathlib import Path

from tests.endurance.hooks import MOST_PASSES, Plan, storm
from tests.endurance.progress import Progress


def test_a_burst_is_answered_and_costs_two_passes_a_calendar(tmp_path: Path) -> None:
    told = storm(tmp_path, Plan(hooks=1000, seconds=4, calendars=10), Progress(quiet=True))
    assert told.problems == []
    assert told.passes <= MOST_PASSES
