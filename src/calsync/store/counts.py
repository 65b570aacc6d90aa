"""Numbers over the whole installation, for metrics and readiness. Counts only; each is one short query."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Executable, bindparam, func, select, text

from calsync.store import installation
from calsync.store.schema import CLAIMABLE, calendars, drifts, holds, owed_writes
from calsync.store.schema_claims import asks, claims_touched, recalls
from calsync.store.schema_effects import outbox
from calsync.store.schema_records import appointments


@dataclass(frozen=True, slots=True)
class Counts:
    """How the installation stands at one moment. Mappings leave out what there is none of."""

    calendars: dict[str, int]  # by state
    calendars_overdue: int  # due for more than the grace, and nobody works on them
    oldest_reading: datetime | None  # of the mirror that was read the longest ago, those at rest left out
    open_drifts: dict[str, int]  # by phase
    waiting_drifts: int  # put back, not answered yet
    owed_writes: dict[str, int]  # by state: owed, sent
    holds: int
    outbox: dict[str, int]  # by state
    outbox_oldest_due: datetime | None
    mails_repeated: int
    asks_open: int
    claims_to_assess: int
    recalls_open: int
    sessions_of_the_week: int  # that began within the last seven days
    edits_of_the_hour: int
    writes_stopped: bool  # by the fleet's brake


def read(conn: Connection, now: datetime, grace: timedelta) -> Counts:
    """Count; calendars that have been due for longer than `grace` are overdue."""
    return Counts(
        calendars=_by(conn, _CALENDARS),
        calendars_overdue=_one(conn, _OVERDUE, before=now - grace),
        open_drifts=_by(conn, _OPEN_DRIFTS),
        waiting_drifts=_one(conn, _WAITING_DRIFTS),
        owed_writes=_by(conn, _OWED),
        holds=_one(conn, _HOLDS),
        outbox=_by(conn, _OUTBOX),
        outbox_oldest_due=conn.execute(_OLDEST_DUE).scalar_one(),
        mails_repeated=_one(conn, _REPEATED),
        asks_open=_one(conn, _ASKS),
        claims_to_assess=_one(conn, _TOUCHED),
        recalls_open=_one(conn, _RECALLS),
        oldest_reading=conn.execute(_OLDEST_READING).scalar_one(),
        sessions_of_the_week=_one(conn, _SESSIONS, since=now - timedelta(days=7), now=now),
        edits_of_the_hour=_one(conn, _EDITS, since=now - timedelta(hours=1)),
        writes_stopped=installation.fleet_stop(conn) is not None,
    )


def _by(conn: Connection, statement: Executable) -> dict[str, int]:
    return {str(row[0]): int(row[1]) for row in conn.execute(statement)}


def _one(conn: Connection, statement: Executable, **parameters: object) -> int:
    return int(conn.execute(statement, parameters).scalar_one() or 0)


_ALIVE = calendars.c.removed_at.is_(None)
_CALENDARS = select(calendars.c.state, func.count()).where(_ALIVE).group_by(calendars.c.state)
_OVERDUE = (
    select(func.count())
    .select_from(calendars)
    .where(_ALIVE, text(CLAIMABLE), calendars.c.due_at < bindparam("before"), calendars.c.lease_owner.is_(None))
)
_OPEN_DRIFTS = select(drifts.c.phase, func.count()).where(drifts.c.resolution == "open").group_by(drifts.c.phase)
_WAITING_DRIFTS = select(func.count()).select_from(drifts).where(drifts.c.resolution == "reverted")
_OWED = (
    select(owed_writes.c.state, func.count())
    .where(owed_writes.c.state.in_(("owed", "sent")))
    .group_by(owed_writes.c.state)
)
_HOLDS = select(func.count(func.distinct(holds.c.appointment))).where(holds.c.closed_at.is_(None))
_OUTBOX = select(outbox.c.state, func.count()).group_by(outbox.c.state)
_OLDEST_DUE = select(func.min(outbox.c.due_at)).where(outbox.c.state == "due")
_REPEATED = select(func.sum(outbox.c.repeats))
_ASKS = select(func.count()).select_from(asks).where(asks.c.answered_at.is_(None))
_TOUCHED = select(func.count()).select_from(claims_touched)
_RECALLS = select(func.count()).select_from(recalls).where(recalls.c.state == "open")
_OLDEST_READING = select(func.min(calendars.c.last_read_at)).where(
    _ALIVE, calendars.c.mode == "mirror", calendars.c.state != "paused"
)
_SESSIONS = (
    select(func.count())
    .select_from(appointments)
    .where(appointments.c.start_at >= bindparam("since"), appointments.c.start_at <= bindparam("now"))
)
_EDITS = select(func.count(func.distinct(drifts.c.edit))).where(drifts.c.detected_at >= bindparam("since"))
