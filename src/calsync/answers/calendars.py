"""`calendars pause | resume | remove`: a person's word on a calendar, in one transaction with what follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from sqlalchemy import Connection

from calsync.answers.words import Desk
from calsync.errors import Problem, Refused
from calsync.store import audit, calendars, claims, stops, work
from calsync.store.calendars import DECLARED_ELSEWHERE, NOT_IN_CONFIG, TAKING_OUT, CalendarRow, CalendarState
from calsync.store.known import calendar_in_use
from calsync.store.stops import StopRow
from calsync.worker.declared import accept
from calsync.worker.farewell import take_off

ResumeAs = Literal["edits", "restore"]


def pause(desk: Desk, calendar: str, *, by: str, note: str | None = None) -> bool:
    """Read and write nothing there until `resume`; False if it was paused already.

    Refused for a stopped calendar: its stop has to be answered first, or its evidence would be lost.
    """
    now = desk.clock.now()
    with desk.database.transaction() as conn:
        row = calendar_in_use(conn, calendar)
        if row.state is CalendarState.STOPPED:
            remedy = "Answer the stop: `calsync calendars resume ID --as edits` or `--as restore`"
            raise Refused([Problem("it is stopped already", f"calendar {calendar}", remedy)], code="stopped")
        if not calendars.set_state(conn, calendar, CalendarState.PAUSED, note, now):
            return False
        stop = StopRow(desk.ids.new_id("stop"), calendar, now, "pause", {"note": note}, ())
        stops.start(conn, stop)
        _note(conn, desk, "calendar-paused", row, by=by, detail={"note": note})
        return True


def resume(desk: Desk, calendar: str, *, by: str, as_: ResumeAs | None = None, note: str | None = None) -> bool:
    """Work on it again; False if nothing held it.

    A mass change must be answered: `edits` records what happened as people's edits, `restore` writes the events again.
    A calendar of our own that is gone is made again by `restore` (R-25); without it, it is looked for once more.
    Refused without that answer, and for a calendar that the config does not name any more.
    """
    with desk.database.transaction() as conn:
        row = calendar_in_use(conn, calendar)
        standing = stops.standing(conn, calendar)
        if row.last_error == NOT_IN_CONFIG and row.state is CalendarState.PAUSED:
            raise Refused([Problem("the configuration does not name it any more", f"calendar {calendar}")])
        if row.last_error == TAKING_OUT and row.state is CalendarState.PAUSED:
            remedy = "Wait until it is off the books, and connect it again"
            raise Refused([Problem("its events are just being taken out", f"calendar {calendar}", remedy)])
        if row.last_error == DECLARED_ELSEWHERE and row.state is CalendarState.PAUSED:
            accept(conn, desk.settings, row)
        if standing is not None and standing.kind == "stampede" and as_ is None:
            remedy = "Say which it is: --as edits (people did it) or --as restore (write the events again)"
            raise Refused([Problem("many events changed there at once", f"calendar {calendar}", remedy)])
        if standing is not None and standing.kind == "lost" and as_ == "restore" and row.placement == "dedicated":
            calendars.forget_remote(conn, calendar)
        was_at_rest = row.state in (CalendarState.STOPPED, CalendarState.PAUSED)
        if standing is None and not was_at_rest:
            return False
        is_answer = standing is not None and standing.kind != "pause"
        release_stop(conn, desk, row, as_ if is_answer else None, by=by, detail={"note": note})
        return True


def release_stop(
    conn: Connection, desk: Desk, row: CalendarRow, as_: ResumeAs | None, *, by: str, detail: Mapping[str, object]
) -> None:
    """Have a calendar worked on again, at once; `detail`: what the log is to keep of it besides the answer."""
    now = desk.clock.now()
    stops.release(conn, row.id, now, as_, by)
    calendars.set_state(conn, row.id, CalendarState.ACTIVE, None, now)
    # Whatever held it off before: a person says that it can be worked on.
    work.retry_now(conn, row.id, now)
    _note(conn, desk, "calendar-resumed", row, by=by, detail={"as": as_, **detail})


def remove(desk: Desk, calendar: str, *, by: str, note: str | None = None) -> None:
    """Take it off the books as a mirror; events that are there stay, and past sessions go on counting it (R-23)."""
    now = desk.clock.now()
    with desk.database.transaction() as conn:
        row = calendar_in_use(conn, calendar)
        if any(one.id == calendar for _, one in desk.settings.calendars()):
            remedy = "Take its [[providers.calendars]] table out first"
            raise Refused([Problem("the configuration still names it", f"calendar {calendar}", remedy)])
        take_off(conn, row, now, by=by, detail={"note": note})


def _note(conn: Connection, desk: Desk, what: str, row: CalendarRow, *, by: str, detail: Mapping[str, object]) -> None:
    kept = {name: value for name, value in detail.items() if value is not None}
    audit.append(conn, at=desk.clock.now(), actor=by, what=what, subject=f"calendar:{row.id}", detail=kept)
    claims.touch_provider(conn, row.provider)
