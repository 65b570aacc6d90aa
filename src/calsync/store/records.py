"""The platform's records as they stand: appointments, series and blocks, and their history. Reads only.

`record_changes` writes them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, exists, or_, select

from calsync.domain.appointment import Appointment, AppointmentStatus, Block, Series, SubjectKind
from calsync.store.record_values import (
    APPOINTMENT,
    BLOCK,
    SERIES,
    AppointmentFacts,
    SeriesFacts,
    appointment_of,
    block_of,
    series_of,
)
from calsync.store.rows import Shape, chunks, stream
from calsync.store.schema_claims import filings
from calsync.store.schema_records import appointments as appointments_table
from calsync.store.schema_records import blocks as blocks_table
from calsync.store.schema_records import record_history
from calsync.store.schema_records import series as series_table


@dataclass(frozen=True, slots=True)
class AppointmentFilter:
    """Which appointments; what is None or empty does not narrow. `since` <= start < `until`, aware instants."""

    provider: str | None = None
    client: str | None = None
    status: AppointmentStatus | None = None
    since: datetime | None = None
    until: datetime | None = None
    ids: Sequence[str] | None = None
    series: str | None = None
    clients: Sequence[str] | None = None  # any of these, as a search by name finds them


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One change of a record: the values before (None: it was new) and after."""

    seq: int
    kind: str
    subject: str
    at: datetime
    actor: str
    action: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    reason: str | None = None
    note: str | None = None


def appointment(conn: Connection, appointment_id: str) -> Appointment | None:
    """The appointment, or None."""
    row = conn.execute(_APPOINTMENT, {"the_id": appointment_id}).first()
    return None if row is None else appointment_of(row)


def appointments_by_ids(conn: Connection, ids: Iterable[str], *, lock: bool = False) -> dict[str, Appointment]:
    """Those of the appointments that are known, by id. `lock`: nobody else changes them before the transaction ends."""
    query = _BY_IDS.with_for_update() if lock else _BY_IDS
    return {row.id: appointment_of(row) for part in chunks(ids) for row in conn.execute(query, {"ids": part})}


def appointment_facts(conn: Connection, ids: Iterable[str]) -> dict[str, AppointmentFacts]:
    """What the books know of appointments beside the records, by id."""
    return {one.id: one for part in chunks(ids) for one in _FACTS.all(conn, _FACTS_BY_IDS, {"ids": part})}


def series(conn: Connection, series_id: str) -> Series | None:
    """The series, or None."""
    facts = series_facts(conn, series_id)
    return None if facts is None else facts.series


def series_facts(conn: Connection, series_id: str) -> SeriesFacts | None:
    """The series with how far it is materialised, or None."""
    row = conn.execute(_SERIES, {"the_id": series_id}).first()
    return None if row is None else SeriesFacts(series_of(row), row.materialised_until, row.defaults or {})


def all_series(conn: Connection, provider: str | None = None) -> list[Series]:
    """All series, or one provider's, by id."""
    query = select(*SERIES).order_by(series_table.c.id)
    if provider is not None:
        query = query.where(series_table.c.provider == provider)
    return [series_of(row) for row in conn.execute(query)]


def block(conn: Connection, block_id: str) -> Block | None:
    """The block, or None."""
    row = conn.execute(_BLOCK, {"the_id": block_id}).first()
    return None if row is None else block_of(row)


def blocks(conn: Connection, provider: str | None = None) -> list[Block]:
    """All blocks, or one provider's, by their start."""
    query = select(*BLOCK).order_by(blocks_table.c.start_at, blocks_table.c.id)
    if provider is not None:
        query = query.where(blocks_table.c.provider == provider)
    return [block_of(row) for row in conn.execute(query)]


def appointments(conn: Connection, wanted: AppointmentFilter) -> Iterator[Appointment]:
    """Stream the appointments that the filter lets through, by start, then id."""
    query = filtered(wanted)
    if wanted.ids is None:
        yield from (appointment_of(row) for row in stream(conn, query))
        return
    found = [
        appointment_of(row)
        for part in chunks(sorted(set(wanted.ids)))
        for row in conn.execute(query.where(_a.id.in_(part)))
    ]
    yield from sorted(found, key=lambda one: (one.span.start_at, one.id))


