"""What a ticket about one session is about, read from the books."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from calsync.claims.answer import Answer
from calsync.claims.gate import Gate
from calsync.domain.appointment import Appointment
from calsync.domain.drift import Drift
from calsync.store import asks, drifts
from calsync.support.tickets import Matter


def load_matter(gate: Gate, one: Appointment) -> Matter:
    """Return what is known of a session's edits and of its claim. The gate is only looked at: nothing is issued."""
    now = gate.clock.now()
    with gate.database.reading() as conn:
        known = drifts.of_appointments(conn, [one.id]).get(one.id, [])
        asked_at = _asked_at(conn, one, known)
    return Matter(one, known, _answer(gate, one, now), asked_at, now)


def _answer(gate: Gate, one: Appointment, now: datetime) -> Answer | None:
    if one.span.end_at > now:
        return None
    return next((found.answer for found in gate.look([one.id])), None)


def _asked_at(conn: Connection, one: Appointment, known: list[Drift]) -> datetime | None:
    about = {drift.id for drift in known}
    found = [ask.at for ask in asks.of_appointments(conn, [one.id]).get(one.id, []) if ask.about in about]
    return min(found, default=None)
