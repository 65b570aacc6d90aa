"""Stops: why a calendar is not written to, on what evidence, and how a person released it (R-13)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, select

from calsync.store.rows import Shape, chunks
from calsync.store.schema import drifts, stops


@dataclass(frozen=True, slots=True)
class StopRow:
    """One stop. `kind` is stampede, pause or lost; `touched` the appointments that vanished or changed in it.

    `released_as` is "edits" or "restore" where the release says what to make of the evidence; `handled_at` is when the
    pass that the release allowed was recorded.
    """

    id: str
    calendar: str
    started_at: datetime
    kind: str
    evidence: dict[str, Any]
    touched: tuple[str, ...]
    released_at: datetime | None = None
    released_as: str | None = None
    released_by: str | None = None
    handled_at: datetime | None = None


def start(conn: Connection, stop: StopRow) -> None:
    """Put a new stop on the books."""
    conn.execute(_ADD, _SHAPE.values(stop))


def set_evidence(conn: Connection, stop: str, evidence: dict[str, Any]) -> None:
    """Keep this as what is known about a stop."""
    conn.execute(_SET_EVIDENCE, {"the_stop": stop, "to": evidence})


def standing(conn: Connection, calendar: str) -> StopRow | None:
    """The calendar's latest stop that nobody has released, or None."""
    return standing_for(conn, [calendar]).get(calendar)


def standing_for(conn: Connection, calendars: Iterable[str]) -> dict[str, StopRow]:
    """The latest stop that nobody has released, by calendar; calendars without one are left out."""
    found: dict[str, StopRow] = {}
    for part in chunks(sorted(set(calendars))):
        found |= {one.calendar: one for one in _SHAPE.all(conn, _STANDING, {"ids": part})}
    return found


def of_calendars(conn: Connection, calendars: Iterable[str]) -> dict[str, list[StopRow]]:
    """All stops of these calendars, released ones as well, the first one first; calendars without any are left out."""
    found: dict[str, list[StopRow]] = {}
    for part in chunks(sorted(set(calendars))):
        for stop in _SHAPE.all(conn, _OF_CALENDARS, {"ids": part}):
            found.setdefault(stop.calendar, []).append(stop)
    return found


def release(conn: Connection, calendar: str, at: datetime, as_: str | None, by: str) -> int:
    """Release every standing stop of the calendar; how many those were."""
    parameters = {"the_calendar": calendar, "at": at, "to_as": as_, "to_by": by}
    return conn.execute(_RELEASE, parameters).rowcount


def released_unhandled(conn: Connection, calendar: str) -> str | None:
    """What the next pass is to make of a released stop ("edits" or "restore"), until `handled`; else None."""
    word: str | None = conn.execute(_UNHANDLED, {"the_calendar": calendar}).scalar()
    return word


def handled(conn: Connection, calendar: str, at: datetime) -> None:
    """The pass that the release allowed is recorded, with every drift that is on the calendar's books by now."""
    last = conn.execute(_LAST_DRIFT, {"the_calendar": calendar}).scalar()
    conn.execute(_HANDLED, {"the_calendar": calendar, "at": at if last is None else max(at, last)})


_c = stops.c
_SHAPE = Shape(stops, StopRow, touched=tuple)
_IDS: Any = bindparam("ids", expanding=True)
_HERE = _c.calendar == bindparam("the_calendar")
_ADD = stops.insert()
_OF_CALENDARS = select(*_SHAPE.columns).where(_c.calendar.in_(_IDS)).order_by(_c.started_at, _c.id)
_STANDING = _OF_CALENDARS.where(_c.released_at.is_(None))
_RELEASE = (
    stops.update()
    .where(_HERE, _c.released_at.is_(None))
    .values(released_at=bindparam("at"), released_as=bindparam("to_as"), released_by=bindparam("to_by"))
)
_SET_EVIDENCE = (
    stops.update().where(_c.id == bindparam("the_stop")).values(evidence=bindparam("to", type_=_c.evidence.type))
)
_WAITS = (_HERE, _c.released_at.is_not(None), _c.handled_at.is_(None))
_UNHANDLED = select(_c.released_as).where(*_WAITS).order_by(_c.released_at.desc(), _c.id.desc()).limit(1)
_HANDLED = stops.update().where(*_WAITS).values(handled_at=bindparam("at"))
_LAST_DRIFT = select(func.max(drifts.c.detected_at)).where(drifts.c.calendar == bindparam("the_calendar"))
