"""Who is at the support pages, and whether they may do what they ask: cookie, role, the page's own field.

The cookie holds a random token; the books keep its hash. The field in every form is derived from that token, so no
other site can know it.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import Depends, FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from calsync.answers.words import Desk
from calsync.claims.gate import Gate
from calsync.support.accounts import Agent, find_agent
from calsync.support.roles import Action, Field, may_do, may_see
from calsync.web.pages import page
from calsync.web.site import Site, site_of

HOME: Final = "/support"
LOGIN: Final = "/support/login"
_MAX_COOKIE: Final = 100
_MAX_FIELDS: Final = 600


class PageProblem(Exception):
    """A page that cannot be shown, or an action that was not carried out, said in plain words."""

    def __init__(self, status: int, heading: str, text: str) -> None:
        super().__init__(heading)
        self.status, self.heading, self.text = status, heading, text


class LoginNeeded(Exception):
    """Nobody is logged in. `back` is where to go on afterwards."""

    def __init__(self, back: str) -> None:
        super().__init__("login needed")
        self.back = back


@dataclass(frozen=True, slots=True)
class Form:
    """What a post brought."""

    values: dict[str, list[str]]

    def one(self, name: str) -> str:
        """The field's value without blanks around it; an empty text if it was not there."""
        found = self.values.get(name)
        return found[-1].strip() if found else ""

    def all(self, name: str) -> list[str]:
        """All values of the field."""
        return self.values.get(name, [])


@dataclass(frozen=True, slots=True)
class Here:
    """One request of somebody who is logged in."""

    request: Request
    agent: Agent
    mark: str

    @property
    def site(self) -> Site:
        """The installation."""
        return site_of(self.request)

    @property
    def desk(self) -> Desk:
        """Where decisions are carried out."""
        return desk_of(self.site)

    @property
    def gate(self) -> Gate:
        """The claims gate, to look at."""
        site = self.site
        return Gate(site.database, site.settings, site.clock, site.ids)

    def sees(self, what: str) -> bool:
        """Whether the agent's role covers a field, by its name."""
        return may_see(self.agent.role, Field(what))

    def does(self, what: str) -> bool:
        """Whether the agent's role covers an action, by its name."""
        return may_do(self.agent.role, Action(what))

    def show(self, name: str, status: int = 200, **facts: Any) -> HTMLResponse:
        """One of the pages, in the frame that all of them share."""
        told = TOLD.get(self.request.query_params.get("told", ""), "")
        shared = {"agent": self.agent, "mark": self.mark, "sees": self.sees, "does": self.does, "told": told}
        return page(f"support/{name}", status, now=self.site.clock.now(), **shared, **facts)


TOLD: Final = {
    "assigned": "It is yours now.",
    "released": "It is free for anybody again.",
    "resting": "It rests until then.",
    "awake": "It is back in the queue.",
    "asked": "The provider will get a mail within minutes.",
    "settled": "That is settled.",
    "noted": "Your note is kept.",
    "pass": "The calendar is read next.",
    "paused": "The calendar is paused: nothing is read or written there.",
    "resumed": "The calendar is worked on again.",
    "restored": "The events will be written again with the next pass.",
    "edits": "The changes will be recorded with the next pass, as people's edits.",
    "proposed": "A colleague has to agree now; until then nothing is cancelled.",
    "taken-back": "That proposal is off.",
    "called-off": "The sessions are cancelled, and their clients are told. What a rule protects was left: see the log.",
    "disconnected": "The calendar is off the books.",
    "stopped": "All writes are stopped.",
    "stage": "That stage is released.",
}
"""What a page says after an action, by the word in its address: no text from an address is ever shown."""


def desk_of(site: Site) -> Desk:
    """Where decisions are carried out."""
    return Desk(site.database, site.settings, site.clock, site.ids)


def install(app: FastAPI) -> None:
    """Have the problems of these pages answered as pages."""
    app.add_exception_handler(PageProblem, _told)
    app.add_exception_handler(LoginNeeded, _to_login)


