"""Session logs from a file: who was present in which session, from when to when. The same row again changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from calsync.domain.appointment import Appointment
from calsync.domain.span import Span
from calsync.domain.time_text import check_length, read_time
from calsync.records.findings import Findings
from calsync.records.rows import Columns, Row, RowsTaken, read_rows
from calsync.records.turns import opened_for_rows
from calsync.records.values import read_id
from calsync.store import audit, claims, evidence, records
from calsync.store.database import Database
from calsync.store.evidence import SessionEvidence

COLUMNS: Final = Columns(required=("appointment", "start", "end", "source"), optional=("who",))
_WHO: Final = ("both", "provider", "client")


def import_evidence(database: Database, path: Path, *, actor: str, now: datetime) -> RowsTaken:
    """Import a session log, whole or not at all. `Refused` with every bad row.

    Times without an offset are wall times in the zone of the session that the row names by its id.
    """
    findings = Findings(path.name)
    rows = read_rows(path, COLUMNS, findings)
    with opened_for_rows(database) as conn:
        known = records.appointments_by_ids(conn, [row.cells["appointment"] for row in rows])
        read = [_read(row, known, now, findings) for row in rows]
        findings.refuse()
        return _write(conn, [one for one in read if one is not None], path, actor=actor, now=now)


def _write(conn: Connection, rows: list[SessionEvidence], path: Path, *, actor: str, now: datetime) -> RowsTaken:
    new = evidence.put_many(conn, rows)
    if new:
        claims.touch(conn, [one.appointment for one in rows])
        detail = {"file": path.name, "rows": len(rows), "new": new}
        audit.append(conn, at=now, actor=actor, what="evidence-imported", subject="import", detail=detail)
    return RowsTaken(len(rows), new)


def _read(row: Row, known: Mapping[str, Appointment], now: datetime, findings: Findings) -> SessionEvidence | None:
    cells = row.cells
    one = known.get(cells["appointment"])
    if one is None:
        findings.add(row.number, "no such appointment", column="appointment")
        return None
    who = cells.get("who") or None
    before = len(findings)
    if who is not None and who not in _WHO:
        findings.add(row.number, f"{who[:40]!r} is not one of {', '.join(_WHO)}", column="who")
    try:
        read_id(cells["source"])
    except ValueError as problem:
        findings.add(row.number, str(problem), column="source")
    span = _span(row, one, findings)
    if span is None or len(findings) > before:
        return None
    told = "\n".join((one.id, cells["source"], who or "", span.start_at.isoformat(), span.end_at.isoformat()))
    return SessionEvidence(
        id=f"log-{sha256(told.encode()).hexdigest()[:24]}",
        appointment=one.id,
        source=cells["source"],
        who=who,
        start_at=span.start_at,
        end_at=span.end_at,
        received_at=now,
    )


def _span(row: Row, one: Appointment, findings: Findings) -> Span | None:
    walls = {}
    for name in ("start", "end"):
        try:
            walls[name] = read_time(row.cells[name], one.span.zone)
        except ValueError as problem:
            findings.add(row.number, str(problem), column=name)
    if len(walls) < 2:
        return None
    try:
        span = Span(walls["start"], walls["end"], one.span.zone)
        check_length(span.start_at, span.end_at)
    except ValueError:
        findings.add(row.number, "the end is not after the start, or more than 24 hours after it", column="end")
        return None
    return span
