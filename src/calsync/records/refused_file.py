"""A file that was refused: nothing of it is taken over, but the claims of what it tells otherwise must wait (R-14)."""

from __future__ import annotations

from calsync.errors import Refused
from calsync.records.appointment_rows import COLUMNS, read_appointment_rows
from calsync.records.brake import doubted_of
from calsync.records.file_import import ImportRequest, find_unknown_providers, plan_import
from calsync.records.findings import Findings
from calsync.records.import_store import load_books
from calsync.records.rows import read_rows
from calsync.records.turns import opened_for_rows
from calsync.records.values import is_id
from calsync.store import audit, record_changes, records
from calsync.store.database import Database

_SHOWN = 20


def hold_what_it_doubts(database: Database, request: ImportRequest) -> list[str]:
    """Have the claims wait of known sessions of which the file says anything else, or something that cannot be read.

    They are marked as missing until a file says what is right, or a person; returns which were not so marked before.
    """
    findings = Findings(request.path.name)
    try:
        rows = read_rows(request.path, COLUMNS, findings)
    except Refused:
        return []
    ids = {row.number: row.cells["id"] for row in rows if is_id(row.cells["id"])}
    sound = read_appointment_rows(rows, findings)
    with opened_for_rows(database) as conn:
        books = load_books(conn, list(ids.values()), {row.series for row in sound}, request.configured)
        find_unknown_providers(rows, books.providers, findings)
        plan = plan_import(sound, books, findings, now=request.now, horizon=request.now + request.window_future)
        unclear = {ids[number] for number in findings.rows() if number in ids}
        facts = records.appointment_facts(conn, {*doubted_of(plan), *unclear})
        held = sorted(key for key, one in facts.items() if one.missing_since is None)
        record_changes.set_missing(conn, held, request.now)
        if held:
            detail = {"file": request.path.name, "sessions": held[:_SHOWN], "held": len(held)}
            audit.append(
                conn, at=request.now, actor=request.actor, what="file-refused", subject="import", detail=detail
            )
    return held