async def _told(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, PageProblem)
    support = site_of(request).settings.mail.support
    return page("support/told", problem.status, heading=problem.heading, text=problem.text, support=support)


async def _to_login(_request: Request, problem: Exception) -> Response:
    assert isinstance(problem, LoginNeeded)
    return RedirectResponse(f"{LOGIN}?back={quote(problem.back, safe='')}", status_code=303)


# --- the cookie and the field --------------------------------------------------------------------------------------


def is_https(site: Site) -> bool:
    """Whether people reach these pages encrypted."""
    return (site.settings.web.public_url or "").startswith("https://")


def cookie_name(site: Site) -> str:
    """The cookie's name: with TLS one that browsers tie to this very host."""
    return "__Host-calsync" if is_https(site) else "calsync"


def field_mark(token: str) -> str:
    """What every form of this session's pages holds, and no other site can know."""
    return sha256(f"form:{token}".encode("utf-8", "surrogatepass")).hexdigest()


def is_mark(given: str, token: str) -> bool:
    """Whether a form brought it."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), field_mark(token).encode())


def is_from_elsewhere(request: Request) -> bool:
    """Whether the browser says that another site sent this."""
    return request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")


def token_of(request: Request) -> str:
    """What the browser keeps; an empty text if nothing."""
    return request.cookies.get(cookie_name(site_of(request)), "")[:_MAX_COOKIE]


# --- dependencies --------------------------------------------------------------------------------------------------


def logged_in(request: Request) -> Here:
    """Whoever is logged in; otherwise the way to the login."""
    token = token_of(request)
    agent = find_agent(desk_of(site_of(request)), token) if token else None
    if agent is None:
        back = request.url.path if request.method in ("GET", "HEAD") else HOME
        raise LoginNeeded(back)
    return Here(request, agent, field_mark(token))


async def read_form(request: Request) -> Form:
    """The posted fields; files are nobody's business here."""
    form = await request.form(max_files=0, max_fields=_MAX_FIELDS)
    values: dict[str, list[str]] = {}
    for name, value in form.multi_items():
        if isinstance(value, str):
            values.setdefault(name, []).append(value)
    return Form(values)


LoggedIn = Annotated[Here, Depends(logged_in)]
"""Somebody who is logged in and looks."""
Posted = Annotated[Form, Depends(read_form)]
"""What they posted."""


def acting(action: Action) -> Callable[..., Here]:
    """A dependency that lets in who may do this, with a form of their own pages."""

    def here(request: Request, at: LoggedIn, form: Posted) -> Here:
        if is_from_elsewhere(request) or not is_mark(form.one("mark"), token_of(request)):
            text = "It was open for too long, or did not come from these pages. Nothing was changed."
            raise PageProblem(403, "Please open the page again", text)
        if not may_do(at.agent.role, action):
            raise PageProblem(403, "This is not yours to do", "Your role does not cover it. Nothing was changed.")
        return at

    return here


def seeing(action: Action) -> Callable[..., Here]:
    """A dependency that lets in who may do this, to look."""

    def here(at: LoggedIn) -> Here:
        if not may_do(at.agent.role, action):
            raise PageProblem(403, "This is not yours to see", "Your role does not cover it.")
        return at

    return here


def back_to(path: str, told: str) -> RedirectResponse:
    """To another page, with a word of `TOLD` on it, so that a reload repeats nothing."""
    assert told in TOLD
    return RedirectResponse(f"{path}{'&' if '?' in path else '?'}told={told}", status_code=303)


def safe_path(path: str) -> str:
    """The path if it is one of these pages, otherwise the first page: no address leads elsewhere."""
    allowed = path.startswith(f"{HOME}/") or path == HOME
    odd = "//" in path or "\\" in path or any(ord(sign) < 33 for sign in path)
    return path if allowed and not odd and not path.startswith(LOGIN) else HOME
