"""Changes of the platform's records: appointments, series and blocks.

Every `put_` is whole: it writes the record and its history, marks the subject for every mirror calendar of the
provider (of the old one, too, where that changed) and has the claims assessed again. A record that is already so is
left alone. Nothing here checks rules: that is the callers' business. `records` reads them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Unpack

from sqlalchemy import Connection, bindparam, select, update

from calsync.domain.appointment import Appointment, Block, Series, Subject, SubjectKind
from calsync.store import claims, records
from calsync.store.dialect import Upsert
from calsync.store.record_batch import Batch, Change, put
from calsync.store.record_values import (
    APPOINTMENT,
    AppointmentFacts,
    appointment_of,
    block_columns,
    series_columns,
)
from calsync.store.rows import Shape, chunks
from calsync.store.schema import providers
from calsync.store.schema_records import appointments as appointments_table
from calsync.store.schema_records import blocks as blocks_table
from calsync.store.schema_records import series as series_table


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
    known = records.series_facts(conn, series.id)
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
    known = records.block(conn, block.id)
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
    facts = records.appointment_facts(conn, set(appointment_ids)).values()
    _set_missing(conn, [one.id for one in facts if one.missing_since is not None], None, at)


def found_again(conn: Connection, appointment_ids: Iterable[str]) -> None:
    """Remember that these appointments are in their source, those that were missing from it as well."""
    facts = records.appointment_facts(conn, set(appointment_ids)).values()
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


_a = appointments_table.c
_s = series_table.c
_FACTS = Shape(appointments_table, AppointmentFacts)
_IDS: Any = bindparam("ids", expanding=True)
_ZONES = select(providers.c.id, providers.c.zone).where(providers.c.id.in_(_IDS))
_KNOWN = select(*APPOINTMENT, *_FACTS.columns).where(_a.id.in_(_IDS))
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
