"""Recalls: what billing must do about claims that went out, or were cleared to go out (claims sheet, 12)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select, update

from calsync.store.rows import Shape, chunks
from calsync.store.schema_claims import recalls

OPEN_STATES: Final = ("open", "acknowledged")
"""The states in which a recall still waits for billing."""


@dataclass(frozen=True, slots=True)
class RecallRow:
    """One recall. `action`: stop, review, replace or void; it tells about `clearance` (stop) or `filing` (the others).

    `evidence` holds `facts`, the fingerprints of what each version said, and `items`, what was looked at. `former` is
    an earlier recall of the same claim.
    """

    id: str
    key: str
    appointment: str
    clearance: str | None
    filing: str | None
    action: str
    old_date: date | None
    new_date: date | None
    old_code: str | None
    new_code: str | None
    reasons: tuple[str, ...]
    evidence: dict[str, Any]
    version: int
    detected_at: datetime
    identified_at: datetime | None
    state: str = "open"
    closed_at: datetime | None = None
    closed_by: str | None = None
    closed_because: str | None = None
    former: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether it still waits for billing."""
        return self.state in OPEN_STATES


def put(conn: Connection, recall: RecallRow) -> None:
    """Put a new recall on the books. Its key names the effect: a second one under the same key is refused."""
    conn.execute(_ADD, _columns(recall))


def replace(conn: Connection, recall: RecallRow) -> None:
    """Make the known recall so: a new version of what it says, or how it ended."""
    columns = _columns(recall)
    conn.execute(update(recalls).where(_c.id == recall.id).values({k: v for k, v in columns.items() if k != "id"}))


def get(conn: Connection, recall: str) -> RecallRow | None:
    """The recall, or None."""
    return _SHAPE.first(conn, _GET, {"the_id": recall})


def of_appointments(conn: Connection, ids: Iterable[str]) -> dict[str, list[RecallRow]]:
    """All recalls of these appointments, the first one first; those without any are left out."""
    found: dict[str, list[RecallRow]] = {}
    for part in chunks(sorted(set(ids))):
        for one in _SHAPE.all(conn, _OF_APPOINTMENTS, {"ids": part}):
            found.setdefault(one.appointment, []).append(one)
    return found


def rows(conn: Connection, *, still_open: bool = False, since: datetime | None = None) -> list[RecallRow]:
    """All recalls, or those that wait for billing, or those detected at or after `since`; the oldest first."""
    query = select(*_SHAPE.columns).order_by(_c.detected_at, _c.id)
    if still_open:
        query = query.where(_c.state.in_(OPEN_STATES))
    if since is not None:
        query = query.where(_c.detected_at >= since)
    return _SHAPE.all(conn, query)


def _columns(recall: RecallRow) -> dict[str, Any]:
    dates = {name: _text(getattr(recall, name)) for name in ("old_date", "new_date")}
    return {**_SHAPE.values(recall), **dates}


def _text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _date(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


_c = recalls.c
_IDS: Any = bindparam("ids", expanding=True)
_SHAPE = Shape(recalls, RecallRow, old_date=_date, new_date=_date, reasons=tuple)
_ADD = recalls.insert()
_GET = select(*_SHAPE.columns).where(_c.id == bindparam("the_id"))
_OF_APPOINTMENTS = select(*_SHAPE.columns).where(_c.appointment.in_(_IDS)).order_by(_c.detected_at, _c.id)
