"""`/a/{token}`: what people do from a mail, without a login. Looking changes nothing; a post acts once.

A page is shown as often as anybody, or any scanner, fetches it. To act, a post must bring the page's own field and
something that only a person chooses. Whatever is wrong with a link (used, too old, revoked, altered, somebody else's)
is said in the same words.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from calsync.errors import NotFoundError, Refused
from calsync.notices.answer_links import RECONNECT
from calsync.settings.secrets import Key
from calsync.store import action_links
from calsync.store.action_links import ActionLink
from calsync.web.pages import page
from calsync.web.room_list import ROOMS
from calsync.web.site import Site, site_of
from calsync.web.visit import MAX_TEXT, LinkSpent, Room, Unclear, Visit, sentence

_log = structlog.get_logger(__name__)

router = APIRouter(include_in_schema=False)

FIELD_LIFE: Final = timedelta(hours=24)
_MAX_TOKEN: Final = 200


@router.api_route("/a/{token}", methods=["GET", "HEAD"])
def show(request: Request, token: str) -> Response:
    """What the link would do, and the forms that do it."""
    site = site_of(request)
    link = _find(site, token)
    if link is not None and link.kind == RECONNECT:
        return RedirectResponse(f"/connect/{token}", status_code=303)
    room = _room(site, link)
    if link is None or room is None:
        return _useless(site, link)
    _note_opened(request, site, link)
    asked = {name: value[:MAX_TEXT] for name, value in request.query_params.items()}
    shown = room.show(Visit(site, link, token, make_field(site, link), asked))
    return shown if shown is not None else _useless(site, link)


def _note_opened(request: Request, site: Site, link: ActionLink) -> None:
    """Keep when a person first opened it, for whoever is asked whether the mail arrived.

    A browser says so when somebody tapped; what fetches pages by itself, scanners among them, does not.
    """
    if request.method == "GET" and request.headers.get("sec-fetch-user") == "?1":
        with site.database.transaction() as conn:
            action_links.note_opened(conn, link.hash, site.clock.now())


@router.options("/a/{token}")
def options(token: str) -> Response:
    """Which methods there are; the same for any token."""
    del token
    return Response(status_code=204, headers={"Allow": "GET, HEAD, POST, OPTIONS"})


@router.post("/a/{token}")
async def act(request: Request, token: str) -> Response:
    """Do it, once."""
    form = await request.form(max_files=0, max_fields=400)
    given = {name: value for name, value in form.items() if isinstance(value, str)}
    return await run_in_threadpool(_act, site_of(request), token, given)


def _act(site: Site, token: str, given: dict[str, str]) -> Response:
    link = _find(site, token)
    room = _room(site, link)
    if link is None or room is None:
        return _useless(site, link)
    if not is_field(site, link, given.get("field", "")):
        site.tallies.actions[link.kind, "without-field"] += 1
        return _told(site, 403, "Please open the page again", "It was open for too long. Nothing was changed.")
    visit = Visit(site, link, token, make_field(site, link), given=given)
    try:
        done = room.act(visit)
    except Unclear as problem:
        site.tallies.actions[link.kind, "without-reason"] += 1
        return _again(room, replace(visit, problem=str(problem)), 422)
    except Refused as refusal:
        site.tallies.actions[link.kind, "refused"] += 1
        return _again(room, replace(visit, problem=sentence(refusal)), 409)
    except (LinkSpent, NotFoundError) as problem:
        _log.info("link_spent", kind=link.kind, because=type(problem).__name__)
        done = None
    if done is None:
        return _useless(site, link)
    site.tallies.actions[link.kind, "done"] += 1
    return done


def _again(room: Room, visit: Visit, status: int) -> Response:
    """The page once more, with why nothing was done."""
    shown = room.show(visit)
    if shown is None:
        return _useless(visit.site, visit.link)
    shown.status_code = status
    return shown


def _room(site: Site, link: ActionLink | None) -> Room | None:
    """What a usable link is for."""
    if link is None or not link.is_usable(site.clock.now()):
        return None
    return ROOMS.get(link.kind)


def _find(site: Site, token: str) -> ActionLink | None:
    if len(token) > _MAX_TOKEN:
        return None
    wanted = action_links.hash_of(token)
    with site.database.reading() as conn:
        found = action_links.get(conn, wanted)
    return found if found is not None and hmac.compare_digest(found.hash.encode(), wanted.encode()) else None


def _useless(site: Site, link: ActionLink | None) -> HTMLResponse:
    site.tallies.actions["unknown" if link is None else link.kind, "useless"] += 1
    heading = "This link cannot be used any more"
    text = "It may have been used already, be too old, or be incomplete. Nothing was changed."
    return _told(site, 404 if link is None else 410, heading, text)


def _told(site: Site, status: int, heading: str, text: str) -> HTMLResponse:
    return page("told", status, heading=heading, text=text, problem="", support=site.settings.mail.support)


# --- the page's own field ------------------------------------------------------------------------------------------


def make_field(site: Site, link: ActionLink) -> str:
    """What a post must bring back: bound to the link and to when the page was shown. It ends with the link's use."""
    shown_at = int(site.clock.now().timestamp())
    return f"{shown_at}.{_mark(site.keys().current, link, shown_at)}"


def is_field(site: Site, link: ActionLink, text: str) -> bool:
    """Whether this is such a field of ours, not too old. A state that stands behind it (`Visit.show`) is the room's."""
    number, _, rest = text.partition(".")
    mark = rest.partition(".")[0]
    if not number.isascii() or not number.isdigit() or len(number) > 12:
        return False
    shown_at = datetime.fromtimestamp(int(number), UTC)
    if not timedelta(minutes=-5) <= site.clock.now() - shown_at <= FIELD_LIFE:
        return False
    given = mark.encode("utf-8", "surrogatepass")
    return any(hmac.compare_digest(own.encode(), given) for own in _marks(site, link, int(number)))


def _marks(site: Site, link: ActionLink, shown_at: int) -> Iterator[str]:
    for key in site.keys().keys:
        yield _mark(key, link, shown_at)


def _mark(key: Key, link: ActionLink, shown_at: int) -> str:
    return hmac.new(key.derive("page"), f"{link.hash}.{shown_at}".encode(), "sha256").hexdigest()
