"""Logging in and out."""

from __future__ import annotations

import base64

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from calsync.support.accounts import TooManyTries, log_in, log_out
from calsync.web.pages import page
from calsync.web.site import Site, site_of
from calsync.web.support.door import (
    HOME,
    LOGIN,
    LoggedIn,
    PageProblem,
    Posted,
    cookie_name,
    desk_of,
    field_mark,
    is_from_elsewhere,
    is_https,
    is_mark,
    safe_path,
    token_of,
)

router = APIRouter()


@router.get("/support/login")
def show(request: Request, back: str = HOME) -> Response:
    """The form. A cookie comes with it, so that nobody is logged in by another site."""
    site = site_of(request)
    token = _fresh(site)
    response = _form(token, safe_path(back))
    _keep(site, response, token)
    return response


@router.post("/support/login")
def enter(request: Request, form: Posted) -> Response:
    """Log in, and go on to where somebody wanted to go."""
    site = site_of(request)
    name, back = form.one("name"), safe_path(form.one("back"))
    token = token_of(request)
    if is_from_elsewhere(request) or not token or not is_mark(form.one("mark"), token):
        raise PageProblem(403, "Please open the page again", "It was open for too long. Nobody was logged in.")
    try:
        opened = log_in(desk_of(site), name, form.one("password"))
    except TooManyTries:
        site.tallies.actions["login", "too-many"] += 1
        raise PageProblem(429, "Too many tries", "Wait a quarter of an hour, then try again.") from None
    if opened is None:
        site.tallies.actions["login", "wrong"] += 1
        return _form(token, back, "That name or password is not right.", 422)
    site.tallies.actions["login", "fine"] += 1
    response = RedirectResponse(back, status_code=303)
    _keep(site, response, opened)
    return response


@router.post("/support/logout")
def leave(request: Request, at: LoggedIn, form: Posted) -> Response:
    """Log out."""
    token = token_of(request)
    if is_from_elsewhere(request) or not is_mark(form.one("mark"), token):
        raise PageProblem(403, "Please open the page again", "You are still logged in.")
    log_out(at.desk, token)
    response = RedirectResponse(LOGIN, status_code=303)
    response.delete_cookie(cookie_name(at.site), path="/", secure=is_https(at.site), httponly=True, samesite="lax")
    return response


def _form(token: str, back: str, wrong: str = "", status: int = 200) -> Response:
    return page("support/login", status, mark=field_mark(token), back=back, wrong=wrong)


def _fresh(site: Site) -> str:
    return base64.urlsafe_b64encode(site.ids.token_bytes(32)).rstrip(b"=").decode("ascii")


def _keep(site: Site, response: Response, token: str) -> None:
    # No end of its own: the browser forgets it when it is closed, and the books end it before.
    response.set_cookie(cookie_name(site), token, path="/", secure=is_https(site), httponly=True, samesite="lax")
