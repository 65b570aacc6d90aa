"""Calendars: how each stands; read now, pause, resume; and the page of one that was stopped."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from calsync.answers import calendars as words
from calsync.answers import calling_off
from calsync.answers.passes import pass_now
from calsync.errors import Problem, Refused
from calsync.store import calendars, owed_writes, providers, stops
from calsync.store.calendars import CalendarRow, CalendarState
from calsync.store.known import known_calendar
from calsync.support.roles import Action
from calsync.support.stampede import load_stop
from calsync.support.words import known_zone
from calsync.web.support.door import Here, LoggedIn, Posted, acting, back_to

router = APIRouter()

PAGE: Final = 100
TONES: Final = {
    CalendarState.ACTIVE: "good",
    CalendarState.PAUSED: "",
    CalendarState.STOPPED: "bad",
    CalendarState.NEEDS_RECONNECT: "bad",
    CalendarState.READ_ONLY: "warn",
    CalendarState.UNREACHABLE: "warn",
}
SAID: Final = {
    "auth-revoked": "The service does not let us in any more: the provider must reconnect.",
    "forbidden": "The service does not let this account in there.",
    "write-forbidden": "The account may read it, and not write to it.",
    "calendar-gone": "It is not there any more.",
    "mass-change": "Many events vanished or changed at once.",
    "unavailable": "The service cannot be reached, or fails; it is tried again.",
    "malformed": "The service answers what cannot be understood; it is tried again.",
    "throttled": "The service asks to be asked later; it is tried again.",
    "cannot-open": "It cannot be opened.",
}
_LATE: Final = timedelta(hours=2)
_ANSWERED: Final = {
    "restore": "restored",
    "edits": "edits",
    "propose": "proposed",
    "take-back": "taken-back",
    "agree": "called-off",
}
"""What may be said about a stop, and the word that the page then shows."""


@router.get("/support/calendars")
def show_all(at: LoggedIn, state: str = "", provider: str = "", page: int = 1) -> Response:
    """All calendars, those that need somebody first."""
    with at.site.database.reading() as conn:
        found = calendars.rows(conn, provider.strip() or None)
    wanted = [one for one in found if not state or one.state.value == state]
    wanted.sort(key=lambda one: (one.state is CalendarState.ACTIVE, one.id))
    first = (max(1, min(page, 10_000)) - 1) * PAGE
    return at.show(
        "calendars",
        rows=wanted[first : first + PAGE],
        total=len(wanted),
        first=first,
        page=page,
        size=PAGE,
        state=state if state in set(CalendarState) else "",
        states=[one.value for one in CalendarState],
        provider=provider.strip()[:128],
        tones=TONES,
        said=SAID,
        late=at.site.clock.now() - _LATE,
    )


@router.get("/support/calendars/{calendar}")
def show(at: LoggedIn, calendar: str) -> Response:
    """One calendar; where it was stopped, everything that a decision needs."""
    row = _find(at, calendar)
    with at.site.database.reading() as conn:
        count, owed = calendars.link_count(conn, row.id), owed_writes.count_owed(conn, row.id)
        past = stops.of_calendars(conn, [row.id]).get(row.id, [])
        provider = providers.get(conn, row.provider)
    return at.show(
        "calendar",
        row=row,
        provider=provider,
        zone=known_zone(provider.zone if provider is not None else "UTC"),
        links=count,
        owed=owed,
        stop=load_stop(at.gate, row.id),
        past=[one for one in past if one.released_at is not None][-10:],
        paused=row.state is CalendarState.PAUSED,
        stopped=row.state is CalendarState.STOPPED,
        tones=TONES,
        said=SAID,
        settle=at.site.settings.drift.settle,
        in_config=any(one.id == row.id for _, one in at.site.settings.calendars()),
    )


@router.post("/support/calendars/{calendar}/work")
def work(at: Annotated[Here, Depends(acting(Action.WORK_CALENDARS))], form: Posted, calendar: str) -> Response:
    """Read it now, pause it, resume it."""
    what, by, here = form.one("what"), at.agent.actor, f"/support/calendars/{calendar}"
    if what == "pass":
        pass_now(at.desk, calendar, by=by)
        return back_to(here, "pass")
    if what == "pause":
        words.pause(at.desk, calendar, by=by, note=form.one("note") or None)
        return back_to(here, "paused")
    words.resume(at.desk, calendar, by=by, note=form.one("note") or None)
    return back_to(here, "resumed")


@router.post("/support/calendars/{calendar}/stop")
def answer_stop(at: Annotated[Here, Depends(acting(Action.ANSWER_STOPS))], form: Posted, calendar: str) -> Response:
    """Say what a stop was: nobody meant it, people did, or the sessions are to be cancelled (two people)."""
    said, note, by = form.one("as"), form.one("note"), at.agent.actor
    with at.site.database.reading() as conn:
        standing = stops.standing(conn, calendar)
    if standing is None or standing.id != form.one("stop"):
        raise Refused([Problem("somebody answered this stop meanwhile", f"calendar {calendar}", "Look again")])
    if said not in _ANSWERED:
        raise Refused([Problem("nothing was chosen", f"calendar {calendar}", "Choose one of the ways on")])
    if not note:
        raise Refused([Problem("this decides about many sessions, so it needs a reason", "note", "Say why")])
    if said == "propose":
        calling_off.propose(at.desk, calendar, by=by, note=note)
    elif said == "take-back":
        calling_off.take_back(at.desk, calendar, by=by)
    elif said == "agree":
        calling_off.agree(at.desk, calendar, by=by, note=note, reason=form.one("reason") or None)
    else:
        words.resume(at.desk, calendar, by=by, as_="restore" if said == "restore" else "edits", note=note)
    return back_to(f"/support/calendars/{calendar}", _ANSWERED[said])


@router.post("/support/calendars/{calendar}/disconnect")
def disconnect(at: Annotated[Here, Depends(acting(Action.ANSWER_STOPS))], form: Posted, calendar: str) -> Response:
    """Take a calendar off the books; sessions stay, and events that are there stay, too."""
    note = form.one("note")
    if not note or form.one("sure") != "yes":
        raise Refused([Problem("it needs a reason, and the tick that you are sure", "note", "Say why")])
    words.remove(at.desk, calendar, by=at.agent.actor, note=note)
    return back_to("/support/calendars", "disconnected")


def _find(at: Here, calendar: str) -> CalendarRow:
    with at.site.database.reading() as conn:
        return known_calendar(conn, calendar)
