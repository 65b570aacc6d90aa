"""Records of sessions from sources that the practice names: who was present, from when to when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from calsync.store.dialect import Upsert
from calsync.store.of_appointments import AppointmentTable
from calsync.store.rows import chunks
from calsync.store.schema_claims import session_evidence


@dataclass(frozen=True, slots=True)
class SessionEvidence:
    """One row of a session log. `who`: both, provider or client; None where the source does not say."""

    id: str
    appointment: str
    source: str
    who: str | None
    start_at: datetime
    end_at: datetime
    received_at: datetime


def put_many(conn: Connection, received: Iterable[SessionEvidence]) -> int:
    """Put rows on the books; those whose id is known are left as they are. How many were new."""
    return sum(_ADD.run(conn, [_TABLE.shape.values(one) for one in part]) for part in chunks(received))


def get(conn: Connection, evidence_id: str) -> SessionEvidence | None:
    """The row, or None."""
    return _TABLE.get(conn, evidence_id)


def of_appointments(conn: Connection, ids: Iterable[str]) -> dict[str, list[SessionEvidence]]:
    """All rows about these appointments, by start; those without any are left out."""
    return _TABLE.of_appointments(conn, ids)


_TABLE = AppointmentTable(session_evidence, SessionEvidence, session_evidence.c.start_at)
_ADD = Upsert(session_evidence, [session_evidence.c.id])
