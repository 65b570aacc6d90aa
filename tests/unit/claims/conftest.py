"""A world of books for the gate, on SQLite and on PostgreSQL."""

from __future__ import annotations

import pytest

from calsync.store.database import Database
from tests.unit.claims.gate_world import GateWorld


@pytest.fixture
def world(db: Database) -> GateWorld:
    """One provider with a calendar, and one session that took place and was read afterwards."""
    return GateWorld(db)
