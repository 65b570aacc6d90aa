"""One provider, one client: their sessions around now, and what waits."""

from __future__ import annotations

from datetime import timedelta
from itertools import islice
from typing import Annotated, Final

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from calsync.store import calendars, records
from calsync.store.known import known_client, known_provider
from calsync.store.records import AppointmentFilter
from calsync.support.queue import View, Wanted, load_queue
from calsync.support.roles import Action
from calsync.support.words import known_zone
from calsync.web.support.calendars import TONES
from calsync.web.support.door import Here, LoggedIn, seeing

router = APIRouter()

_BACK: Final = timedelta(days=14)
_AHEAD: Final = timedelta(days=28)
_SHOWN: Final = 200


@router.get("/support/providers/{provider}")
def show_provider(at: LoggedIn, provider: str) -> Response:
    """Calendars, open edits and sessions of a provider."""
    now = at.site.clock.now()
    with at.site.database.reading() as conn:
        one = known_provider(conn, provider)
        wanted = AppointmentFilter(provider=one.id, since=now - _BACK, until=now + _AHEAD)
        sessions = list(islice(records.appointments(conn, wanted), _SHOWN))
        theirs = calendars.rows(conn, one.id)
    rows = load_queue(at.gate, Wanted(view=View.ALL, me=at.agent.name, provider=one.id))
    return at.show(
        "provider",
        one=one,
        zone=known_zone(one.zone),
        calendars=theirs,
        rows=rows,
        sessions=sessions,
        tones=TONES,
        shown=_SHOWN,
    )


@router.get("/support/clients/{client}")
def show_client(at: Annotated[Here, Depends(seeing(Action.SEARCH_CLIENTS))], client: str) -> Response:
    """Sessions of a client who calls."""
    now = at.site.clock.now()
    with at.site.database.reading() as conn:
        one = known_client(conn, client)
        wanted = AppointmentFilter(client=one.id, since=now - _BACK, until=now + _AHEAD)
        sessions = list(islice(records.appointments(conn, wanted), _SHOWN))
    return at.show("client", one=one, sessions=sessions, shown=_SHOWN)
