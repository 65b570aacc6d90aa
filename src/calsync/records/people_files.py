"""Providers and clients from files: an upsert by id. Whoever is not in a file stays as they are."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from calsync.domain.time_text import read_day
from calsync.records.findings import Findings
from calsync.records.rows import Columns, Row, read_rows
from calsync.records.turns import opened_for_rows
from calsync.records.values import read_email, read_id
from calsync.settings.fields import parse_zone
from calsync.store import audit, clients, providers
from calsync.store.clients import ClientRow
from calsync.store.database import Database
from calsync.store.providers import ProviderRow

PROVIDER_COLUMNS: Final = Columns(
    required=("id", "name", "email", "zone"),
    optional=("practice", "calendars", "calendars_reason", "calendars_since"),
)
CLIENT_COLUMNS: Final = Columns(required=("id",), optional=("name", "email", "zone"))


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleRequest:
    """One file to import. `configured` ids belong to the configuration, so a file may not have them (R-27).

    `practices` are the practices that exist. `partial` takes the good rows, where a file is otherwise refused whole.
    """

    path: Path
    actor: str
    now: datetime
    configured: Collection[str] = ()
    practices: Collection[str] = ("default",)
    dry_run: bool = False
    partial: bool = False


@dataclass(frozen=True, slots=True)
class PeopleResult:
    """How many rows were read, and the ids of those that are new or other than before.

    `refused` says what is wrong with the rows that a partial import left out.
    """

    rows: int
    changed: tuple[str, ...]
    refused: tuple[str, ...] = ()


def import_providers(database: Database, request: PeopleRequest) -> PeopleResult:
    """Import providers. `Refused` with every bad row, unless the import is partial and some row is good."""
    findings = Findings(request.path.name)
    rows = read_rows(request.path, PROVIDER_COLUMNS, findings)
    wanted = [_provider(row, request, findings) for row in _once(rows, findings)]
    if not request.partial or not any(wanted):
        findings.refuse()
    with opened_for_rows(database, dry_run=request.dry_run) as conn:
        known = providers.by_ids(conn, [one.id for one in wanted if one])
        kept = [replace(one, paused=known[one.id].paused) if one.id in known else one for one in wanted if one]
        changed = [one for one in kept if known.get(one.id) != one]
        if changed and not request.dry_run:
            providers.put_many(conn, changed)
            _audit(conn, request, "providers-imported", len(changed))
    refused = tuple(str(problem) for problem in findings.problems())
    return PeopleResult(len(rows), tuple(one.id for one in changed), refused)


def import_clients(database: Database, request: PeopleRequest) -> PeopleResult:
    """Import clients; a column that the file lacks keeps what is known. `Refused` with every bad row."""
    findings = Findings(request.path.name)
    rows = read_rows(request.path, CLIENT_COLUMNS, findings)
    wanted = [_client(row, findings) for row in _once(rows, findings)]
    findings.refuse()
    with opened_for_rows(database, dry_run=request.dry_run) as conn:
        known = clients.by_ids(conn, [str(one["id"]) for one in wanted])
        merged = [replace(known.get(str(one["id"]), ClientRow(str(one["id"]))), **one) for one in wanted]
        changed = [one for one in merged if known.get(one.id) != one]
        if changed and not request.dry_run:
            clients.put_many(conn, changed)
            _audit(conn, request, "clients-imported", len(changed))
    return PeopleResult(len(rows), tuple(one.id for one in changed))


def _once(rows: list[Row], findings: Findings) -> list[Row]:
    seen: dict[str, int] = {}
    once = []
    for row in rows:
        other = seen.setdefault(row.cells["id"], row.number)
        if other != row.number:
            findings.add(row.number, f"the id of row {other} again", column="id", remedy="Keep one of the two rows")
        else:
            once.append(row)
    return once


def _provider(row: Row, request: PeopleRequest, findings: Findings) -> ProviderRow | None:
    cells = row.cells
    told: dict[str, Any] = {}
    before = len(findings)
    for name, read in (("id", read_id), ("name", _some), ("email", read_email), ("zone", parse_zone)):
        told[name] = _read(row, name, read, findings)
    if cells["id"] in request.configured:
        findings.add(row.number, f"provider {cells['id']} stands in the configuration", column="id", remedy=_ONE_PLACE)
    practice = cells.get("practice") or "default"
    if practice not in request.practices:
        known = ", ".join(sorted(request.practices))
        findings.add(row.number, f"there is no practice {practice[:40]!r}", column="practice", remedy=f"Known: {known}")
    told |= _declared(row, request, findings)
    return None if len(findings) > before else ProviderRow(practice=practice, **told)


_ONE_PLACE: Final = "A provider belongs to the configuration or to the database, not to both"


def _declared(row: Row, request: PeopleRequest, findings: Findings) -> Mapping[str, object]:
    cells = row.cells
    word, why, since = (cells.get(name, "") for name in ("calendars", "calendars_reason", "calendars_since"))
    if not word and not why and not since:
        return {}
    if word != "none" or not why or not since:
        findings.add(
            row.number,
            'a provider without calendars needs calendars "none", calendars_reason and calendars_since',
            column="calendars",
            remedy="Leave all three empty for a provider whose calendars will be connected",
        )
        return {}
    day: date | None = _read(row, "calendars_since", read_day, findings)
    return {
        "calendars": "none",
        "calendars_reason": why,
        "calendars_since": day,
        "calendars_declared_by": request.actor,
    }


def _client(row: Row, findings: Findings) -> dict[str, Any]:
    readers: dict[str, Callable[[str], str]] = {"id": read_id, "name": str, "email": read_email, "zone": parse_zone}
    told: dict[str, Any] = {}
    for name, cell in row.cells.items():
        empty = None if name == "zone" else ""
        told[name] = _read(row, name, readers[name], findings) if cell or name == "id" else empty
    return told


def _read(row: Row, name: str, read: Callable[[str], Any], findings: Findings) -> Any:
    try:
        return read(row.cells[name])
    except ValueError as problem:
        findings.add(row.number, str(problem), column=name)
        return None


def _some(text: str) -> str:
    if not text:
        raise ValueError("empty")
    return text


def _audit(conn: Any, request: PeopleRequest, what: str, changed: int) -> None:
    detail = {"file": request.path.name, "changed": changed}
    audit.append(conn, at=request.now, actor=request.actor, what=what, subject="import", detail=detail)
