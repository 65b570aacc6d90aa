"""The platform's records: appointments, series and blocks, and their history.

Every `put_` is whole: it writes the record and its history, marks the subject for every mirror calendar of the
provider (of the old one, too, where that changed) and has the claims assessed again. A record that is already so is
left alone. Nothing here checks rules: that is the callers' business.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Unpack

from sqlalchemy import Connection, Select, bindparam, exists, or_, select, update

from calsync.domain.appointment import Appointment, AppointmentStatus, Block, Series, Subject, SubjectKind
from calsync.store import claims
from calsync.store.dialect import Upsert
from calsync.store.record_batch import Batch, Change, put
from calsync.store.record_values import (
    APPOINTMENT,
    BLOCK,
    SERIES,
    AppointmentFacts,
    SeriesFacts,
    appointment_of,
    block_columns,
    block_of,
    series_columns,
    series_of,
)
from calsync.store.rows import Shape, chunks, stream
from calsync.store.schema import providers
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


# --- writing -------------------------------------------------------------------------------------------------------


def put_appointment(conn: Connection, appointment: Appointment, **change: Unpack[Change]) -> bool:
    """Add the appointment, or make the known one so; True if anything but its version number changed."""
    return put_appointments(conn, [appointment], **change) == 1


def put_appointments(conn: Connection, wanted: Iterable[Appointment], **change: Unpack[Change]) -> int:
    """Like `put_appointment`, for many; how many were added or changed."""
    changed = 0
    for part in chunks(wanted):
        batch = Batch(change, _zones(conn, {one.provider for one in part}))
        known = _known(conn, [one.id for one in part])
        for one in part:
            put(batch, one, known.get(one.id))
        batch.write(conn, _PUT_APPOINTMENT)
        claims.touch(conn, [row["id"] for row in batch.rows])
        changed += len(batch.rows)
    return changed


def put_series(
    conn: Connection, series: Series, *, defaults: Mapping[str, Any] | None = None, **change: Unpack[Change]
) -> bool:
    """Add the series, or make the known one so; True if anything but its version number changed.

    `defaults` is what occurrences made later start out with; None keeps those on the books.
    """
    known = series_facts(conn, series.id)
    kept = known.defaults if known is not None else {}
    to_keep = kept if defaults is None else dict(defaults)
    if known is not None and replace(series, version=known.series.version) == known.series and to_keep == kept:
        return False
    batch = Batch(change)
    batch.rows.append({**series_columns(series), "defaults": to_keep})
    batch.add(SubjectKind.SERIES, series_columns(known.series) if known else None, series_columns(series))
    for provider in {series.provider, known.series.provider if known else series.provider}:
        batch.subjects.add((provider, Subject(SubjectKind.SERIES, series.id)))
    batch.write(conn, _PUT_SERIES)
    claims.touch(conn, conn.execute(_IDS_OF_SERIES, {"the_series": series.id}).scalars())
    return True


def put_block(conn: Connection, block: Block, *, for_appointment: str | None = None, **change: Unpack[Change]) -> bool:
    """Add the block, or make the known one so; True if anything but its version number changed."""
    known = _block(conn, block.id)
    if known is not None and replace(block, version=known.version) == known:
        return False
    batch = Batch(change)
    batch.rows.append({**block_columns(block), "for_appointment": for_appointment})
    batch.add(SubjectKind.BLOCK, block_columns(known) if known else None, block_columns(block))
    for provider in {block.provider, known.provider if known else block.provider}:
        batch.subjects.add((provider, Subject(SubjectKind.BLOCK, block.id)))
    batch.write(conn, _PUT_BLOCK)
    return True


def set_missing(conn: Connection, appointment_ids: Iterable[str], at: datetime) -> None:
    """Remember since when these appointments are missing from their source (R-24): a person is asked about each."""
    _set_missing(conn, appointment_ids, at, None)


def answer_missing(conn: Connection, appointment_ids: Iterable[str], at: datetime) -> None:
    """Remember that a person has said what became of those that are missing; nobody is asked until they come back."""
    facts = appointment_facts(conn, set(appointment_ids)).values()
    _set_missing(conn, [one.id for one in facts if one.missing_since is not None], None, at)


def found_again(conn: Connection, appointment_ids: Iterable[str]) -> None:
    """Remember that these appointments are in their source, those that were missing from it as well."""
    facts = appointment_facts(conn, set(appointment_ids)).values()
    back = [one.id for one in facts if (one.missing_since, one.missing_answered_at) != (None, None)]
    _set_missing(conn, back, None, None)


def _set_missing(conn: Connection, ids: Iterable[str], since: datetime | None, answered: datetime | None) -> None:
    for part in chunks(sorted(set(ids))):
        conn.execute(_SET_MISSING, [{"the_id": one, "since": since, "answered": answered} for one in part])
        claims.touch(conn, part)


def set_origin(conn: Connection, appointment_ids: Iterable[str], origin: str) -> None:
    """Have these appointments be of an origin from now on: another one tells of them."""
    for part in chunks(sorted(set(appointment_ids))):
        conn.execute(_SET_ORIGIN, [{"the_id": one, "the_origin": origin} for one in part])
        claims.touch(conn, part)


def set_materialised(conn: Connection, series_id: str, until: datetime) -> None:
    """Remember that the series' occurrences exist as appointments up to `until`."""
    conn.execute(_SET_MATERIALISED, {"the_id": series_id, "until": until})


