"""`/api/v1/claims`: what was sent, what may be sent, and what must be taken back."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from sqlalchemy import Connection

from calsync.claims.filing import FiledLine, close_recall, file_claims
from calsync.claims.gate import Gate
from calsync.claims.reasons import Verdict
from calsync.records.json_rows import recall_row
from calsync.store import recalls, records
from calsync.store.filings import Filing
from calsync.store.joined import JoinedDatabase
from calsync.store.tokens import Role
from calsync.web import paging, shapes
from calsync.web.access import BillingCaller, Caller, require
from calsync.web.bodies import Filed, Id, RecallClosed
from calsync.web.calls import BillingCall, Call, SiteHere
from calsync.web.strict import StrictRoute

router = APIRouter(prefix="/claims", tags=["claims"], route_class=StrictRoute, responses=shapes.ERRORS)

RecallsCaller = Annotated[Caller, Depends(require(Role.PLATFORM, Role.BILLING))]
"""What was sent, and with which code and date, is for those who bill."""


@router.get("/ready", response_model=shapes.Page[dict[str, Any]])
def list_ready(site: SiteHere, _caller: BillingCaller, asked: Annotated[paging.PageWanted, Query()]) -> dict[str, Any]:
    """Sessions whose claims could be sent now and were not yet, by id; a page may hold fewer than `limit`.

    Looking issues nothing: ask `POST /claims/check` right before sending, so that a later doubt is told to you.
    """
    now = site.clock.now()
    with site.database.reading() as conn:
        ids = records.completed_unfiled(conn, now - site.settings.sync.window_past, now)
    some, after = paging.page_of(ids, paging.by_id, asked.cursor, asked.limit)
    gate = Gate(site.database, site.settings, site.clock, site.ids)
    answers = [one.answer for one in gate.look(some)] if some else []
    return paging.answer([one.to_json() for one in answers if one.verdict is Verdict.CLEARED], after)


@router.get("/recalls", response_model=shapes.Page[shapes.RecallShape])
def list_recalls(
    site: SiteHere, _caller: RecallsCaller, asked: Annotated[paging.SomeRecalls, Query()]
) -> dict[str, Any]:
    """Recalls by when they were found: claims that were cleared or filed and turned out otherwise."""
    with site.database.reading() as conn:
        known = recalls.rows(conn, still_open=asked.open)
    found, after = paging.page_of(known, lambda one: (one.detected_at, one.id), asked.cursor, asked.limit)
    return paging.answer([recall_row(one) for one in found], after)


@router.post("/recalls/{recall}/close", response_model=shapes.RecallShape)
def end_recall(call: BillingCall, recall: Id, body: RecallClosed) -> Response:
    """Close a recall by a person's word."""
    by = call.actor(body.by)

    def act(conn: Connection) -> dict[str, Any]:
        return recall_row(close_recall(_gate(call, conn), recall, body.reason, by=by, note=body.note))

    return call.once(act)


@router.post("/{appointment}/filed", response_model=shapes.Page[shapes.FiledShape])
def take_down_filed(call: BillingCall, appointment: Id, body: Filed) -> Response:
    """Take down that a claim was sent. The same line told twice is taken down once; `items` is then empty."""
    by = call.actor(body.by)
    line = FiledLine(
        appointment=appointment,
        date=date.fromisoformat(body.date) if body.date else None,
        frequency=body.frequency,
        claim=body.claim,
        line=body.line,
        batch=body.batch,
        control=body.control,
    )

    def act(conn: Connection) -> dict[str, Any]:
        made = file_claims(_gate(call, conn), [line], by=by, note=body.note)
        return paging.answer([_filing(one) for one in made], None)

    return call.once(act)


def _gate(call: Call, conn: Connection) -> Gate:
    """The gate inside the command's own transaction."""
    site = call.site
    return Gate(JoinedDatabase(site.database, conn), site.settings, site.clock, site.ids)


def _filing(one: Filing) -> dict[str, Any]:
    return {
        "id": one.id,
        "appointment": one.appointment,
        "date": one.date.isoformat(),
        "frequency": one.frequency,
        "batch": one.batch,
        "against_gate": one.against_gate,
        "state": one.state,
    }
