"""`/healthz`: this process answers. `/readyz`: it can also do its work, and if not, why."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from calsync.errors import CalsyncError
from calsync.store import installation
from calsync.store.revisions import require_current
from calsync.web.site import Site, site_of

router = APIRouter(include_in_schema=False)

# How long the worker's loop may take for a round: timers run in it.
PATIENCE: Final = timedelta(seconds=90)


@router.get("/healthz")
def healthz() -> Response:
    """Always fine, from the moment it can be asked."""
    return PlainTextResponse("fine\n")


@router.get("/readyz")
def readyz(request: Request) -> Response:
    """200 with `ready`, or 503 with what is wrong, as fixed words."""
    wrong = _wrong(site_of(request))
    return JSONResponse({"ready": not wrong, "problems": wrong}, status_code=503 if wrong else 200)


def _wrong(site: Site) -> list[str]:
    wrong = []
    try:
        require_current(site.database.engine, site.database.url)
        with site.database.reading() as conn:
            installation.fleet_stop(conn)
    except CalsyncError as problem:
        wrong.append(f"database:{type(problem).__name__}")
    except Exception as problem:  # noqa: BLE001 - whatever the driver says, the answer is that it cannot be used
        wrong.append(f"database:{type(problem).__name__}")
    if site.progress is not None and site.progress.is_stuck(site.clock.now(), PATIENCE):
        wrong.append("worker:no-progress")
    return wrong
