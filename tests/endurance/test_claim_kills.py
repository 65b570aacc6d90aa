"""A short form; `./dev storm claims` kills a hundred times."""

from __future__ import annotations

from pathlib import Path

from tests.endurance.claim_kills import storm
from tests.endurance.progress import Progress


def test_a_check_that_is_killed_clears_nothing_wrong_and_leaves_no_half_file(tmp_path: Path) -> None:
    told = storm(tmp_path, 8, Progress(quiet=True))
    assert told.problems == []
    assert told.cut > 2
    assert told.cleared > 20
