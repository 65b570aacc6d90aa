"""Questions that were sent to people about claims, and when their next step is due (R-18)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam

from calsync.store.of_appointments import AppointmentTable
from calsync.store.schema_claims import asks


@dataclass(frozen=True, slots=True)
class AskRow:
    """One question. `about` is a drift's id or a reason's code, `who` the one asked, `next_at` the next step's time."""

    id: str
    appointment: str
    about: str
    who: str
    at: datetime
    next_at: datetime | None = None
    answered_at: datetime | None = None


def insert(conn: Connection, ask: AskRow) -> None:
    """Put a new question on the books."""
    _TABLE.insert(conn, ask)


def of_appointments(conn: Connection, ids: Iterable[str]) -> dict[str, list[AskRow]]:
    """All questions about these appointments, the first one first; those without any are left out."""
    return _TABLE.of_appointments(conn, ids)


def due(conn: Connection, now: datetime) -> list[AskRow]:
    """Unanswered questions whose next step is due, the oldest first."""
    return _TABLE.shape.all(conn, _DUE, {"now": now})


def set_next(conn: Connection, ask_id: str, next_at: datetime | None) -> None:
    """Remember when the next step is due; None: there is none."""
    conn.execute(_SET_NEXT, {"the_id": ask_id, "to_next_at": next_at})


def answered(conn: Connection, appointment: str, about: str, at: datetime) -> int:
    """Somebody answered what this appointment was asked about; how many questions that settled."""
    return conn.execute(_ANSWERED, {"the_appointment": appointment, "the_about": about, "when_answered": at}).rowcount


_c = asks.c
_TABLE = AppointmentTable(asks, AskRow, _c.at)
_DUE = _TABLE.all.where(_c.answered_at.is_(None), _c.next_at <= bindparam("now"))
_SET_NEXT = asks.update().where(_c.id == bindparam("the_id")).values(next_at=bindparam("to_next_at"))
_ANSWERED = (
    asks.update()
    .where(
        _c.appointment == bindparam("the_appointment"),
        _c.about == bindparam("the_about"),
        _c.answered_at.is_(None),
    )
    .values(answered_at=bindparam("when_answered"))
)
