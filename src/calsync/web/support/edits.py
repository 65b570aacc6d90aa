"""One edit: what it did, what waits because of it, and every word that settles it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from calsync.answers import review
from calsync.answers.words import NEEDS_NOTE, Answer, Word
from calsync.domain.span import instant
from calsync.domain.time_text import read_time
from calsync.errors import NotFoundError, Problem, Refused
from calsync.support.queue import QueueRow, load_edit
from calsync.support.roles import Action
from calsync.web.support.door import Here, LoggedIn, Posted, acting, back_to

router = APIRouter()

WORDS: Final = {
    Answer.STANDS: ("As booked", "The booking is right: the session was, or will be, when it is booked."),
    Answer.TOOK_PLACE: ("It took place at another time", "The record is corrected, or its owner is asked to."),
    Answer.DID_NOT_TAKE_PLACE: ("It did not take place", "The record says so from now on; nothing is billed."),
    Answer.RESCHEDULE: ("Move it properly", "To the time that the calendar shows, or the one below; by the rules."),
    Answer.RESTORE: ("Put the calendar back", "The booked event is written there again."),
    Answer.DISMISS: ("Means nothing for the session", "The change has no meaning for when the session is."),
}
_RESTS: Final = {
    "1h": timedelta(hours=1),
    "4h": timedelta(hours=4),
    "1d": timedelta(days=1),
    "3d": timedelta(days=3),
    "7d": timedelta(days=7),
}
_WAITS: Final = timedelta(days=2)


@router.get("/support/edits/{edit}")
def show(at: LoggedIn, edit: str) -> Response:
    """The edit and the forms that settle it."""
    row = _find(at, edit)
    return at.show(
        "edit",
        row=row,
        words=WORDS,
        needs_note=NEEDS_NOTE,
        waiting=any(one.waits for one in row.sessions),
        past=any(one.is_past for one in row.sessions),
        coming=any(not one.is_past for one in row.sessions),
    )


@router.post("/support/edits/{edit}/settle")
def settle(at: Annotated[Here, Depends(acting(Action.SETTLE))], form: Posted, edit: str) -> Response:
    """Say what is right."""
    chosen = form.one("answer")
    if chosen not in set(Answer):
        raise Refused([Problem("nothing was chosen", f"edit {edit}", "Choose what is right")], code="incomplete")
    word = Word(
        answer=Answer(chosen),
        by=at.agent.actor,
        note=form.one("note") or None,
        start=form.one("start") or None,
        end=form.one("end") or None,
    )
    review.settle(at.desk, edit, word, drift=form.one("drift") or None, seen=form.one("seen"))
    return back_to(f"/support/edits/{edit}", "settled")


@router.post("/support/edits/{edit}/triage")
def triage(at: Annotated[Here, Depends(acting(Action.TRIAGE))], form: Posted, edit: str) -> Response:
    """Take it, give it back, put it aside, wake it, or let it wait for somebody."""
    what, by, here = form.one("what"), at.agent.actor, f"/support/edits/{edit}"
    if what in ("take", "leave"):
        to = at.agent.name if what == "take" else None
        review.assign(at.desk, edit, to, by=by, seen=form.one("whose") or None)
        return back_to(here, "assigned" if to else "released")
    if what == "wake":
        review.snooze(at.desk, edit, None, by=by)
        return back_to(here, "awake")
    if what == "provider":
        review.wait_for(at.desk, edit, "provider", at.site.clock.now() + _WAITS, by=by)
        return back_to(here, "resting")
    review.snooze(at.desk, edit, _until(at, edit, form), by=by)
    return back_to(here, "resting")


@router.post("/support/edits/{edit}/ask")
def ask(at: Annotated[Here, Depends(acting(Action.ASK))], edit: str) -> Response:
    """Have the provider's mail written once more; meanwhile the edit waits for them."""
    review.ask_again(at.desk, edit, by=at.agent.actor)
    review.wait_for(at.desk, edit, "provider", at.site.clock.now() + _WAITS, by=at.agent.actor)
    return back_to(f"/support/edits/{edit}", "asked")


def _until(at: Here, edit: str, form: Posted) -> datetime:
    now = at.site.clock.now()
    if (length := _RESTS.get(form.one("for"))) is not None:
        return now + length
    row = _find(at, edit)
    try:
        wall = read_time(form.one("until"), row.zone)
    except ValueError as problem:
        raise Refused([Problem(str(problem), "until", "Choose a length, or write 2026-11-24T09:00")]) from problem
    return wall if wall.tzinfo is not None else instant(wall, row.zone)


def _find(at: Here, edit: str) -> QueueRow:
    row = load_edit(at.gate, edit)
    if row is None:
        raise NotFoundError("edit", edit[:128])
    return row
