"""Long lists page by page, each going on after the last row that was seen, however much is added meanwhile."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, and_, or_

from calsync.domain.appointment import Appointment
from calsync.domain.drift import Drift
from calsync.store import drifts as drift_store
from calsync.store.drifts import DriftFilter
from calsync.store.record_values import appointment_of
from calsync.store.records import AppointmentFilter, filtered
from calsync.store.schema_records import appointments

Place = tuple[datetime, str]
"""Where a page ended: the instant by which the list is sorted, and the id among those of one instant."""


def appointments_page(
    conn: Connection, wanted: AppointmentFilter, after: Place | None, limit: int
) -> tuple[list[Appointment], Place | None]:
    """Return up to `limit` appointments by start, then id, and where the next page goes on (None: that was all)."""
    query = filtered(wanted).limit(limit + 1)
    if after is not None:
        at, key = after
        query = query.where(or_(_a.start_at > at, and_(_a.start_at == at, _a.id > key)))
    found = [appointment_of(row) for row in conn.execute(query)]
    more = len(found) > limit
    found = found[:limit]
    return found, (found[-1].span.start_at, found[-1].id) if more else None


def drifts_page(
    conn: Connection, wanted: DriftFilter, after: Place | None, limit: int
) -> tuple[list[Drift], Place | None]:
    """Return up to `limit` drifts by when they were seen, then id, and where the next page goes on."""
    found = drift_store.page(conn, wanted, after, limit + 1)
    more = len(found) > limit
    found = found[:limit]
    return found, (found[-1].detected_at, found[-1].id) if more else None


_a = appointments.c
