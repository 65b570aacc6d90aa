"""The brake over all calendars: whether it holds, what waits behind it, and its release in stages."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from calsync.answers import fleet
from calsync.errors import Problem, Refused
from calsync.store import audit
from calsync.support.roles import Action
from calsync.web.support.door import Here, LoggedIn, Posted, acting, back_to

router = APIRouter()


@router.get("/support/fleet")
def show(at: LoggedIn) -> Response:
    """How the fleet stands."""
    status = fleet.status(at.desk)
    with at.site.database.reading() as conn:
        history = [row for row in audit.rows(conn, "installation") if row.what.startswith("fleet-")][-20:]
    done = status.stop.released if status.stop is not None else 0.0
    coming = next((one for one in status.stages if one.share > done), None) if status.stop is not None else None
    return at.show("fleet", standing=status, coming=coming, history=history[::-1], limits=at.site.settings.fleet)


@router.post("/support/fleet")
def act(at: Annotated[Here, Depends(acting(Action.RELEASE_FLEET))], form: Posted) -> Response:
    """Stop all writes, or release the next stage."""
    note = form.one("note")
    if not note:
        raise Refused([Problem("this concerns every calendar, so it needs a reason", "note", "Say why")])
    if form.one("what") == "stop":
        if not fleet.stop(at.desk, by=at.agent.actor, because=note):
            raise Refused([Problem("they are stopped already, or nothing has ever been written here")])
        return back_to("/support/fleet", "stopped")
    try:
        share = float(form.one("share"))
    except ValueError:
        raise Refused([Problem("no stage was chosen", "share")]) from None
    fleet.release(at.desk, share, by=at.agent.actor, note=note)
    return back_to("/support/fleet", "stage")
