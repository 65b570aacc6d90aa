"""The reconciliation report as a page, and as a file to keep."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response

from calsync.domain.time_text import read_day
from calsync.errors import NotFoundError, Problem, Refused
from calsync.reports.as_csv import report_csv
from calsync.reports.as_html import report_body, report_html
from calsync.reports.as_json import report_data
from calsync.reports.as_text import report_text
from calsync.reports.build import Report, Scope
from calsync.store.known import known_provider
from calsync.support.reporting import make_report
from calsync.web.support.door import Here, LoggedIn

router = APIRouter()

LONGEST: Final = timedelta(days=400)
_USUAL: Final = timedelta(days=28)
_KINDS: Final = {
    "html": ("text/html; charset=utf-8", report_html),
    "csv": ("text/csv; charset=utf-8", report_csv),
    "txt": ("text/plain; charset=utf-8", report_text),
    "json": ("application/json", lambda made: json.dumps(report_data(made), indent=2, ensure_ascii=False) + "\n"),
}


@router.get("/support/report")
def show(at: LoggedIn, since: str = "", until: str = "", provider: str = "") -> Response:
    """The last four weeks, or the period asked for."""
    scope = _scope(at, since, until, provider)
    last = (scope.until - timedelta(days=1)).date()
    return at.show(
        "report",
        body=report_body(_make(at, scope)),
        since=scope.since.date().isoformat(),
        until=last.isoformat(),
        provider=provider.strip()[:128],
        kinds=list(_KINDS),
    )


@router.get("/support/report.{kind}")
def save(at: LoggedIn, kind: str, since: str = "", until: str = "", provider: str = "") -> Response:
    """The same as a file."""
    if kind not in _KINDS:
        raise NotFoundError("form of the report", kind[:20])
    media, write = _KINDS[kind]
    scope = _scope(at, since, until, provider)
    name = f"calsync-{scope.since:%Y-%m-%d}-to-{scope.until - timedelta(days=1):%Y-%m-%d}.{kind}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(write(_make(at, scope)), media_type=media, headers=headers)


def _make(at: Here, scope: Scope) -> Report:
    return make_report(at.gate, scope)


def _scope(at: Here, since: str, until: str, provider: str) -> Scope:
    now = at.site.clock.now()
    first = _midnight(since, "since", (now - _USUAL).date())
    last = _midnight(until, "until", now.date()) + timedelta(days=1)
    if not timedelta() < last - first <= LONGEST:
        what = f"a report covers up to {LONGEST.days} days, from an earlier day to a later one"
        raise Refused([Problem(what, "period", "Choose other days")])
    whose = provider.strip() or None
    with at.site.database.reading() as conn:
        if whose is not None:
            known_provider(conn, whose)
    return Scope(first, last, whose, now)


def _midnight(text: str, where: str, usual: date) -> datetime:
    try:
        day = read_day(text.strip()) if text.strip() else usual
    except ValueError as problem:
        raise Refused([Problem(str(problem), where)]) from problem
    return datetime.combine(day, time(), tzinfo=UTC)
