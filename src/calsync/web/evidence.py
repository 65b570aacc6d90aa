"""Rows of a session log that come over HTTP: all of them are looked at, and all taken or none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from calsync.domain.appointment import Appointment
from calsync.domain.span import instant
from calsync.domain.time_text import check_length, read_time
from calsync.store import audit, claims, records
from calsync.store import evidence as stored
from calsync.store.database import Database
from calsync.store.evidence import SessionEvidence
from calsync.web.problems import ApiProblem


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it was sent; times as people write them."""

    id: str
    appointment: str
    source: str
    start: str
    end: str
    who: str | None = None


@dataclass(slots=True)
class _Findings:
    """What is wrong, by field."""

    fields: list[tuple[str, str]]
    clash: bool = False

    def add(self, place: int, name: str, text: str) -> None:
        """One more; a limited number of them is told."""
        if len(self.fields) < 100:
            self.fields.append((f"rows.{place}.{name}", text))


def take(database: Database, rows: Sequence[Row], *, actor: str, now: datetime) -> int:
    """Put the rows on the books; how many were new. `ApiProblem` with every bad row, and then nothing is changed."""
    with database.transaction() as conn:
        findings = _Findings([])
        known = records.appointments_by_ids(conn, [row.appointment for row in rows])
        read = [_read(place, row, known, now, findings) for place, row in enumerate(rows)]
        wanted = [one for one in read if one is not None]
        if not findings.fields:
            _find_clashes(conn, wanted, findings)
        if findings.fields:
            status, code = (409, "other-content") if findings.clash else (422, "invalid")
            raise ApiProblem(status, code, "Some rows cannot be taken; nothing was changed.", findings.fields)
        new = stored.put_many(conn, wanted)
        if new:
            claims.touch(conn, sorted({one.appointment for one in wanted}))
            detail = {"rows": len(rows), "new": new, "sources": sorted({row.source for row in rows})}
            audit.append(conn, at=now, actor=actor, what="evidence-imported", subject="api", detail=detail)
        return new


def _read(
    place: int, row: Row, known: Mapping[str, Appointment], now: datetime, findings: _Findings
) -> SessionEvidence | None:
    one = known.get(row.appointment)
    if one is None:
        findings.add(place, "appointment", "there is no such appointment")
        return None
    moments = {}
    for name, text in (("start", row.start), ("end", row.end)):
        try:
            moments[name] = instant(read_time(text, one.span.zone), one.span.zone)
        except (ValueError, OverflowError) as problem:
            findings.add(place, name, str(problem) if isinstance(problem, ValueError) else "not a time of our days")
    if len(moments) < 2:
        return None
    try:
        check_length(moments["start"], moments["end"])
    except ValueError as problem:
        findings.add(place, "end", str(problem))
        return None
    # Two logs may count their rows alike.
    name = f"{row.source}/{row.id}"
    return SessionEvidence(name, one.id, row.source, row.who, moments["start"], moments["end"], now)


def _find_clashes(conn: Connection, wanted: Sequence[SessionEvidence], findings: _Findings) -> None:
    seen: dict[str, SessionEvidence] = {}
    for place, one in enumerate(wanted):
        before = seen.get(one.id) or stored.get(conn, one.id)
        if before is not None and replace(before, received_at=one.received_at) != one:
            findings.clash = True
            findings.add(place, "id", "this id is on the books with other content")
        seen[one.id] = one
