"""When billing is told of a recall."""

from __future__ import annotations

from datetime import UTC, datetime, time

import pytest

from calsync.claims.digest import told_at
from calsync.store import outbox
from tests.unit.claims.gate_world import LINKED, GateWorld

NOON = datetime(2026, 11, 11, 18, tzinfo=UTC)
AT = time(17, 30)


@pytest.mark.parametrize(
    ("now", "due"),
    [
        (NOON, datetime(2026, 11, 11, 23, 30, tzinfo=UTC)),
        (datetime(2026, 11, 11, 23, 29, 59, tzinfo=UTC), datetime(2026, 11, 11, 23, 30, tzinfo=UTC)),
        (datetime(2026, 11, 11, 23, 30, tzinfo=UTC), datetime(2026, 11, 12, 23, 30, tzinfo=UTC)),
        (datetime(2026, 10, 31, 23, tzinfo=UTC), datetime(2026, 11, 1, 23, 30, tzinfo=UTC)),
    ],
)
def test_a_recall_waits_for_the_list_on_the_sessions_own_clock(now: datetime, due: datetime) -> None:
    assert told_at("replace", "America/Chicago", AT, now) == due


def test_a_stop_waits_for_nothing() -> None:
    assert told_at("stop", "America/Chicago", AT, NOON) == NOON
    assert told_at("replace", "Nowhere/Else", AT, NOON) == NOON


def test_a_stop_and_a_recall_are_owed_for_their_times(world: GateWorld) -> None:
    world.check()
    world.drift()
    world.drain()
    with world.db.reading() as conn:
        (owed,) = outbox.of_recipient(conn, "billing", LINKED)
    assert (owed.payload["action"], owed.due_at) == ("stop", world.clock.now())
