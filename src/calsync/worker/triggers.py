"""What makes a calendar due: a person, a push, a changed record. A trigger carries the calendar's id, no more."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from calsync.store import calendars, work


def ask_for_pass(conn: Connection, calendar: str, now: datetime) -> None:
    """A person wants this calendar read now."""
    work.push(conn, calendar, now, work.Priority.PERSON)


def pushed(conn: Connection, calendar: str, now: datetime) -> None:
    """The service says that something changed: a hint, never news. Repeats coalesce in the calendar's row."""
    work.push(conn, calendar, now, work.Priority.PUSH)


def ask_for_all(conn: Connection, now: datetime, provider: str | None = None) -> list[str]:
    """A person wants every calendar (of one provider) read now; returns their ids."""
    ids = [row.id for row in calendars.rows(conn, provider) if row.removed_at is None]
    for calendar in ids:
        ask_for_pass(conn, calendar, now)
    return ids
