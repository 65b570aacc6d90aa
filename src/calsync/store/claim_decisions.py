"""Billing's rulings on single cases: which of two dates counts, and which of two sessions is no duplicate."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from calsync.store.of_appointments import AppointmentTable
from calsync.store.schema_billing import claim_decisions


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """One ruling. It counts as long as the record's times are `start` to `end` in `zone`."""

    id: str
    appointment: str
    about: str
    says: str
    by: str
    at: datetime
    note: str
    start: datetime
    end: datetime
    zone: str


def insert(conn: Connection, row: DecisionRow) -> None:
    """Put a ruling on the books; of several about one thing the last one counts."""
    _TABLE.insert(conn, row)


def of_appointments(conn: Connection, ids: Iterable[str]) -> dict[str, list[DecisionRow]]:
    """The rulings on each appointment, the first one first; those without any are left out."""
    return _TABLE.of_appointments(conn, ids)


_TABLE = AppointmentTable(claim_decisions, DecisionRow, claim_decisions.c.at)
