"""Rows of an appointment file, each judged on its own: what the platform says of one appointment, in normal form.

Called by `file_import`; knows nothing of the records that exist.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from calsync.domain.appointment import Appointment, AppointmentKind, AppointmentStatus
from calsync.domain.cadence import normal_rule
from calsync.domain.span import Span
from calsync.domain.time_text import check_length, read_time
from calsync.records.findings import Findings
from calsync.records.rows import Columns, Row
from calsync.records.values import Payer, read_id, read_short_text, read_word
from calsync.settings.fields import parse_zone

COLUMNS: Final = Columns(
    required=("id", "provider", "client", "start", "end", "zone"),
    optional=("kind", "status", "series", "rule", "code", "session", "client_zone", "format", "payer"),
)
TIMES: Final = ("start", "end", "zone")
_DEFAULTS: Final = {
    "kind": AppointmentKind.FOLLOW_UP.value,
    "status": AppointmentStatus.SCHEDULED.value,
    "payer": Payer.INSURANCE.value,
}
_READERS: Final[Mapping[str, Callable[[str], str]]] = {
    "id": read_id,
    "provider": read_id,
    "client": read_id,
    "zone": parse_zone,
    "kind": lambda text: read_word(text, AppointmentKind),
    "status": lambda text: read_word(text, AppointmentStatus),
    "payer": lambda text: read_word(text, Payer),
    "series": read_id,
    "code": read_short_text,
    "session": read_id,
    "client_zone": parse_zone,
    "format": read_short_text,
}

Said = Mapping[str, str | None]
"""What a file says of an appointment, by column in normal form: None is "unset"; a column not in it was not said."""


@dataclass(frozen=True, slots=True)
class AppointmentRow:
    """One sound row: `said` holds every column but the id; `span` is its time."""

    number: int
    id: str
    said: Said
    span: Span

    @property
    def series(self) -> str | None:
        """The series that the row names."""
        return self.said.get("series")

    @property
    def rule(self) -> str | None:
        """The cadence that the row gives its series."""
        return self.said.get("rule")


def read_appointment_rows(rows: list[Row], findings: Findings) -> list[AppointmentRow]:
    """Return the sound ones among the rows; everything wrong with the others goes to `findings`."""
    read = [_read_row(row, findings) for row in rows]
    numbers: dict[str, int] = {}
    for row in rows:
        key = row.cells["id"]
        if key and key in numbers:
            findings.add(
                row.number, f"the id of row {numbers[key]} again", column="id", remedy="Keep one of the two rows"
            )
        numbers.setdefault(key, row.number)
    return [row for row in read if row is not None]


def apply_said(said: Said, record: Appointment) -> Appointment:
    """Return the record with everything that is said of it, but for its place in a series."""
    changes: dict[str, object] = {
        name: said[name] for name in ("code", "session", "client_zone", "format") if name in said
    }
    for name in ("provider", "client", "payer"):
        if said.get(name):
            changes[name] = said[name]
    if kind := said.get("kind"):
        changes["kind"] = AppointmentKind(kind)
    if status := said.get("status"):
        changes["status"] = AppointmentStatus(status)
    if "start" in said:
        changes["span"] = span_of(said)
    return replace(record, **changes)  # type: ignore[arg-type]


def new_appointment(row: AppointmentRow) -> Appointment:
    """Return the record of a row that is not on the books yet, as a single session."""
    provider, client = row.said["provider"], row.said["client"]
    assert provider is not None
    assert client is not None
    return apply_said(row.said, Appointment(id=row.id, provider=provider, client=client, span=row.span))


def span_of(said: Said) -> Span:
    """Return the time that is said."""
    start, end, zone = (said[name] for name in TIMES)
    assert start is not None
    assert end is not None
    assert zone is not None
    return Span(_wall(start), _wall(end), zone)


def _read_row(row: Row, findings: Findings) -> AppointmentRow | None:
    said: dict[str, str | None] = {}
    sound = True
    for name, cell in row.cells.items():
        try:
            said[name] = _read_cell(name, cell)
        except ValueError as problem:
            findings.add(row.number, str(problem), column=name)
            sound = False
    span = _read_times(row, said, findings)
    if said.get("rule") and not row.cells.get("series"):
        findings.add(row.number, "a rule without a series", column="rule", remedy="Name the series that it belongs to")
        sound = False
    if not sound or span is None:
        return None
    key = said.pop("id")
    assert key is not None
    return AppointmentRow(row.number, key, said, span)


def _read_cell(name: str, cell: str) -> str | None:
    if not cell and name in COLUMNS.optional:
        return _DEFAULTS.get(name)
    if not cell:
        raise ValueError("empty")
    # A rule and the times need the zone beside them, and are read with it.
    return _READERS[name](cell) if name in _READERS else cell


def _read_times(row: Row, said: dict[str, str | None], findings: Findings) -> Span | None:
    zone = said.get("zone")
    if zone is None:
        return None
    walls: dict[str, datetime] = {}
    for name in ("start", "end"):
        if said.get(name):
            try:
                walls[name] = read_time(row.cells[name], zone)
            except ValueError as problem:
                findings.add(row.number, str(problem), column=name)
    if rule := said.get("rule"):
        try:
            said["rule"] = normal_rule(rule, zone)
        except ValueError as problem:
            findings.add(row.number, str(problem), column="rule")
            return None
    if len(walls) < 2:
        return None
    return _span(row.number, walls, zone, said, findings)


def _span(
    number: int, walls: Mapping[str, datetime], zone: str, said: dict[str, str | None], findings: Findings
) -> Span | None:
    said.update({name: _wall_text(wall) for name, wall in walls.items()})
    try:
        span = Span(walls["start"], walls["end"], zone)
        check_length(span.start_at, span.end_at)
    except ValueError as problem:
        what = str(problem) if "before it starts" not in str(problem) else "the end is not after the start"
        findings.add(number, what, column="end")
        return None
    return span


def _wall_text(wall: datetime) -> str:
    return wall.replace(fold=0).isoformat() + ("+1" if wall.fold else "")


def _wall(text: str) -> datetime:
    return datetime.fromisoformat(text.removesuffix("+1")).replace(fold=1 if text.endswith("+1") else 0)
