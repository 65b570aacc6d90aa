"""Files that say which sessions took place: an id a row, and from when to when where a person says so."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from calsync.domain.appointment import Appointment
from calsync.domain.span import Span
from calsync.domain.time_text import check_length, read_time
from calsync.records.findings import Findings
from calsync.records.rows import Columns, Row, read_rows
from calsync.store import records

COLUMNS: Final = Columns(required=("id",), optional=("start", "end"))


def read_attendance(conn: Connection, path: Path) -> dict[str, Span | None]:
    """Return the attested time of each session by id, None for "as booked". `Refused` with every bad row."""
    findings = Findings(path.name)
    rows = read_rows(path, COLUMNS, findings)
    known = records.appointments_by_ids(conn, [row.cells["id"] for row in rows])
    attested: dict[str, Span | None] = {}
    for row in rows:
        one = known.get(row.cells["id"])
        if one is None:
            findings.add(row.number, "no such appointment", column="id")
        elif one.id in attested:
            findings.add(row.number, f"appointment {one.id} stands twice", column="id")
        else:
            attested[one.id] = _span(row, one, findings)
    findings.refuse()
    return attested


def _span(row: Row, one: Appointment, findings: Findings) -> Span | None:
    start, end = row.cells.get("start", ""), row.cells.get("end", "")
    if not start and not end:
        return None
    if not (start and end):
        findings.add(row.number, "start and end go together: give both or neither", column="start")
        return None
    try:
        span = Span(read_time(start, one.span.zone), read_time(end, one.span.zone), one.span.zone)
        check_length(span.start_at, span.end_at)
    except ValueError as problem:
        findings.add(row.number, str(problem), column="start")
        return None
    return span
