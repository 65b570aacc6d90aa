"""Filings: what was sent to payers for which appointment, under which date (claims sheet, 12). One at most stands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select, text, update

from calsync.store.rows import Shape, chunks
from calsync.store.schema_claims import IN_REVIEW, filings


@dataclass(frozen=True, slots=True)
class Filing:
    """One claim line that went out. `frequency`: 1 original, 7 replacement, 8 void. `control` is the payer's number.

    `state`: filed, review, recalled, corrected or void. `against_gate`: the gate had not cleared that date.
    """

    id: str
    appointment: str
    date: date
    code: str | None
    frequency: str
    claim: str | None
    line: str | None
    batch: str | None
    control: str | None
    filed_at: datetime
    filed_by: str
    against_gate: bool = False
    state: str = "filed"
    ended_at: datetime | None = None


def insert(conn: Connection, filing: Filing) -> None:
    """Put what was filed on the books."""
    conn.execute(_ADD, {**_SHAPE.values(filing), "date": filing.date.isoformat()})


def set_state(conn: Connection, filing: str, state: str) -> bool:
    """Remember how the claim stands; True if it stood otherwise."""
    return conn.execute(_SET_STATE, {"the_id": filing, "to_state": state}).rowcount == 1


def end(conn: Connection, filing: str, state: str, at: datetime) -> None:
    """It does not stand any more: it was corrected, voided or turned down."""
    conn.execute(_END, {"the_id": filing, "to_state": state, "at": at})


def get(conn: Connection, filing: str) -> Filing | None:
    """The filing, or None."""
    return _SHAPE.first(conn, _GET, {"the_id": filing})


def of_appointments(conn: Connection, ids: Iterable[str]) -> dict[str, list[Filing]]:
    """All filings of these appointments, the first one first; those without any are left out."""
    found: dict[str, list[Filing]] = {}
    for part in chunks(sorted(set(ids))):
        for one in _SHAPE.all(conn, _OF_APPOINTMENTS, {"ids": part}):
            found.setdefault(one.appointment, []).append(one)
    return found


def filed_among(conn: Connection, ids: Iterable[str]) -> set[str]:
    """Those of the appointments for which something stands filed."""
    return {
        str(one) for part in chunks(sorted(set(ids))) for one in conn.execute(_FILED_AMONG, {"ids": part}).scalars()
    }


def in_review(conn: Connection) -> list[str]:
    """The appointments whose filed claims are a question at the moment, by id."""
    return [str(one) for one in conn.execute(_IN_REVIEW).scalars()]


_c = filings.c
_IDS: Any = bindparam("ids", expanding=True)
_THIS = _c.id == bindparam("the_id")
_SHAPE = Shape(filings, Filing, date=date.fromisoformat)
_ADD = filings.insert()
_SET_STATE = update(filings).where(_THIS, _c.state != bindparam("to_state")).values(state=bindparam("to_state"))
_END = update(filings).where(_THIS, _c.ended_at.is_(None)).values(state=bindparam("to_state"), ended_at=bindparam("at"))
_GET = select(*_SHAPE.columns).where(_THIS)
_OF_APPOINTMENTS = select(*_SHAPE.columns).where(_c.appointment.in_(_IDS)).order_by(_c.filed_at, _c.id)
_FILED_AMONG = select(_c.appointment).where(_c.appointment.in_(_IDS), _c.ended_at.is_(None)).distinct()
_IN_REVIEW = select(_c.appointment).where(text(IN_REVIEW)).distinct().order_by(_c.appointment)
