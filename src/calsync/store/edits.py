"""Edits: what a person did in one go to one event; each groups the drifts it caused (R-3)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from calsync.domain.drift import Scope
from calsync.store.rows import Shape, chunks
from calsync.store.schema import edits


@dataclass(frozen=True, slots=True)
class EditRow:
    """One edit. `assigned`, `snoozed_until` and `waiting_for` are the review queue's.

    `unseen_at`: when the calendar was last read without it, so that it is no older than that (None: never read before).
    """

    id: str
    link: str
    calendar: str
    provider: str
    version: str | None
    detected_at: datetime
    scope: Scope
    mixed: bool
    assigned: str | None = None
    snoozed_until: datetime | None = None
    waiting_for: str | None = None
    unseen_at: datetime | None = None


def insert(conn: Connection, edit: EditRow) -> None:
    """Put a new edit on the books."""
    conn.execute(_ADD, _SHAPE.values(edit))


def get(conn: Connection, edit_id: str) -> EditRow | None:
    """The edit, or None."""
    return _SHAPE.first(conn, _GET, {"the_id": edit_id})


def lock(conn: Connection, edit_id: str) -> bool:
    """Keep the edit for this transaction, so that nobody else answers it meanwhile; False if there is none."""
    return conn.execute(_LOCK, {"the_id": edit_id}).first() is not None


def by_ids(conn: Connection, ids: Iterable[str]) -> dict[str, EditRow]:
    """Those of the edits that are known, by id."""
    return {one.id: one for part in chunks(sorted(set(ids))) for one in _SHAPE.all(conn, _BY_IDS, {"ids": part})}


def assign(
    conn: Connection, edit_id: str, *, assigned: str | None, snoozed_until: datetime | None, waiting_for: str | None
) -> None:
    """Remember who looks after the edit, until when it sleeps in the queue, and whom it waits for."""
    parameters = {"the_id": edit_id, "to_assigned": assigned, "to_snoozed": snoozed_until, "to_waiting": waiting_for}
    conn.execute(_ASSIGN, parameters)


_IDS: Any = bindparam("ids", expanding=True)
_SHAPE = Shape(edits, EditRow, scope=Scope)
_ADD = edits.insert()
_GET = select(*_SHAPE.columns).where(edits.c.id == bindparam("the_id"))
_LOCK = select(edits.c.id).where(edits.c.id == bindparam("the_id")).with_for_update()
_BY_IDS = select(*_SHAPE.columns).where(edits.c.id.in_(_IDS))
_ASSIGN = (
    update(edits)
    .where(edits.c.id == bindparam("the_id"))
    .values(
        assigned=bindparam("to_assigned"),
        snoozed_until=bindparam("to_snoozed"),
        waiting_for=bindparam("to_waiting"),
    )
)
