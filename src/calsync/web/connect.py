"""`/connect/{token}`: a provider connects a calendar, connects it again, or lets it go, without a login of ours.

Looking changes nothing. To act, a post must bring the page's own field. The return from a consent page is tied to the
browser by a cookie that holds the link's own text, and to the attempt by the state; it redeems what it brings, and
still nothing is written before the plan has been shown and agreed to (R-31).
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse, Response

from calsync.connecting import agreeing, going_live
from calsync.connecting.links import CONNECT
from calsync.connecting.reception import Reception, Visitor
from calsync.errors import CalsyncError, Refused
from calsync.notices.answer_links import RECONNECT
from calsync.store import action_links, calendars, providers
from calsync.store.action_links import ActionLink
from calsync.store.connect_attempts import Stage
from calsync.web.actions import is_field, make_field
from calsync.web.connect_pages import PRESETS, SERVICES, ConnectPages
from calsync.web.pages import page
from calsync.web.site import Site, site_of

router = APIRouter(include_in_schema=False)

COOKIE: Final = "calsync-connect"
_COOKIE_LIFE_S: Final = 900
_MAX_TEXT: Final = 500
_MAX_CODE: Final = 4096


@router.api_route("/connect/return/{service}", methods=["GET"])
def come_back(request: Request, service: str, state: str = "", code: str = "", error: str = "") -> Response:
    """Where a consent page sends the browser: redeem what it brings, and go on to the plan."""
    site = site_of(request)
    token = request.cookies.get(_cookie_name(site), "")
    found = _find(site, token) if token else None
    if found is None or service not in SERVICES:
        return _told(
            site, 400, "Please open the link again", "This page belongs to a link that we sent you. Open that."
        )
    link, visitor = found
    if error or not code or max(len(code), len(state)) > _MAX_CODE:
        return _sorry(site, link, visitor, "Nothing was allowed on the service's page, so nothing was connected.")
    try:
        is_ours = agreeing.come_back(_reception(site), visitor, service, state, code)
    except CalsyncError as problem:
        return _sorry(site, link, visitor, _sentence(problem))
    if not is_ours:
        return _told(site, 400, "Please open the link again", "That page was left too late, or twice. Nothing changed.")
    answer = RedirectResponse(f"/connect/{token}", status_code=303)
    answer.delete_cookie(_cookie_name(site), path="/")
    return answer


@router.api_route("/connect/{token}", methods=["GET", "HEAD"])
def show(request: Request, token: str) -> Response:
    """What the provider may do next."""
    site = site_of(request)
    found = _find(site, token)
    if found is None:
        return _useless(site)
    wish = request.query_params.get("with", "")
    return _page(site, *found, wish)


@router.post("/connect/{token}")
async def act(request: Request, token: str) -> Response:
    """Do one step."""
    form = await request.form(max_files=0, max_fields=20)
    given = {name: value[:_MAX_TEXT] for name, value in form.items() if isinstance(value, str)}
    site = site_of(request)
    answer = await run_in_threadpool(_act, site, token, given)
    if given.get("do") == "ask" and answer.status_code == 303:
        # Lax, so that the service's page may send the browser back with it.
        answer.set_cookie(
            _cookie_name(site),
            token,
            max_age=_COOKIE_LIFE_S,
            path="/",
            secure=_is_https(site),
            httponly=True,
            samesite="lax",
        )
    return answer


@dataclass(frozen=True, slots=True)
class Call:
    """One post: for whom, and what it brings."""

    site: Site
    link: ActionLink
    visitor: Visitor
    given: Mapping[str, str]

    @property
    def reception(self) -> Reception:
        """Where the provider is received."""
        return _reception(self.site)

    def of(self, name: str) -> str:
        """A field of the form, without blanks around it."""
        return self.given.get(name, "").strip()


def _act(site: Site, token: str, given: dict[str, str]) -> Response:
    found = _find(site, token)
    if found is None:
        return _useless(site)
    link, visitor = found
    if not is_field(site, link, given.get("field", "")):
        site.tallies.actions[link.kind, "without-field"] += 1
        return _told(site, 403, "Please open the page again", "It was open for too long. Nothing was changed.")
    step = _STEPS.get(given.get("do", ""))
    site.tallies.actions[link.kind, given["do"] if step is not None else "unknown"] += 1
    if step is None:
        return _useless(site)
    try:
        done = step(Call(site, link, visitor, given))
    except Refused as refusal:
        return _sorry(site, link, visitor, _sentence(refusal), given.get("with", "") or given.get("service", ""))
    return done if done is not None else RedirectResponse(f"/connect/{token}", status_code=303)


def _ask(call: Call) -> Response | None:
    """Send the browser to the service's consent page; `act` gives it the cookie that tells whose return it is."""
    service = call.of("service")
    if agreeing.where_to_agree(call.reception, call.visitor, service) in (None, ""):
        return _useless(call.site)
    placement = "existing" if call.of("placement") == "existing" else "dedicated"
    url = agreeing.consent_page(call.reception, call.visitor, service, placement)
    return RedirectResponse(url, status_code=303)


