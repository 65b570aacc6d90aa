"""Statements: what people said of a session, when, and what was shown to them as they said it (claims sheet, 11)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select

from calsync.store import claims
from calsync.store.rows import Shape, chunks
from calsync.store.schema_claims import statements


@dataclass(frozen=True, slots=True)
class StatementRow:
    """One person's word. `saw`: ids of the drifts, log rows and statements that were on the page.

    `says`: as-booked, took-place (`start`, `end`: wall times in the session's zone), another-day (`date`) or
    did-not-take-place.
    """

    id: str
    appointment: str
    by: str
    at: datetime
    saw: tuple[str, ...]
    says: str
    start: datetime | None = None
    end: datetime | None = None
    date: date | None = None
    note: str | None = None


def insert(conn: Connection, statement: StatementRow) -> None:
    """Keep a statement, and have the claim assessed again."""
    day = None if statement.date is None else statement.date.isoformat()
    conn.execute(_ADD, {**_SHAPE.values(statement), "date": day})
    claims.touch(conn, [statement.appointment])


def of_appointments(conn: Connection, ids: Iterable[str]) -> dict[str, list[StatementRow]]:
    """All statements about these appointments, the first one first; those without any are left out."""
    found: dict[str, list[StatementRow]] = {}
    for part in chunks(sorted(set(ids))):
        for one in _SHAPE.all(conn, _OF_APPOINTMENTS, {"ids": part}):
            found.setdefault(one.appointment, []).append(one)
    return found


def _date(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


_c = statements.c
_IDS: Any = bindparam("ids", expanding=True)
_SHAPE = Shape(statements, StatementRow, saw=tuple, date=_date)
_ADD = statements.insert()
_OF_APPOINTMENTS = select(*_SHAPE.columns).where(_c.appointment.in_(_IDS)).order_by(_c.at, _c.id)
