"""Steps of the upgrade are killed; `./dev storm upgrade` kills each at each of its statements."""

from __future__ import annotations

from pathlib import Path

from calsync.store import revisions
from tests.endurance.progress import Progress
from tests.endurance.upgrades import Folder, Server, Told, storm
from tests.servers.postgres import running_postgres


def test_an_upgrade_that_is_killed_leaves_the_database_as_it_was(tmp_path: Path) -> None:
    told = storm(Folder(tmp_path), Told(), Progress(quiet=True))
    assert told.problems == []
    assert told.steps == len(revisions.known())
    assert told.kills >= told.steps - 1  # one step has no statement but that of its number


def test_on_postgresql_as_well() -> None:
    steps = (0, 2, len(revisions.known()) - 1)
    with running_postgres() as server:
        told = storm(Server(server), Told(), Progress(quiet=True), steps=steps)
    assert told.problems == []
    assert told.kills == len(steps)
