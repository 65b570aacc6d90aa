"""What an error means for a calendar, and the change of its state, told once to whoever must act."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from calsync.connector.errors import AuthRevoked, CalendarError, Forbidden, NotFound, Throttled
from calsync.errors import UserError
from calsync.store import audit, calendars, claims, outbox, stops
from calsync.store.calendars import CalendarRow
from calsync.worker.calendar_pass import WriteForbiddenError
from calsync.worker.context import ACTOR, WorkerContext

FIRST_BACKOFF_S = 30.0
LONGEST_BACKOFF_S = 1800.0
# A calendar without a usable credential is looked at again this often at the earliest: hammering locks accounts.
RECONNECT_RETRY = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an error means for the calendar: its state (None: as it was), a code, and when to try again."""

    state: str | None
    code: str
    retry_at: datetime


def outcome_of(worker: WorkerContext, row: CalendarRow, problem: CalendarError | UserError, now: datetime) -> Outcome:
    """One answer for each error of the closed set."""
    backoff = now + timedelta(seconds=_backoff_s(row.attempts) * worker.ids.jitter(0.8, 1.2))
    if isinstance(problem, AuthRevoked):
        return Outcome("needs-reconnect", "auth-revoked", now + RECONNECT_RETRY)
    if isinstance(problem, WriteForbiddenError):
        return Outcome("read-only", "write-forbidden", backoff)
    if isinstance(problem, Forbidden):
        return Outcome("needs-reconnect", "forbidden", now + RECONNECT_RETRY)
    if isinstance(problem, NotFound):
        return Outcome("stopped", "calendar-gone", backoff)
    if isinstance(problem, Throttled):
        wait = timedelta(seconds=min(problem.retry_after or 0.0, 86400.0))
        return Outcome(None, "throttled", max(backoff, now + wait))
    return Outcome("unreachable", _code_of(problem), backoff)


def _code_of(problem: CalendarError | UserError) -> str:
    return {"Unavailable": "unavailable", "Malformed": "malformed"}.get(type(problem).__name__, "cannot-open")


def _backoff_s(attempts: int) -> float:
    return min(LONGEST_BACKOFF_S, FIRST_BACKOFF_S * 2.0 ** min(attempts, 10))


def change_state(
    conn: Connection, worker: WorkerContext, row: CalendarRow, change: tuple[str, str | None, datetime]
) -> None:
    """Record a new state and tell whoever must act, once per change."""
    state, code, now = change
    if not calendars.set_state(conn, row.id, state, code, now):
        return
    audit.append(
        conn,
        at=now,
        actor=ACTOR,
        what="calendar-state",
        subject=f"calendar:{row.id}",
        detail={"from": row.state, "to": state, "because": code},
    )
    if state == "stopped":
        stop = stops.StopRow(
            id=worker.ids.new_id("stop"),
            calendar=row.id,
            started_at=now,
            kind="lost",
            evidence={"because": code},
            touched=(),
        )
        stops.start(conn, stop)
        claims.touch_provider(conn, row.provider)
    recipient = {"needs-reconnect": f"provider:{row.provider}", "stopped": "support", "read-only": "support"}.get(state)
    if recipient is not None:
        outbox.put(
            conn,
            key=f"{state}:{row.id}:{now.isoformat()}",
            kind=f"calendar-{state}",
            recipient=recipient,
            payload={"calendar": row.id, "since": now.isoformat(), "because": code},
            now=now,
            due_at=now,
        )
