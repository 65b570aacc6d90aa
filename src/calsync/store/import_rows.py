"""What files said of appointments, rows that are missing from a file, and ids that the platform gives at last.

Called by the file import, inside its transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from calsync.store import claims
from calsync.store.dialect import Upsert
from calsync.store.rows import chunks
from calsync.store.schema import drifts, holds, observations
from calsync.store.schema_billing import claim_decisions, claim_verdicts, claims_map
from calsync.store.schema_claims import asks, claims_touched, clearances, filings, recalls, session_evidence, statements
from calsync.store.schema_records import appointments, blocks, import_rows, record_history, series


def said(conn: Connection, ids: Iterable[str]) -> dict[str, dict[str, str | None]]:
    """What a file last said of these appointments, by id; those of no file are not there."""
    found: dict[str, dict[str, str | None]] = {}
    for part in chunks(ids):
        found.update({row.appointment: row.said for row in conn.execute(_SAID, {"ids": part})})
    return found


def remember(conn: Connection, rows: Mapping[str, Mapping[str, str | None]], now: datetime) -> None:
    """Keep what a file says of appointments, in place of what an earlier one said."""
    for part in chunks(rows.items()):
        _REMEMBER.run(conn, [{"appointment": key, "said": dict(value), "at": now} for key, value in part])


def of_files_between(conn: Connection, start: datetime, end: datetime) -> dict[str, date]:
    """Appointments that a file has named, by id with their local date, if they start in [start, end).

    Neither those that are cancelled, nor those for whose missing row a person has answered.
    """
    return {row.id: row.start.date() for row in conn.execute(_OF_FILES, {"from_": start, "to": end})}


def all_missing(conn: Connection) -> dict[str, datetime]:
    """All appointments that a person is asked about because their file has lost them, with the instant since when."""
    return {row.id: row.missing_since for row in conn.execute(_ALL_MISSING)}


def rename(conn: Connection, old: str, new: str) -> None:
    """Give an appointment that we made for a slot the id that the platform has for it, wherever it is named."""
    for statement in _RENAMES:
        conn.execute(statement, {"old": old, "new": new})
    claims.touch(conn, [new])


def series_by_name(conn: Connection) -> dict[str, str | None]:
    """All series' ids, each with the one that it continues."""
    return {row.id: row.continues for row in conn.execute(_SERIES)}


_a = appointments.c
_SAID = select(import_rows.c.appointment, import_rows.c.said).where(
    import_rows.c.appointment.in_(bindparam("ids", expanding=True))
)
_REMEMBER = Upsert(import_rows, [import_rows.c.appointment], lambda new: {"said": new.said, "at": new["at"]})
_OF_FILES = (
    select(_a.id, _a.start)
    .join(import_rows, import_rows.c.appointment == _a.id)
    .where(
        _a.start_at >= bindparam("from_", type_=_a.start_at.type),
        _a.start_at < bindparam("to", type_=_a.start_at.type),
        _a.status.not_in(["cancelled", "late-cancelled"]),
        _a.missing_answered_at.is_(None),
    )
    .order_by(_a.start_at, _a.id)
)
_ALL_MISSING = select(_a.id, _a.missing_since).where(_a.missing_since.is_not(None)).order_by(_a.start_at)
_SERIES = select(series.c.id, series.c.continues)
_NAMED: tuple[Any, ...] = (
    appointments.c.id,
    asks.c.appointment,
    blocks.c.for_appointment,
    claim_decisions.c.appointment,
    claim_verdicts.c.appointment,
    claims_map.c.appointment,
    claims_touched.c.appointment,
    clearances.c.appointment,
    drifts.c.appointment,
    filings.c.appointment,
    holds.c.appointment,
    observations.c.appointment,
    recalls.c.appointment,
    session_evidence.c.appointment,
    statements.c.appointment,
)
_RENAMES = (
    *(update(column.table).where(column == bindparam("old")).values({column: bindparam("new")}) for column in _NAMED),
    update(record_history)
    .where(record_history.c.kind == "appointment", record_history.c.subject == bindparam("old"))
    .values(subject=bindparam("new")),
)
