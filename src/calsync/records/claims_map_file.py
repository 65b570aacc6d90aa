"""Which session a claim stands for, from a file of the billing system: claim, line (empty: all lines), appointment."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Final

from calsync.records.findings import Findings
from calsync.records.rows import Columns, RowsTaken, read_rows
from calsync.records.turns import opened_for_rows
from calsync.records.values import read_id, read_short_text
from calsync.store import audit, claims_map, records
from calsync.store.claims_map import MapRow
from calsync.store.database import Database

COLUMNS: Final = Columns(required=("claim", "appointment"), optional=("line",))


def import_claims_map(database: Database, path: Path, *, actor: str, now: datetime) -> RowsTaken:
    """Import such a list, whole or not at all; the same row again changes nothing. `Refused` with every bad row."""
    findings = Findings(path.name)
    rows = read_rows(path, COLUMNS, findings)
    with opened_for_rows(database) as conn:
        known = records.appointments_by_ids(conn, [row.cells["appointment"] for row in rows])
        read = []
        for row in rows:
            cells = row.cells
            if cells["appointment"] not in known:
                findings.add(row.number, "no such appointment", column="appointment")
                continue
            try:
                line = read_short_text(cells["line"]) if cells.get("line") else None
                read.append(MapRow(read_id(cells["claim"]), line, cells["appointment"]))
            except ValueError as problem:
                findings.add(row.number, str(problem), column="claim")
        findings.refuse()
        new = claims_map.put_many(conn, read, now)
        if new:
            detail = {"file": path.name, "rows": len(read), "new": new}
            audit.append(conn, at=now, actor=actor, what="claims-map-imported", subject="import", detail=detail)
    return RowsTaken(len(read), new)