def _zones(conn: Connection, ids: Iterable[str]) -> dict[str, str]:
    return {row.id: row.zone for row in conn.execute(_ZONES, {"ids": sorted(ids)})}


def _known(conn: Connection, ids: list[str]) -> dict[str, tuple[Appointment, AppointmentFacts]]:
    width = len(APPOINTMENT)
    return {row.id: (appointment_of(row[:width]), _FACTS.of(row[width:])) for row in conn.execute(_KNOWN, {"ids": ids})}


# --- reading -------------------------------------------------------------------------------------------------------


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
    return _block(conn, block_id)


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


def _block(conn: Connection, block_id: str) -> Block | None:
    row = conn.execute(_BLOCK, {"the_id": block_id}).first()
    return None if row is None else block_of(row)


_a = appointments_table.c
_s = series_table.c
_FACTS = Shape(appointments_table, AppointmentFacts)
_HISTORY_SHAPE = Shape(record_history, HistoryRow)
_IDS: Any = bindparam("ids", expanding=True)
_ZONES = select(providers.c.id, providers.c.zone).where(providers.c.id.in_(_IDS))
_KNOWN = select(*APPOINTMENT, *_FACTS.columns).where(_a.id.in_(_IDS))
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
_IDS_OF_SERIES = select(_a.id).where(_a.series == bindparam("the_series"))
_MADE_ONCE = ("id", "origin", "created_at", "missing_since", "missing_answered_at")
_PUT_APPOINTMENT = Upsert(
    appointments_table,
    [_a.id],
    lambda new: {column.name: new[column.name] for column in _a if column.name not in _MADE_ONCE},
)
_PUT_SERIES = Upsert(
    series_table,
    [_s.id],
    lambda new: {column.name: new[column.name] for column in _s if column.name not in ("id", "materialised_until")},
)
_PUT_BLOCK = Upsert(
    blocks_table,
    [blocks_table.c.id],
    lambda new: {column.name: new[column.name] for column in blocks_table.c if column.name != "id"},
)
_SET_MISSING = (
    update(appointments_table)
    .where(_a.id == bindparam("the_id"))
    .values(missing_since=bindparam("since"), missing_answered_at=bindparam("answered"))
)
_SET_ORIGIN = update(appointments_table).where(_a.id == bindparam("the_id")).values(origin=bindparam("the_origin"))
_SET_MATERIALISED = (
    update(series_table).where(_s.id == bindparam("the_id")).values(materialised_until=bindparam("until"))
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
