"""A few calendars in short; `./dev storm notice` watches 1,000, and holds calsync to five seconds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.endurance.notice import Plan, storm
from tests.endurance.progress import Progress


@pytest.mark.parametrize("poll_s", [None, 2])
def test_each_edit_is_soon_on_the_books(tmp_path: Path, poll_s: int | None) -> None:
    plan = Plan(calendars=8, edits=8, a_second=8, poll_s=poll_s, longest_s=20)
    assert storm(tmp_path, plan, Progress(quiet=True)).problems == []
