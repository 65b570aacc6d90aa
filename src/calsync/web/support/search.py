"""Finding a provider, a client, a session or an edit by what somebody on the telephone says.

What is looked for is posted: it may be a client's name, and addresses stay in histories and in logs of other programs.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from calsync.store import calendars, clients, drifts, edits, providers, records
from calsync.web.support.door import LoggedIn, Posted

router = APIRouter()

_SHOWN: Final = 50
_LONGEST: Final = 128


@router.get("/support/search")
def show(at: LoggedIn) -> Response:
    """Nothing yet, and how to look."""
    return at.show("search", text="", providers=[], clients=[], found=[], shown=_SHOWN)


@router.post("/support/search")
def search(at: LoggedIn, form: Posted) -> Response:
    """What the text finds. An id that is exactly one thing leads to it at once."""
    text = form.one("q")[:_LONGEST]
    if not text:
        return show(at)
    with at.site.database.reading() as conn:
        drift = drifts.get(conn, text)
        found = [
            (kind, text, path)
            for kind, known, path in (
                ("Session", records.appointment(conn, text), f"/support/appointments/{quote(text, safe='')}"),
                ("Edit", edits.get(conn, text), f"/support/edits/{quote(text, safe='')}"),
                ("Edit", drift, f"/support/edits/{quote(drift.edit, safe='')}" if drift is not None else ""),
                ("Calendar", calendars.get(conn, text), f"/support/calendars/{quote(text, safe='')}"),
            )
            if known is not None
        ]
        people = providers.search(conn, text)
        callers = clients.search(conn, text) if at.does("search-clients") else []
    if len(found) == 1 and not people and not callers:
        return RedirectResponse(found[0][2], status_code=303)
    return at.show("search", text=text, providers=people[:_SHOWN], clients=callers[:_SHOWN], found=found, shown=_SHOWN)
