"""`pass now`: a person asks for a calendar to be read next, whatever its timer says."""

from __future__ import annotations

from calsync.answers.words import Desk
from calsync.errors import Problem, Refused
from calsync.store import audit, work
from calsync.store.calendars import CalendarState
from calsync.store.known import calendar_in_use


def pass_now(desk: Desk, calendar: str, *, by: str) -> None:
    """Have the calendar read as soon as a worker is free, also while it backs off.

    Refused for one that is paused or stopped: that is answered first.
    """
    with desk.database.transaction() as conn:
        row = calendar_in_use(conn, calendar)
        if row.state in (CalendarState.PAUSED, CalendarState.STOPPED):
            remedy = "Resume it first"
            raise Refused([Problem(f"it is {row.state.value}", f"calendar {calendar}", remedy)], code="at-rest")
        work.retry_now(conn, calendar, desk.database.now(conn, desk.clock))
        at = desk.clock.now()
        audit.append(conn, at=at, actor=by, what="pass-asked", subject=f"calendar:{calendar}", detail={})
