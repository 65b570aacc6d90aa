"""`/api/v1/drifts`, `edits` and `report`: what people changed in calendars, the answers to it, and how things stand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from sqlalchemy import Connection

from calsync.answers.edits import Settled, resolve_drift, resolve_edit
from calsync.answers.words import Desk, Word
from calsync.claims.gate import Gate
from calsync.errors import NotFoundError
from calsync.records.json_rows import drift_row
from calsync.reports.as_json import report_data
from calsync.reports.build import Scope
from calsync.store import drifts, pages
from calsync.store.drifts import DriftFilter
from calsync.store.joined import JoinedDatabase
from calsync.store.known import known_provider
from calsync.store.tokens import Role
from calsync.support.reporting import make_report
from calsync.web import paging, shapes
from calsync.web.access import Caller, ReadingCaller, require
from calsync.web.bodies import Id, Resolved, invalid
from calsync.web.calls import Call, SiteHere, SupportCall
from calsync.web.strict import StrictRoute

router = APIRouter(route_class=StrictRoute, responses=shapes.ERRORS)

ReportCaller = Annotated[Caller, Depends(require(Role.SUPPORT, Role.BILLING))]
"""Whoever looks after claims and edits."""


@router.get("/drifts", tags=["drifts"], response_model=shapes.Page[shapes.DriftShape])
def list_drifts(site: SiteHere, _caller: ReadingCaller, asked: Annotated[paging.SomeDrifts, Query()]) -> dict[str, Any]:
    """Drifts by when they were seen; settled ones too, unless `open`."""
    wanted = DriftFilter(
        open=asked.open,
        provider=asked.provider,
        appointment=asked.appointment,
        edit=asked.edit,
        calendar=asked.calendar,
    )
    with site.database.reading() as conn:
        found, place = pages.drifts_page(conn, wanted, paging.read_place(asked.cursor), asked.limit)
    return paging.answer([drift_row(one) for one in found], paging.place_text(place))


@router.get("/drifts/{drift}", tags=["drifts"], response_model=shapes.DriftFull)
def show_drift(site: SiteHere, _caller: ReadingCaller, drift: Id) -> dict[str, Any]:
    """One drift with everything that is known about it."""
    with site.database.reading() as conn:
        one = drifts.get(conn, drift)
        answer = drifts.answers(conn, [drift]).get(drift)
    if one is None or answer is None:
        raise NotFoundError("drift", drift)
    return drift_row(one, answer)


@router.post("/drifts/{drift}/resolve", tags=["drifts"], response_model=shapes.SettledShape)
def settle_drift(call: SupportCall, drift: Id, body: Resolved) -> Response:
    """Settle a drift by a person's word. Only `restore` writes to the calendar by itself."""
    return call.once(_settling(call, body, lambda desk, word: resolve_drift(desk, drift, word)))


@router.post("/edits/{edit}/resolve", tags=["drifts"], response_model=shapes.SettledShape)
def settle_edit(call: SupportCall, edit: Id, body: Resolved) -> Response:
    """Settle everything that one edit did and that still waits for an answer."""
    return call.once(_settling(call, body, lambda desk, word: resolve_edit(desk, edit, word)))


@router.get("/report", tags=["report"])
def report(site: SiteHere, _caller: ReportCaller, asked: Annotated[paging.SomeReport, Query()]) -> dict[str, Any]:
    """What is in step, which edits were made and what became of them, which claims wait and for whom."""
    now = site.clock.now()
    since = _midnight(asked.since) if asked.since else now - site.settings.sync.window_past
    until = _midnight(asked.until) + timedelta(days=1) if asked.until else now + site.settings.sync.window_future
    if until <= since:
        raise invalid("until", "it lies before since")
    with site.database.reading() as conn:
        if asked.provider is not None:
            known_provider(conn, asked.provider)
    gate = Gate(site.database, site.settings, site.clock, site.ids)
    return report_data(make_report(gate, Scope(since, until, asked.provider, now)))


def _settling(
    call: Call, body: Resolved, answer: Callable[[Desk, Word], Settled]
) -> Callable[[Connection], dict[str, Any]]:
    word = Word(
        answer=body.answer,
        by=call.actor(body.by),
        note=body.note,
        reason=body.reason,
        start=body.start,
        end=body.end,
    )

    def act(conn: Connection) -> dict[str, Any]:
        site = call.site
        # What the answer does, and the answer that is kept for a repeat, are one transaction.
        desk = Desk(JoinedDatabase(site.database, conn), site.settings, site.clock, site.ids)
        settled = answer(desk, word)
        return {"edit": settled.edit, "answered": list(settled.answered), "waiting": list(settled.waiting)}

    return act


def _midnight(day: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), time(), tzinfo=UTC)
