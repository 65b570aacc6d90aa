"""`/api/v1`: the interface for programs. Tokens with roles; JSON in and out; each effect once, however repeated."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from calsync.claims.gate import Gate, Question
from calsync.domain.time_text import read_day
from calsync.errors import NotFoundError
from calsync.store import records
from calsync.support.minimum import answer_told
from calsync.web import api_appointments, api_book, api_claims, api_drifts, api_people, evidence, shapes
from calsync.web.access import BillingCaller, PlatformCaller, ReadingCaller
from calsync.web.bodies import Id
from calsync.web.problems import ApiProblem
from calsync.web.site import Site, site_of
from calsync.web.strict import StrictRoute

router = APIRouter(prefix="/api/v1", route_class=StrictRoute, responses=shapes.ERRORS)
# Before the addresses below: `/claims/ready` is none of an appointment.
for _room in (api_appointments, api_book, api_people, api_claims, api_drifts):
    router.include_router(_room.router)

MAX_ROWS = 5000

Moment = Annotated[str, Field(max_length=40, examples=["2026-11-24T10:00:00-05:00"])]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class EvidenceRow(_Body):
    """One piece of a session log. A time without an offset is wall time in the session's zone."""

    id: Annotated[Id, Field(description="The log's own name of this row; the same one again changes nothing.")]
    appointment: Id
    source: Annotated[Id, Field(description="Which log; `claims.trusted_evidence` names those that may prove.")]
    start: Moment
    end: Moment
    who: Literal["both", "provider", "client"] | None = None


class EvidenceRows(_Body):
    """Rows of a session log, taken whole or not at all."""

    rows: Annotated[list[EvidenceRow], Field(min_length=1, max_length=MAX_ROWS)]


class EvidenceTaken(_Body):
    """How many rows came, and how many of them were new."""

    rows: int
    new: int


def _readable_day(text: str) -> str:
    read_day(text)
    return text


class ClaimQuestion(_Body):
    """A session, and the date that its claim is meant to carry; without one, whichever is right."""

    appointment: Id
    date: Annotated[str, AfterValidator(_readable_day), Field(examples=["2026-11-24"])] | None = None


class ClaimQuestions(_Body):
    """What somebody asks the gate. Each session once."""

    claims: Annotated[list[ClaimQuestion], Field(min_length=1, max_length=MAX_ROWS)]


@router.post("/evidence", tags=["evidence"])
def take_evidence(request: Request, caller: PlatformCaller, body: EvidenceRows) -> EvidenceTaken:
    """Take rows of a session log. Repeating a request changes nothing; a known id with other content is refused."""
    site = site_of(request)
    rows = [evidence.Row(**row.model_dump()) for row in body.rows]
    new = evidence.take(site.database, rows, actor=caller.actor, now=site.clock.now())
    return EvidenceTaken(rows=len(rows), new=new)


@router.get("/claims/{appointment}", tags=["claims"])
def claim(request: Request, caller: ReadingCaller, appointment: str) -> dict[str, Any]:
    """How one session's claim stands. Looking tells nobody: nothing is issued by it."""
    site = site_of(request)
    _require_known(site, [appointment])
    found = next(iter(_gate(site).look([appointment])), None)
    if found is None:
        raise NotFoundError("appointment", appointment[:128])
    return answer_told(caller.role, found.answer).to_json()


@router.post("/claims/check", tags=["claims"])
def check_claims(request: Request, _caller: BillingCaller, body: ClaimQuestions) -> dict[str, list[dict[str, Any]]]:
    """Ask the gate, in the order of the answers. What it clears counts as issued: a later doubt recalls it."""
    site = site_of(request)
    ids = [one.appointment for one in body.claims]
    if len(set(ids)) < len(ids):
        twice = sorted({one for one in ids if ids.count(one) > 1})[:20]
        raise ApiProblem(
            422, "invalid", "A session is named twice.", [("claims", f"{one} is named twice") for one in twice]
        )
    _require_known(site, ids)
    questions = [Question(one.appointment, date.fromisoformat(one.date) if one.date else None) for one in body.claims]
    return {"claims": [answer.to_json() for answer in _gate(site).check(questions)]}


def _gate(site: Site) -> Gate:
    return Gate(site.database, site.settings, site.clock, site.ids)


def _require_known(site: Site, ids: list[str]) -> None:
    with site.database.reading() as conn:
        known = records.appointments_by_ids(conn, ids)
    unknown = [one for one in ids if one not in known]
    if not unknown:
        return
    if len(ids) == 1:
        raise NotFoundError("appointment", unknown[0][:128])
    fields = [("claims", f"there is no appointment {one[:128]}") for one in unknown[:50]]
    raise ApiProblem(404, "not-found", "Some of these appointments are not on the books; nothing was asked.", fields)
