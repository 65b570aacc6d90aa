"""`/hooks/google` and `/hooks/graph`: calendar services say that something changed. A hint, never news.

A known channel makes its calendar due, at once and once more after a burst; a stray one changes nothing but a count.
"""

from __future__ import annotations

import asyncio
import html
import json
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

import structlog
from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import PlainTextResponse, Response

from calsync.errors import CalsyncError
from calsync.web.guards import BodyTooDeep
from calsync.web.problems import of_status
from calsync.web.site import Site, site_of
from calsync.worker import triggers

_log = structlog.get_logger(__name__)

router = APIRouter(prefix="/hooks", include_in_schema=False)

MAX_ID: Final = 256
_MAX_NOTES: Final = 1000
_LOST: Final = ("subscriptionRemoved", "reauthorizationRequired")


async def google(request: Request) -> Response:
    """A notification of a Google channel: all of it is in the headers. 204; 404 for one that we did not open."""
    site = site_of(request)
    channel = request.headers.get("x-goog-channel-id", "")
    secret = request.headers.get("x-goog-channel-token", "")
    resource = request.headers.get("x-goog-resource-id", "")
    calendar = await run_in_threadpool(_calendar_of, site, "google", channel, secret, resource)
    if calendar is None:
        return of_status(404)
    await heard(site, calendar)
    return Response(status_code=204)


# Bursts of thousands come here: nothing of the request needs to be taken apart first.
router.add_route("/hooks/google", google, methods=["POST"], include_in_schema=False)


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
    for calendar in await run_in_threadpool(_calendars_of, site, notes):
        await heard(site, calendar)
    return Response(status_code=202)


async def _read(request: Request) -> set[tuple[str, str, bool]] | None:
    try:
        return _notes(await request.body())
    except BodyTooDeep:
        return None


async def heard(site: Site, calendar: str) -> None:
    """Make the calendar due, now or a little later together with what else is heard until then."""
    wait = site.bell.hear(calendar, site.clock.now())
    if wait is None:
        return
    if wait:
        _look_later(site, calendar, wait)
    else:
        await run_in_threadpool(_ring, site, calendar)


def _look_later(site: Site, calendar: str, wait: timedelta) -> None:
    loop = asyncio.get_running_loop()

    def look() -> None:
        again = site.bell.look(calendar, site.clock.now())
        if again:
            _look_later(site, calendar, again)
        elif again is not None:
            # A server that is ending takes no more work: the hint is lost, and the next poll finds what changed.
            with suppress(RuntimeError):
                loop.run_in_executor(None, _ring_or_leave, site, calendar)

    loop.call_later(wait.total_seconds(), look)


def _ring(site: Site, calendar: str) -> None:
    with site.database.transaction() as conn:
        triggers.pushed(conn, calendar, site.clock.now())


def _ring_or_leave(site: Site, calendar: str) -> None:
    try:
        _ring(site, calendar)
    except CalsyncError as problem:
        # Nobody waits for an answer any more, and the next poll finds what changed.
        _log.warning("push_not_noted", calendar=calendar, because=type(problem).__name__)


def _calendars_of(site: Site, notes: set[tuple[str, str, bool]]) -> set[str]:
    found = set()
    for subscription, state, is_lost in notes:
        calendar = _calendar_of(site, "graph", subscription, state)
        if calendar is not None:
            found.add(calendar)
            if is_lost:
                site.targets.ended(subscription)
    return found


def _calendar_of(site: Site, service: str, channel: str, secret: str, resource: str | None = None) -> str | None:
    calendar = None
    if channel and len(channel) <= MAX_ID and len(secret) <= MAX_ID:
        calendar = site.targets.calendar_of(service, channel, secret.encode("utf-8", "surrogatepass"), resource)
    site.tallies.hooks[service, "stray" if calendar is None else "taken"] += 1
    return calendar


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