def completed_unfiled(conn: Connection, since: datetime, until: datetime) -> list[str]:
    """Ids of completed sessions that ended from `since` to `until` and for which nothing stands filed, by their end."""
    return [str(one) for one in conn.execute(_UNFILED, {"since": since, "until": until}).scalars()]


def appointments_of_series(conn: Connection, series_id: str) -> list[Appointment]:
    """The series' occurrences that exist as appointments, by original start."""
    return [appointment_of(row) for row in conn.execute(_OF_SERIES, {"the_series": series_id})]


def series_to_materialise(conn: Connection, until: datetime) -> list[SeriesFacts]:
    """Series that go on and whose occurrences do not exist up to `until` yet, by id."""
    rows = conn.execute(_TO_MATERIALISE, {"until": until})
    return [SeriesFacts(series_of(row), row.materialised_until, row.defaults or {}) for row in rows]


def filtered(wanted: AppointmentFilter) -> Select[Any]:
    """The query for these appointments, by start, then id."""
    query = select(*APPOINTMENT).order_by(_a.start_at, _a.id)
    for column, value in (
        (_a.provider, wanted.provider),
        (_a.client, wanted.client),
        (_a.status, wanted.status.value if wanted.status else None),
        (_a.series, wanted.series),
    ):
        if value is not None:
            query = query.where(column == value)
    if wanted.since is not None:
        query = query.where(_a.start_at >= wanted.since)
    if wanted.until is not None:
        query = query.where(_a.start_at < wanted.until)
    if wanted.clients is not None:
        query = query.where(_a.client.in_(list(wanted.clients)))
    return query


def history(conn: Connection, kind: SubjectKind | str, subject: str) -> list[HistoryRow]:
    """All changes of one record, the first one first."""
    return _HISTORY_SHAPE.all(conn, _HISTORY, {"the_kind": SubjectKind(kind).value, "the_subject": subject})


_a = appointments_table.c
_s = series_table.c
_FACTS = Shape(appointments_table, AppointmentFacts)
_HISTORY_SHAPE = Shape(record_history, HistoryRow)
_IDS: Any = bindparam("ids", expanding=True)
_APPOINTMENT = select(*APPOINTMENT).where(_a.id == bindparam("the_id"))
_BY_IDS = select(*APPOINTMENT).where(_a.id.in_(_IDS)).order_by(_a.id)
_FACTS_BY_IDS = select(*_FACTS.columns).where(_a.id.in_(_IDS))
_OF_SERIES = select(*APPOINTMENT).where(_a.series == bindparam("the_series")).order_by(_a.original_start, _a.id)
_UNFILED = (
    select(_a.id)
    .where(
        _a.status == AppointmentStatus.COMPLETED.value,
        _a.end_at >= bindparam("since", type_=_a.end_at.type),
        _a.end_at <= bindparam("until", type_=_a.end_at.type),
        ~exists().where(filings.c.appointment == _a.id, filings.c.ended_at.is_(None)),
    )
    .order_by(_a.end_at, _a.id)
)
_SERIES = select(*SERIES, _s.materialised_until, _s.defaults).where(_s.id == bindparam("the_id"))
_TO_MATERIALISE = (
    select(*SERIES, _s.materialised_until, _s.defaults)
    .where(_s.cancelled.is_(False), or_(_s.materialised_until.is_(None), _s.materialised_until < bindparam("until")))
    .order_by(_s.id)
)
_BLOCK = select(*BLOCK).where(blocks_table.c.id == bindparam("the_id"))
_HISTORY = (
    select(*_HISTORY_SHAPE.columns)
    .where(record_history.c.kind == bindparam("the_kind"), record_history.c.subject == bindparam("the_subject"))
    .order_by(record_history.c.seq)
)
