"""Clearances: the gate's recorded yes, with the answer that was given (claims sheet, 12). One at most is in force."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from calsync.store.rows import Shape, chunks
from calsync.store.schema_claims import clearances
from calsync.store.schema_records import appointments


@dataclass(frozen=True, slots=True)
class Clearance:
    """A yes for one date and code. `fingerprint` is the SHA-256 of `answer`; `issued_at` when somebody was told it.

    `ended_at`: superseded, filed, or settled by a person.
    """

    id: str
    appointment: str
    date: date
    code: str | None
    minutes: int | None
    fingerprint: str
    answer: dict[str, Any]
    at: datetime
    issued_at: datetime | None = None
    ended_at: datetime | None = None


def insert_many(conn: Connection, wanted: Iterable[Clearance]) -> None:
    """Put new clearances on the books."""
    for part in chunks(wanted):
        conn.execute(_ADD, [{**_SHAPE.values(one), "date": one.date.isoformat()} for one in part])


def end(conn: Connection, ids: Iterable[str], at: datetime) -> None:
    """These are in force no more."""
    for part in chunks(ids):
        conn.execute(_END, {"ids": part, "end_at": at})


def get(conn: Connection, clearance: str) -> Clearance | None:
    """The clearance, or None."""
    return _SHAPE.first(conn, _GET, {"the_id": clearance})


def of_appointments(conn: Connection, ids: Iterable[str]) -> dict[str, list[Clearance]]:
    """All clearances of these appointments, the first one first; those without any are left out."""
    found: dict[str, list[Clearance]] = {}
    for part in chunks(sorted(set(ids))):
        for one in _SHAPE.all(conn, _OF_APPOINTMENTS, {"ids": part}):
            found.setdefault(one.appointment, []).append(one)
    return found


def lock_in_force(conn: Connection, ids: Iterable[str]) -> dict[str, list[Clearance]]:
    """Those in force, by appointment; until the transaction ends nobody else gets them by this.

    Who writes a clearance looks here first: what was read before the transaction may be superseded by now.
    """
    found: dict[str, list[Clearance]] = {}
    for part in chunks(sorted(set(ids))):
        conn.execute(_LOCK, {"ids": part})
        for one in _SHAPE.all(conn, _IN_FORCE, {"ids": part}):
            found.setdefault(one.appointment, []).append(one)
    return found


_c = clearances.c
_IDS: Any = bindparam("ids", expanding=True)
_SHAPE = Shape(clearances, Clearance, date=date.fromisoformat)
_ADD = clearances.insert()
_END = update(clearances).where(_c.id.in_(_IDS), _c.ended_at.is_(None)).values(ended_at=bindparam("end_at"))
_GET = select(*_SHAPE.columns).where(_c.id == bindparam("the_id"))
_LOCK = (
    select(appointments.c.id)
    .where(appointments.c.id.in_(_IDS))
    .order_by(appointments.c.id)
    .with_for_update(key_share=True)
)
_IN_FORCE = select(*_SHAPE.columns).where(_c.appointment.in_(_IDS), _c.ended_at.is_(None)).order_by(_c.at, _c.id)
_OF_APPOINTMENTS = select(*_SHAPE.columns).where(_c.appointment.in_(_IDS)).order_by(_c.at, _c.id)
