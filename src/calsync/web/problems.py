"""Every error as one shape: `{"error": {"code", "message", "fields"}}`. Pages get the same in plain words.

No answer holds what was sent in, an exception's text, or anything from the books but ids.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from calsync.errors import CalsyncError, NotFoundError, Problem, Refused, UserError
from calsync.store.errors import NotUpgraded, StoreUnavailable
from calsync.web.guards import BodyTooDeep, BodyTooLarge
from calsync.web.pages import page
from calsync.web.site import site_of

_log = structlog.get_logger(__name__)

_FOR_PEOPLE: Final = frozenset({"/support"})

_CODES: Final = {
    400: ("bad-request", "The request cannot be read."),
    401: ("unauthorised", "A valid bearer token is needed."),
    403: ("forbidden", "This is not allowed."),
    404: ("not-found", "There is nothing here."),
    405: ("method", "This address does not answer that method."),
    410: ("gone", "This cannot be used any more."),
    413: ("too-large", "The body is larger than 1 MiB."),
    415: ("content-type", "The content type is not one that this address takes."),
    429: ("too-many", "Too many requests. Wait before the next one."),
}


class ApiProblem(Exception):
    """A refusal with its own code and words; `fields` name what is wrong in the body."""

    def __init__(self, status: int, code: str, text: str, fields: Iterable[tuple[str, str]] = ()) -> None:
        super().__init__(code)
        self.status, self.code, self.text = status, code, text
        self.fields = [{"field": name, "message": message} for name, message in fields]


def answer(
    status: int, code: str, text: str, fields: list[dict[str, str]] | None = None, **headers: str
) -> JSONResponse:
    """An error in its one shape."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return JSONResponse(
        {"error": {"code": code, "message": text, "fields": fields or []}}, status_code=status, headers=named
    )


def install(app: FastAPI) -> None:
    """Have every error of the app answered here."""
    app.add_exception_handler(ApiProblem, _as_asked(_own))
    app.add_exception_handler(HTTPException, _as_asked(_http))
    app.add_exception_handler(RequestValidationError, _as_asked(_invalid))
    app.add_exception_handler(CalsyncError, _as_asked(_calsync))
    app.add_exception_handler(BodyTooLarge, _as_asked(_too_large))
    app.add_exception_handler(BodyTooDeep, _as_asked(_too_deep))
    app.add_exception_handler(Exception, _as_asked(_unforeseen))


_Answering = Callable[[Request, Exception], Awaitable[Response]]


def _as_asked(answering: _Answering) -> _Answering:
    """The same answer as a page, for whoever looks at pages."""

    async def answered(request: Request, problem: Exception) -> Response:
        told = await answering(request, problem)
        if _room(request) not in _FOR_PEOPLE:
            return told
        text = json.loads(bytes(told.body))["error"]["message"]
        support = site_of(request).settings.mail.support
        return page("support/told", told.status_code, heading="That did not work", text=text, support=support)

    return answered


async def _own(_request: Request, problem: Exception) -> Response:
    assert isinstance(problem, ApiProblem)
    return answer(problem.status, problem.code, problem.text, problem.fields)


async def _http(_request: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)
    if isinstance(problem.__cause__, BodyTooLarge):
        return await _too_large(_request, problem)
    if isinstance(problem.__cause__, BodyTooDeep):
        return await _too_deep(_request, problem)
    return of_status(problem.status_code, problem.headers)


def of_status(status: int, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """The error of an HTTP status."""
    code, text = _CODES.get(status, ("failed", "The request failed."))
    response = answer(status, code, text)
    response.headers.update(dict(headers or {}))
    return response


async def _too_large(_request: Request, _problem: Exception) -> Response:
    return of_status(413, {"Connection": "close"})


async def _too_deep(_request: Request, _problem: Exception) -> Response:
    # What is still to come of the body is not read, so this connection can carry nothing else.
    return answer(
        400, "bad-json", "The body is nested deeper than anything that this address takes.", Connection="close"
    )


async def _invalid(_request: Request, problem: Exception) -> Response:
    assert isinstance(problem, RequestValidationError)
    found = problem.errors()
    if any(one["type"] == "json_invalid" for one in found):
        return answer(400, "bad-json", "The body is not valid JSON.")
    fields = [{"field": _place(one["loc"]), "message": _words(one)} for one in found[:100]]
    return answer(422, "invalid", "Something in the request cannot be used; nothing was changed.", fields)


def _place(where: Iterable[Any]) -> str:
    return ".".join(str(part)[:64] for part in where if part != "body") or "body"


def _words(one: Mapping[str, Any]) -> str:
    # What pydantic says may quote the value; only sentences of our own validators are known not to.
    if one["type"] == "value_error":
        return str(one["msg"]).removeprefix("Value error, ")
    return {
        "missing": "This is needed.",
        "extra_forbidden": "There is no such field.",
        "too_long": "There are too many.",
        "too_short": "There are too few.",
    }.get(one["type"], f"Not of the right kind ({one['type']}).")


async def _calsync(request: Request, problem: Exception) -> Response:
    if isinstance(problem, NotFoundError):
        return answer(404, "not-found", str(problem))
    if isinstance(problem, StoreUnavailable | NotUpgraded):
        _log.error("store_unavailable", path=_room(request))
        return answer(503, "unavailable", "The database cannot be used right now. Try again.", Retry_After="10")
    if isinstance(problem, Refused):
        return answer(409, problem.code, str(problem), _fields(problem.problems))
    if isinstance(problem, UserError):
        return answer(422, "invalid", str(problem), _fields(problem.problems))
    return await _unforeseen(request, problem)


def _fields(problems: Iterable[Problem]) -> list[dict[str, str]]:
    return [{"field": one.where, "message": one.what} for one in problems if one.where]


async def _unforeseen(request: Request, problem: Exception) -> Response:
    log_id = site_of(request).ids.new_id("error")
    _log.error("request_failed", log_id=log_id, path=_room(request), fault=type(problem).__name__)
    return answer(500, "internal", f"Something went wrong here. Quote log id {log_id}.")


def _room(request: Request) -> str:
    """The first part of the path: the rest may be a secret."""
    return "/" + request.url.path.strip("/").partition("/")[0][:20]
