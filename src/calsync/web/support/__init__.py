"""`/support`: the pages at which people of the practice look after edits, calendars and claims.

Server-rendered, without scripts. Every page needs a person who is logged in; every action their role, a field that only
their own pages hold, and leaves a row in the log under their name.
"""

from __future__ import annotations

from fastapi import APIRouter

from calsync.web.support import (
    appointments,
    calendars,
    edits,
    fleet,
    login,
    overview,
    people,
    queue,
    report,
    search,
)

router = APIRouter(include_in_schema=False)
for _room in (login, overview, queue, edits, appointments, calendars, fleet, search, people, report):
    router.include_router(_room.router)
