"""One appointment as a platform says it over HTTP: the same words, and the same meaning, as a row of a file (R-34).

What the platform says otherwise than the last time counts; what was changed here since then, and not by it, stays.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from calsync.errors import Problem, Refused
from calsync.records.appointment_rows import AppointmentRow, read_appointment_rows
from calsync.records.file_import import find_unknown_providers, plan_import
from calsync.records.findings import Findings
from calsync.records.import_plan import Books
from calsync.records.import_store import Stamp, load_books, write_plan
from calsync.records.rows import Row
from calsync.store import api_records, audit, providers, record_changes, records
from calsync.store.api_records import SaidRecord

STALE = "stale-update"
ORIGIN = "api"


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidAppointment:
    """What is said. `cells` are texts by the import's columns, empty for "unset"; `updated_at`: as of when.

    Without `updated_at` what comes later counts. `configured` are the providers of the configuration.
    """

    cells: Mapping[str, str]
    updated_at: datetime | None = None
    horizon: datetime
    configured: Collection[str] = ()


class _RowFindings(Findings):
    """What is wrong, by field."""

    def __init__(self) -> None:
        super().__init__("appointment")
        self.fields: list[Problem] = []

    def add(self, row: int | None, what: str, *, column: str = "", remedy: str = "") -> None:
        super().add(row, what, column=column, remedy=remedy)
        self.fields.append(Problem(what, column or "body", remedy))


def take_appointment(conn: Connection, said: SaidAppointment, stamp: Stamp) -> list[tuple[str, str]]:
    """Make the books say so; (appointment, word of the history) for each that changed.

    Raises `Refused`: `row-refused` with every field that is wrong, `stale-update` where something newer was said.
    """
    key = said.cells["id"]
    last = api_records.lock(conn, key)
    findings = _RowFindings()
    row = Row(1, said.cells)
    sound = read_appointment_rows([row], findings)
    books = replace(_books(conn, sound, said), said={} if last is None else {key: last.said})
    find_unknown_providers([row], books.providers, findings)
    plan = plan_import(sound, books, findings, now=stamp.now, horizon=said.horizon)
    if findings.fields:
        raise Refused(findings.fields, code="row-refused")
    told = plan.said.get(key, {} if last is None else last.said)
    as_of = said.updated_at or stamp.now
    if last is not None and said.updated_at is not None:
        _check_order(last, as_of, is_new=told != last.said)
    plan.said = {}
    write_plan(conn, plan, stamp)
    api_records.put(conn, key, SaidRecord(max(as_of, last.updated_at) if last else as_of, told))
    record_changes.found_again(conn, [key])
    changes = [(change.after.id, change.action) for change in plan.changes]
    if changes or plan.series:
        detail = {"changes": len(changes), "series": len(plan.series)}
        audit.append(
            conn, at=stamp.now, actor=stamp.actor, what="appointment-said", subject=f"appointment:{key}", detail=detail
        )
    return changes


def _books(conn: Connection, sound: Sequence[AppointmentRow], said: SaidAppointment) -> Books:
    """What is on the books of what is said: all series only where one is named, for that costs with their number."""
    key, provider = said.cells["id"], said.cells["provider"]
    if any(one.series is not None for one in sound):
        return load_books(conn, [key], {one.series for one in sound}, said.configured)
    known = {provider} if providers.get(conn, provider) is not None else set()
    return Books(providers={*said.configured, *known}, appointments=records.appointments_by_ids(conn, [key]))


def _check_order(last: SaidRecord, as_of: datetime, *, is_new: bool) -> None:
    if as_of < last.updated_at or (as_of == last.updated_at and is_new):
        raise Refused(
            [
                Problem(
                    f"something newer was said of it, as of {last.updated_at.isoformat()}",
                    "updated_at",
                    "Nothing is to be done if that is what your records say now",
                )
            ],
            code=STALE,
        )
