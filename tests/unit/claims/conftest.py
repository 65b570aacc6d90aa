"""A world of books for the gate, on SQLite and on PostgreSQL."""

from __future__ import annotations

import pytest

from calsync.store.database import Database
from tests.unit.claims.gate_world import GateWorld
from tests.unit.store.conftest import (  # noqa: F401 - fixtures that `db` needs
    backend,
    db,
    postgres,
    postgres_template,
    sqlite_template,
    url,
)


@pytest.fixture
def world(db: Database) -> GateWorld:  # noqa: F811
    """One provider with a calendar, and one session that took place and was read afterwards."""
    return GateWorld(db)
