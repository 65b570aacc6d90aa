"""Books of one provider, and a desk at which people work."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from calsync.answers.words import Desk
from calsync.store.database import open_database
from tests.unit.claims.gate_world import GateWorld


@pytest.fixture
def world(empty_books: Path, tmp_path: Path) -> Iterator[GateWorld]:
    """Session A-1 of provider P-1 with client C-1, shown by calendar K-1 and read after its end."""
    file = tmp_path / "calsync.db"
    file.write_bytes(empty_books.read_bytes())
    database = open_database(f"sqlite:///{file}")
    yield GateWorld(database)
    database.dispose()


@pytest.fixture
def desk(world: GateWorld) -> Desk:
    """Where people work on those books."""
    return Desk(world.db, world.settings, world.clock, world.ids)
