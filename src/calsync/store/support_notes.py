"""What people of the practice noted about an appointment: a call, a word for the next one who looks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from calsync.store.of_appointments import AppointmentTable
from calsync.store.schema_support import support_notes


@dataclass(frozen=True, slots=True)
class SupportNote:
    """One note. `how` is "call" or "note"; the text may name people, so it is shown by role and goes into no log."""

    id: str
    appointment: str
    at: datetime
    by: str
    how: str
    text: str


def insert(conn: Connection, note: SupportNote) -> None:
    """Put a new note on the books."""
    _TABLE.insert(conn, note)


def of_appointments(conn: Connection, ids: Iterable[str]) -> dict[str, list[SupportNote]]:
    """All notes about these appointments, the first one first; those without any are left out."""
    return _TABLE.of_appointments(conn, ids)


_TABLE = AppointmentTable(support_notes, SupportNote, support_notes.c.at)
