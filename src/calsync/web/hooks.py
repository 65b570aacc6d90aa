"""`/hooks/google` and `/hooks/graph`: calendar services say that something changed. A hint, never news.

A known channel makes its calendar due, however often it calls; a stray one changes nothing and is counted.
"""

from __future__ import annotations

import html
import json
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import PlainTextResponse, Response

from calsync.web.guards import BodyTooDeep
from calsync.web.problems import of_status
from calsync.web.site import Site, site_of
from calsync.worker import triggers

router = APIRouter(prefix="/hooks", include_in_schema=False)

_MAX_ID: Final = 256
_MAX_NOTES: Final = 1000
_LOST: Final = ("subscriptionRemoved", "reauthorizationRequired")


@router.post("/google")
def google(request: Request) -> Response:
    """A notification of a Google channel: all of it is in the headers. 204; 404 for one that we did not open."""
    site = site_of(request)
    channel = request.headers.get("x-goog-channel-id", "")
    secret = request.headers.get("x-goog-channel-token", "")
    if not _take(site, "google", channel, secret, request.headers.get("x-goog-resource-id", "")):
        return of_status(404)
    return Response(status_code=204)


@router.post("/graph")
async def graph(request: Request, validationToken: str | None = None) -> Response:  # noqa: N803 - Graph's own name
    """Notifications of Graph subscriptions, or its question whether we are there.

    Anything else is answered 202 as well: another status would be sent again for hours.
    """
    site = site_of(request)
    if validationToken is not None:
        # Graph wants its token back as it is, and its tokens have none of these characters.
        return PlainTextResponse(html.escape(validationToken[:1024], quote=False))
    notes = await _read(request)
    if notes is None:
        site.tallies.hooks["graph", "unreadable"] += 1
        return Response(status_code=202)
    await run_in_threadpool(_take_all, site, notes)
    return Response(status_code=202)


async def _read(request: Request) -> set[tuple[str, str, bool]] | None:
    try:
        return _notes(await request.body())
    except BodyTooDeep:
        return None


def _take_all(site: Site, notes: set[tuple[str, str, bool]]) -> None:
    for subscription, state, is_lost in notes:
        if _take(site, "graph", subscription, state) and is_lost:
            site.targets.ended(subscription)


def _take(site: Site, service: str, channel: str, secret: str, resource: str | None = None) -> bool:
    calendar = None
    if channel and len(channel) <= _MAX_ID and len(secret) <= _MAX_ID:
        calendar = site.targets.calendar_of(service, channel, secret.encode("utf-8", "surrogatepass"), resource)
    site.tallies.hooks[service, "stray" if calendar is None else "taken"] += 1
    if calendar is None:
        return False
    with site.database.transaction() as conn:
        triggers.pushed(conn, calendar, site.clock.now())
    return True


def _notes(body: bytes) -> set[tuple[str, str, bool]] | None:
    """Subscription, client state and whether it is lost, of each notification, repeats once; None for no such message.

    A subscription that was removed, or wants to be authorised anew, tells nothing any more.
    """
    try:
        data: Any = json.loads(body)
    except ValueError:
        return None
    found = data.get("value") if isinstance(data, dict) else None
    if not isinstance(found, list):
        return None
    told = (
        (one.get("subscriptionId"), one.get("clientState"), one.get("lifecycleEvent") in _LOST)
        for one in found[:_MAX_NOTES]
        if isinstance(one, dict)
    )
    return {(name, state, lost) for name, state, lost in told if isinstance(name, str) and isinstance(state, str)}
