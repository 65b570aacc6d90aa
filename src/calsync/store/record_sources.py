"""How far records from elsewhere have been read, and whether a person must look before it goes on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, bindparam, func, select

from calsync.store.dialect import Upsert
from calsync.store.rows import Shape
from calsync.store.schema_billing import record_sources
from calsync.store.schema_records import appointments

SQL_TABLE: Final = "sql"
"""The source's name for the mapped table of another platform."""
OF_SQL_TABLE: Final = "mapping"
"""The origin of appointments that it tells of."""


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One source. `allowed`: a person has let the next reading pass the brake."""

    name: str
    watermark: str | None = None
    read_at: datetime | None = None
    compared_at: datetime | None = None
    stopped_at: datetime | None = None
    stopped_because: str | None = None
    last_error: str | None = None
    allowed: int = 0


def get(conn: Connection, name: str) -> SourceRow:
    """The source as it stands; a new one if it was never read."""
    return _SHAPE.first(conn, _GET, {"the_name": name}) or SourceRow(name)


def put(conn: Connection, row: SourceRow, **changes: Any) -> SourceRow:
    """Keep a source with these changes; returns it."""
    changed = replace(row, **changes)
    _PUT.run(conn, _SHAPE.values(changed))
    return changed


def known_between(conn: Connection, origin: str, since: datetime, until: datetime) -> list[str]:
    """Appointments of an origin that start from `since` to before `until`.

    Neither those that are cancelled, nor those for whose missing row a person has answered.
    """
    found = conn.execute(_KNOWN, {"the_origin": origin, "since": since, "until": until})
    return [str(one) for one in found.scalars()]


def completed_between(conn: Connection, origin: str, since: datetime, until: datetime) -> list[str]:
    """Appointments of an origin, recorded as held, that end from `since` to before `until`."""
    times = {"since": since, "until": until, "earliest": since - _LONGEST}
    found = conn.execute(_COMPLETED, {"the_origin": origin, **times})
    return [str(one) for one in found.scalars()]


def count_since(conn: Connection, since: datetime) -> int:
    """How many appointments start at or after an instant."""
    return int(conn.execute(_COUNT, {"since": since}).scalar_one())


_SHAPE = Shape(record_sources, SourceRow)
_GET = select(*_SHAPE.columns).where(record_sources.c.name == bindparam("the_name"))
_PUT = Upsert(
    record_sources,
    [record_sources.c.name],
    lambda new: {name: new[name] for name in _SHAPE.names if name != "name"},
)
_a = appointments.c
_KNOWN = (
    select(_a.id)
    .where(
        _a.origin == bindparam("the_origin"),
        _a.start_at >= bindparam("since", type_=_a.start_at.type),
        _a.start_at < bindparam("until", type_=_a.start_at.type),
        _a.status.not_in(["cancelled", "late-cancelled"]),
        _a.missing_answered_at.is_(None),
    )
    .order_by(_a.id)
)
_LONGEST: Final = timedelta(days=1)
"""No session runs longer; starts have an index, ends have none."""
_COMPLETED = (
    select(_a.id)
    .where(
        _a.origin == bindparam("the_origin"),
        _a.status == "completed",
        _a.start_at >= bindparam("earliest", type_=_a.start_at.type),
        _a.start_at < bindparam("until", type_=_a.start_at.type),
        _a.end_at >= bindparam("since", type_=_a.end_at.type),
        _a.end_at < bindparam("until", type_=_a.end_at.type),
    )
    .order_by(_a.id)
)
_COUNT = select(func.count()).select_from(appointments).where(_a.start_at >= bindparam("since", type_=_a.start_at.type))