def _log_in(call: Call) -> Response | None:
    preset = PRESETS.get(call.of("with"))
    if preset is None:
        return _useless(call.site)
    keys = {"url": preset.url or call.of("url"), "username": call.of("username")}
    agreeing.log_in(call.reception, call.visitor, "caldav", keys, call.of("password"))
    return None


def _write(call: Call) -> Response | None:
    choice = call.of("choice")
    number = int(choice) if choice.isascii() and choice.isdigit() and len(choice) < 4 else None
    going_live.go_live(call.reception, call.visitor, number)
    return None


def _back(call: Call) -> Response | None:
    agreeing.give_up(call.reception, call.visitor)
    return None


def _seen(call: Call) -> Response | None:
    seen = call.of("do") == "seen"
    attempt = agreeing.attempt_of(call.reception, call.visitor)
    if attempt is None or attempt.stage is not Stage.CONNECTED:
        return _useless(call.site)
    going_live.has_seen(call.reception, call.visitor, attempt.calendar, seen=seen)
    if not seen:
        return _pages(call.site, call.link, call.visitor).not_seen(attempt.connector)
    text = "Your sessions are in your calendar from now on. You can close this page."
    return _told(call.site, 200, "All done", text)


def _disconnect(call: Call) -> Response | None:
    if not going_live.disconnect(call.reception, call.visitor, call.of("calendar")):
        return _useless(call.site)
    text = "We are taking our events out of that calendar and forget its login. Your bookings stand."
    return _told(call.site, 200, "Disconnected", text)


_STEPS: Final[Mapping[str, Callable[[Call], Response | None]]] = {
    "ask": _ask,
    "log-in": _log_in,
    "write": _write,
    "back": _back,
    "seen": _seen,
    "not-seen": _seen,
    "disconnect": _disconnect,
}


def _page(site: Site, link: ActionLink, visitor: Visitor, wish: str) -> Response:
    reception = _reception(site)
    pages = _pages(site, link, visitor)
    if wish == "disconnect":
        return pages.disconnect()
    attempt = agreeing.attempt_of(reception, visitor)
    if attempt is not None and attempt.stage is Stage.CONNECTED:
        standing = going_live.standing(reception, visitor, attempt.calendar)
        return _useless(site) if standing is None else pages.connected(standing)
    if attempt is not None and attempt.stage is Stage.AGREED and not wish:
        return pages.plan(attempt)
    if wish or visitor.calendar is not None:
        return pages.service(wish) or pages.choose()
    return pages.choose()


def _sorry(site: Site, link: ActionLink, visitor: Visitor, sentence: str, wish: str = "") -> Response:
    pages = _pages(site, link, visitor, sentence)
    return pages.service(wish) or pages.choose()


def _pages(site: Site, link: ActionLink, visitor: Visitor, sentence: str = "") -> ConnectPages:
    return ConnectPages(_reception(site), visitor, make_field(site, link), site.settings.mail.support, sentence)


def _sentence(problem: CalsyncError) -> str:
    if isinstance(problem, Refused):
        return f"{problem.problems[0].what}."
    return "That did not work just now. Please try again later, or ask us."


def _find(site: Site, token: str) -> tuple[ActionLink, Visitor] | None:
    """The link and whose it is; None for one that is used, too old, revoked, altered, or for something else."""
    if not token or len(token) > _MAX_TEXT:
        return None
    wanted = action_links.hash_of(token)
    with site.database.reading() as conn:
        link = action_links.get(conn, wanted)
        if link is None or not hmac.compare_digest(link.hash.encode(), wanted.encode()):
            return None
        if link.kind not in (CONNECT, RECONNECT) or not link.is_usable(site.clock.now()):
            return None
        provider = providers.get(conn, link.recipient.removeprefix("provider:"))
        named = link.payload.get("calendar")
        row = calendars.get(conn, str(named)) if named is not None else None
    if provider is None or (named is not None and (row is None or row.removed_at is not None)):
        return None
    return link, Visitor(link.hash, provider, None if row is None else row.id)


def _reception(site: Site) -> Reception:
    return Reception(site.database, site.settings, site.registry, site.clock, site.ids, site.keys)


def _cookie_name(site: Site) -> str:
    # The prefix has browsers refuse one that another host or an unencrypted page tried to set.
    return f"__Host-{COOKIE}" if _is_https(site) else COOKIE


def _is_https(site: Site) -> bool:
    return (site.settings.web.public_url or "").startswith("https://")


def _useless(site: Site) -> Response:
    site.tallies.actions[CONNECT, "useless"] += 1
    heading = "This link cannot be used any more"
    text = "It may have been used already, be too old, or be incomplete. Nothing was changed."
    return _told(site, 410, heading, text)


def _told(site: Site, status: int, heading: str, text: str) -> Response:
    return page("told", status, heading=heading, text=text, support=site.settings.mail.support)
