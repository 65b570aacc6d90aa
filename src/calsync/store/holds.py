"""Holds: which claim waits because of which drift, since when. For reports and webhooks, never for the gate (R-4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select

from calsync.store.dialect import Upsert
from calsync.store.rows import Shape, chunks
from calsync.store.schema import holds


@dataclass(frozen=True, slots=True)
class Hold:
    """An appointment's claim that a drift holds, or held until `closed_at`."""

    appointment: str
    drift: str
    opened_at: datetime
    closed_at: datetime | None = None


def open_hold(conn: Connection, appointment: str, drift: str, at: datetime) -> None:
    """Hold the appointment's claim because of the drift, again if that was closed; twice is as good as once."""
    _OPEN.run(conn, {"appointment": appointment, "drift": drift, "opened_at": at})


def close_hold(conn: Connection, drift: str, at: datetime) -> int:
    """The drift holds nothing any more; how many holds that closed."""
    return conn.execute(_CLOSE, {"the_drift": drift, "at": at}).rowcount


def of_appointments(conn: Connection, ids: Iterable[str]) -> dict[str, list[Hold]]:
    """All holds of these appointments, closed ones as well, by appointment; those without any are left out."""
    found: dict[str, list[Hold]] = {}
    for part in chunks(sorted(set(ids))):
        for hold in _SHAPE.all(conn, _OF_APPOINTMENTS, {"ids": part}):
            found.setdefault(hold.appointment, []).append(hold)
    return found


def standing(conn: Connection) -> list[Hold]:
    """All holds that are not closed, the oldest first."""
    return _SHAPE.all(conn, _STANDING)


_c = holds.c
_SHAPE = Shape(holds, Hold)
_IDS: Any = bindparam("ids", expanding=True)
_OPEN = Upsert(holds, [_c.appointment, _c.drift], lambda _new: {"closed_at": None})
_CLOSE = (
    holds.update().where(_c.drift == bindparam("the_drift"), _c.closed_at.is_(None)).values(closed_at=bindparam("at"))
)
_OF_APPOINTMENTS = select(*_SHAPE.columns).where(_c.appointment.in_(_IDS)).order_by(_c.opened_at, _c.drift)
_STANDING = select(*_SHAPE.columns).where(_c.closed_at.is_(None)).order_by(_c.opened_at, _c.appointment, _c.drift)
