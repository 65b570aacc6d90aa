"""One appointment: what is booked, what was seen, everything that happened, and words to paste into a ticket."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from calsync.answers import review
from calsync.booking.story import tell_story
from calsync.claims.proof import write_proof
from calsync.store import clients, providers
from calsync.store.known import known_appointment
from calsync.support.matters import load_matter
from calsync.support.minimum import matter_told
from calsync.support.picture import draw
from calsync.support.roles import Action
from calsync.support.tickets import Voice, candidate_dates, ticket_text
from calsync.support.timeline import load_sights, load_timeline
from calsync.web.support.door import Here, LoggedIn, PageProblem, Posted, acting, back_to

router = APIRouter()


@router.get("/support/appointments/{appointment}")
def show(at: LoggedIn, appointment: str) -> Response:
    """The whole story, as far as the role covers it."""
    now = at.site.clock.now()
    with at.site.database.reading() as conn:
        one = known_appointment(conn, appointment)
        entries = [entry for entry in load_timeline(conn, one) if at.sees(entry.field)]
        sights, story = load_sights(conn, one), tell_story(conn, one.id, now)
        provider, client = providers.get(conn, one.provider), clients.get(conn, one.client)
    matter = matter_told(at.agent.role, load_matter(at.gate, one))
    return at.show(
        "appointment",
        one=one,
        provider=provider,
        client=client,
        entries=entries,
        picture=draw(sights, one.span.zone),
        story=[text for text in story.sentences if at.sees("filings") or text not in story.sent],
        answer=matter.answer,
        candidates=candidate_dates(matter) if at.sees("candidate-dates") else [],
        edits=sorted({drift.edit for drift in matter.drifts if drift.resolution.value in ("open", "reverted")}),
        tickets=[(voice.value, ticket_text(matter, voice)) for voice in _voices(at)],
    )


@router.get("/support/appointments/{appointment}/proof")
def proof(at: LoggedIn, appointment: str) -> Response:
    """Everything that the claim's answer rests on, as one file to keep."""
    if not at.sees("filings"):
        raise PageProblem(403, "This is not yours to see", "Your role does not cover it.")
    name = "".join(sign if sign.isalnum() else "-" for sign in appointment)[:60]
    headers = {"Content-Disposition": f'attachment; filename="proof-{name}.html"'}
    return Response(write_proof(at.gate, appointment), media_type="text/html; charset=utf-8", headers=headers)


@router.post("/support/appointments/{appointment}/note")
def note(at: Annotated[Here, Depends(acting(Action.NOTE))], form: Posted, appointment: str) -> Response:
    """Keep what was said."""
    review.add_note(at.desk, appointment, form.one("how"), form.one("text"), by=at.agent.actor)
    return back_to(f"/support/appointments/{appointment}", "noted")


def _voices(at: Here) -> list[Voice]:
    """The billing voice names the days between which billing decides: for whoever may see them."""
    return [voice for voice in Voice if voice is not Voice.BILLING or at.sees("candidate-dates")]
