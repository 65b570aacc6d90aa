"""Pages behind links in mails: server-rendered, without scripts, every value escaped."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any, Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from calsync.reports import charts
from calsync.support.words import moment_text

router = APIRouter(include_in_schema=False)

_ENVIRONMENT: Final = Environment(
    loader=PackageLoader("calsync.web"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)

_ENVIRONMENT.filters["moment"] = moment_text


def page(name: str, status: int = 200, **facts: Any) -> HTMLResponse:
    """One page, by its template's name without suffix."""
    return HTMLResponse(_ENVIRONMENT.get_template(f"{name}.html.j2").render(facts), status_code=status)


@router.get("/static/calsync.css")
def stylesheet() -> Response:
    """The one stylesheet."""
    return Response(_stylesheet(), media_type="text/css", headers={"Cache-Control": "public, max-age=3600"})


@cache
def _stylesheet() -> str:
    return files("calsync.web").joinpath("static", "calsync.css").read_text(encoding="utf-8") + charts.stylesheet()
