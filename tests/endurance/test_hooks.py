"""A short burst of hooks; `./dev storm hooks` sends the full one, and holds it to the second."""

from __future__ import annotations

from pathlib import Path

from tests.endurance.hooks import Plan, storm
from tests.endurance.progress import Progress

# A machine that runs two lanes of tests is slow, and a burst that takes longer is met by a pass more.
SHORT = Plan(hooks=1000, seconds=4, calendars=10, slowest_s=20, most_passes=4)


def test_a_burst_is_answered_and_costs_few_passes_a_calendar(tmp_path: Path) -> None:
    told = storm(tmp_path, SHORT, Progress(quiet=True))
    assert told.problems == []
