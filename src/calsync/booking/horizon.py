"""Makes the sessions of series that go on, up to a horizon that moves with time. Called by the worker's timer (R-2)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from calsync.domain.appointment import Appointment
from calsync.domain.series_slots import SeriesDefaults, make_sessions, series_slots
from calsync.store import booked_time, record_changes, records
from calsync.store.database import Database
from calsync.store.record_values import SeriesFacts

ACTOR: Final = "system"


def extend_all(database: Database, now: datetime, horizon: datetime) -> int:
    """Make what is missing of every series up to `horizon`, each in its own transaction; how many sessions it made.

    Doing so again, or in two processes at once, makes nothing twice.
    """
    with database.reading() as conn:
        due = [facts.series.id for facts in records.series_to_materialise(conn, horizon)]
    made = 0
    for key in due:
        with database.transaction() as conn:
            made += extend_series(conn, key, now, horizon)
    return made


def extend_series(conn: Connection, series_id: str, now: datetime, horizon: datetime) -> int:
    """Make what is missing of one series up to `horizon`, in the caller's transaction; how many sessions it made.

    Takes the provider's time first: whoever does the same at the same moment waits, and finds nothing left to make.
    """
    known = records.series(conn, series_id)
    if known is None:
        return 0
    booked_time.lock(conn, known.provider)
    facts = records.series_facts(conn, series_id)
    if facts is None or (facts.materialised_until is not None and facts.materialised_until >= horizon):
        return 0
    members = records.appointments_of_series(conn, series_id)
    sessions = _missing(members, facts, horizon)
    origin = origin_of(conn, members)
    made = record_changes.put_appointments(conn, sessions, now=now, actor=ACTOR, action="materialised", origin=origin)
    record_changes.set_materialised(conn, series_id, horizon)
    return made


def origin_of(conn: Connection, members: Sequence[Appointment]) -> str:
    """Return where sessions that are made for a series come from: wherever its others do (R-29 asks whose they are)."""
    facts = records.appointment_facts(conn, [one.id for one in members[:1]])
    return next((one.origin for one in facts.values()), "book")


def _missing(members: Sequence[Appointment], facts: SeriesFacts, horizon: datetime) -> list[Appointment]:
    taken = {one.original_start for one in members}
    since = facts.materialised_until
    slots = [
        slot for slot in series_slots(facts.series, horizon) if slot not in taken and (since is None or slot >= since)
    ]
    return make_sessions(facts.series, SeriesDefaults.from_json(facts.defaults), slots)
