"""The short form of the storm of workers that sleep past their lease; `./dev storm sleepers` runs the full figure."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.endurance.progress import Progress
from tests.endurance.sleepers import storm
from tests.servers.postgres import running_postgres

ROUNDS = 5


@pytest.mark.parametrize("books", ["sqlite", "postgresql"])
def test_no_edit_is_lost_or_told_twice_where_a_worker_sleeps_past_its_lease(tmp_path: Path, books: str) -> None:
    if books == "sqlite":
        told = storm(tmp_path, ROUNDS, "", Progress(quiet=True))
    else:
        with running_postgres() as server:
            told = storm(tmp_path, ROUNDS, server.url(server.create()), Progress(quiet=True))
    assert told.problems == []
    assert (told.rounds, told.edits) == (ROUNDS, 6 * ROUNDS)
    assert sum(told.slept.values()) > 0
