"""Books, on SQLite and on PostgreSQL, and a receiver over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from calsync.settings.webhooks import Webhook
from calsync.store.database import Database
from tests.unit.claims.gate_world import GateWorld
from tests.unit.webhooks.receiver import SECRET, Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture
def hook(receiver: Receiver, tmp_path: Path) -> Webhook:
    secret = tmp_path / "webhook.secret"
    secret.write_text(SECRET + "\n")
    secret.chmod(0o600)
    return Webhook(id="platform", url=receiver.url, secret_file=secret)


@pytest.fixture
def world(db: Database, hook: Webhook) -> GateWorld:
    """Session A-1, which clears, and one receiver that is told everything."""
    made = GateWorld(db)
    made.settings = made.settings.model_copy(update={"webhooks": (hook,)})
    return made
