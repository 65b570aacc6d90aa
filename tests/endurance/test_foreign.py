"""A small calendar of the provider's own; `./dev storm foreign` fills it with 10,000 events."""

from __future__ import annotations

from pathlib import Path

from tests.endurance.foreign import SHORT, live
from tests.endurance.progress import Progress


def test_a_full_policy_run_touches_nothing_of_theirs(tmp_path: Path) -> None:
    told = live(tmp_path, SHORT, Progress(quiet=True))
    assert told.problems == []
    assert (told.foreign, told.fields) == (3 * SHORT.foreign, 3 * SHORT.own)
    assert told.reverts == 3 * 8
