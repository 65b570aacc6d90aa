"""Short forms of the storms in which the worker is killed; `./dev storm kills` runs the full figure."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.endurance.kills import Plan, storm
from tests.endurance.progress import Progress
from tests.servers.postgres import Postgres, running_postgres

SHORT = Plan(kills=10, calendars=6, sessions=15, longest=0.8)


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server of this module's own."""
    with running_postgres() as running:
        yield running


def test_no_edit_is_lost_or_told_twice_however_often_the_worker_is_killed(tmp_path: Path) -> None:
    told = storm(tmp_path, SHORT, Progress(quiet=True))
    assert told.problems == []
    assert (told.kills, told.edits) == (SHORT.kills, told.drifts)
    assert told.edits > 50
    assert told.mid_write > 0


def test_nor_with_the_books_in_postgresql(tmp_path: Path, postgres: Postgres) -> None:
    plan = Plan(5, postgres.url(postgres.create()), calendars=5, sessions=10, longest=0.8)
    told = storm(tmp_path, plan, Progress(quiet=True))
    assert told.problems == []
    assert told.edits == told.drifts > 20
