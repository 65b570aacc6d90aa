"""One reading of another platform's table: its rows as an import has them, and how far it has been read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from calsync.records.appointment_rows import AppointmentRow, read_appointment_rows
from calsync.records.findings import Findings
from calsync.records.rows import Row
from calsync.settings.records import CONSTANT, Records
from calsync.store import foreign_records
from calsync.store.foreign_records import ForeignTable

_AHEAD: Final = timedelta(days=1)
"""How far a change may lie in the future and be taken for one of now: a clock's error, and any zone's offset."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What it brought. `ids`: each row's id, by its number. `mark`: the last change seen, where the table tells it."""

    rows: list[AppointmentRow]
    ids: Mapping[int, str]
    mark: str | None
    findings: Findings

    def unclear(self) -> set[str]:
        """Ids that a row has of which something is wrong, be it that another row has the same one."""
        return {self.ids[number] for number in self.findings.rows() if number in self.ids}


def read_table(table: ForeignTable, keys: Records, watermark: str | None, now: datetime, *, full: bool) -> Reading:
    """Read what changed since a watermark, or everything. Raises SourceUnavailable."""
    # One row that changed in a year to come must not hide what changes until then.
    ahead = now + _AHEAD
    mark = None if foreign_records.is_after(watermark, ahead) else watermark
    since = None if full else foreign_records.before(mark, keys.overlap)
    findings = Findings("the platform's table")
    read: list[Row] = []
    with foreign_records.reading(table) as conn:
        for number, row in enumerate(foreign_records.rows(conn, table, since), 1):
            if keys.updated_at is not None:
                changed = foreign_records.mark_of(row[keys.updated_at])
                mark = mark if foreign_records.is_after(changed, ahead) else foreign_records.later(mark, changed)
            read.append(Row(number, cells_of(row, keys)))
    ids = {one.number: one.cells["id"] for one in read}
    return Reading(read_appointment_rows(read, findings), ids, mark, findings)


def cells_of(row: Mapping[str, Any], keys: Records) -> dict[str, str]:
    """A row of the table as an import has it: text by field."""
    cells = {}
    for name, named in keys.columns.items():
        value = named.removeprefix(CONSTANT) if named.startswith(CONSTANT) else row[named]
        cells[name] = _cell(name, value, keys)
    return cells


def _cell(name: str, value: Any, keys: Records) -> str:
    if value is None:
        return ""
    if name in ("start", "end"):
        return _time(value, is_utc=keys.times == "utc")
    told = str(value).strip()
    return keys.statuses.get(told, told) if name == "status" else told


def _time(value: Any, *, is_utc: bool) -> str:
    """A time as an import writes it; seconds without fraction, an offset where the platform has one."""
    if isinstance(value, datetime):
        text = value.isoformat(timespec="seconds")
    elif isinstance(value, date | time):
        text = value.isoformat()
    else:
        text = str(value).strip()
        at = _parsed(text)
        text = at.isoformat(timespec="seconds") if at is not None else text
    naive = len(text) == len("2026-11-24T10:00:00")
    return f"{text}Z" if is_utc and naive else text


def _parsed(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if len(text) > len("2026-11-24") else None
    except ValueError:
        return None
