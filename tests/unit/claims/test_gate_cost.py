"""What a large check costs, against a bare indexed read of the same rows in the same run."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, select

from calsync.claims.gate import Question
from calsync.domain.appointment import Appointment, AppointmentStatus
from calsync.domain.event import Appearance
from calsync.store.database import Database, open_database
from calsync.store.record_values import appointment_columns
from calsync.store.rows import chunks
from calsync.store.schema import links, observations
from calsync.store.schema_records import appointments
from calsync.store.upgrade import upgrade
from tests.unit.claims.gate_world import LINKED, SPAN, GateWorld

MANY = 10_000
CLIENTS = 2_500
ALLOWED = 20


@dataclass
class Crowd:
    """Ten thousand sessions that were read after their end; no provider is in two of them at once."""

    world: GateWorld
    ids: list[str]

    def read_bare(self) -> int:
        """The same rows by the same keys, and nothing else."""
        rows = 0
        with self.world.db.reading() as conn:
            for part in chunks(self.ids):
                rows += len(conn.execute(select(appointments).where(appointments.c.id.in_(part))).all())
                of_link = (links.c.subject_kind == "appointment", links.c.subject.in_(part))
                rows += len(conn.execute(select(links).where(*of_link)).all())
                rows += len(conn.execute(select(observations).where(observations.c.appointment.in_(part))).all())
        return rows


@pytest.fixture
def crowd(tmp_path: Path) -> Iterator[Crowd]:
    url = f"sqlite:///{tmp_path / 'books.db'}"
    upgrade(url)
    database = open_database(url)
    yield Crowd(GateWorld(database), _fill(database))
    database.dispose()


def _fill(database: Database) -> list[str]:
    sessions = []
    for number in range(MANY):
        week, client = divmod(number, CLIENTS)
        start = datetime(2026, 10, 12, 8) + timedelta(weeks=week, days=client % 5, hours=client % 9)
        sessions.append(
            Appointment(
                f"B-{number}",
                f"P-{1 + client // 45}",
                f"K-{client}",
                SPAN.starting(start),
                status=AppointmentStatus.COMPLETED,
                code="90834",
            )
        )
    book = {"pending_until": None, "completed_by": "provider:P-1", "created_at": LINKED, "updated_at": LINKED}
    with database.transaction() as conn:
        conn.execute(appointments.insert(), [appointment_columns(one) | book for one in sessions])
        conn.execute(links.insert(), [_link(one) for one in sessions])
        conn.execute(observations.insert(), [_observation(one) for one in sessions])
    return [one.id for one in sessions]


def _link(one: Appointment) -> dict[str, object]:
    linked = one.span.start_at - timedelta(days=3)
    return {
        "id": f"L-{one.id}",
        "calendar": "K-1",
        "provider": "P-1",
        "subject_kind": "appointment",
        "subject": one.id,
        "remote_id": f"r-{one.id}",
        "uid": f"u-{one.id}",
        "confirmed_at": linked,
        "linked_at": linked,
    }


def _observation(one: Appointment) -> dict[str, object]:
    linked = one.span.start_at - timedelta(days=3)
    return {
        "calendar": "K-1",
        "link": f"L-{one.id}",
        "appointment": one.id,
        "read_at": one.span.end_at + timedelta(minutes=10),
        "seen": Appearance(one.span),
        "version": "2",
        "after_end": True,
        "linked_at": linked,
        "written_at": linked,
    }


def test_ten_thousand_claims_cost_at_most_twenty_bare_reads(crowd: Crowd) -> None:
    crowd.read_bare()
    began = time.process_time()
    assert crowd.read_bare() == 3 * MANY
    bare = time.process_time() - began
    statements: list[str] = []
    event.listen(crowd.world.db.engine, "before_cursor_execute", lambda *told: statements.append(told[2]))
    began = time.process_time()
    answers = crowd.world.gate.check([Question(one) for one in crowd.ids])
    cost = time.process_time() - began
    assert {str(one.verdict) for one in answers} == {"cleared"}
    assert len(statements) < MANY / 20, "the books are read for hundreds of sessions at a time"
    assert cost <= ALLOWED * bare, f"{cost:.2f} s against {bare:.2f} s for the bare rows"
