"""The review queue: one row for each edit, gravest first; take, put aside, settle several at once."""

from __future__ import annotations

from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from calsync.answers import review
from calsync.answers.words import Answer, Word
from calsync.domain.drift import Phase
from calsync.errors import NotFoundError, Refused
from calsync.support.queue import View, Wanted, load_queue
from calsync.support.roles import Action
from calsync.support.words import PHASES
from calsync.web.support.door import Here, LoggedIn, PageProblem, Posted, acting, back_to

router = APIRouter()

PAGE: Final = 50
VIEWS: Final = {
    View.WAITING: "To do",
    View.MINE: "Mine",
    View.FREE: "Nobody's",
    View.RESTING: "Put aside",
    View.OBSERVED: "Observed only",
    View.ALL: "All",
}
BULK: Final = {
    Answer.STANDS: "As booked: the booking is right",
    Answer.RESTORE: "Put the calendar back to the booked time",
    Answer.DISMISS: "Means nothing for the session",
}
"""What may be said of several edits at once: nothing that needs a time or a reason of its own."""


@router.get("/support/queue")
def show(at: LoggedIn, view: str = "todo", provider: str = "", phase: str = "", page: int = 1) -> Response:
    """One view of the queue, a page of it."""
    shown = View(view) if view in set(View) else View.WAITING
    of_phase = Phase(phase) if phase in set(Phase) else None
    wanted = Wanted(view=shown, me=at.agent.name, provider=provider.strip() or None, phase=of_phase)
    rows = load_queue(at.gate, wanted)
    first = (max(1, min(page, 10_000)) - 1) * PAGE
    query = {"view": shown.value, "provider": provider.strip(), "phase": of_phase.value if of_phase else ""}
    return at.show(
        "queue",
        rows=rows[first : first + PAGE],
        total=len(rows),
        first=first,
        earlier=_address(query, page - 1) if first > 0 else None,
        later=_address(query, page + 1) if first + PAGE < len(rows) else None,
        view=shown,
        views=[(one, text, _address({**query, "view": one.value}, 1)) for one, text in VIEWS.items()],
        provider=provider.strip()[:128],
        phase=query["phase"],
        phases=PHASES,
        bulk=BULK,
        here=_address(query, max(1, page)),
    )


@router.post("/support/queue")
def act(at: Annotated[Here, Depends(acting(Action.TRIAGE))], form: Posted) -> Response:
    """Take one edit, give it back, or settle those that are ticked."""
    back = _back(form.one("here"))
    if edit := form.one("take"):
        return _take(at, edit, at.agent.name, form.one(f"whose-{edit}"), back)
    if edit := form.one("leave"):
        return _take(at, edit, None, at.agent.name, back)
    return _settle_all(at, form, back)


def _take(at: Here, edit: str, to: str | None, seen: str, back: str) -> Response:
    review.assign(at.desk, edit, to, by=at.agent.actor, seen=seen or None)
    return back_to(back, "assigned" if to else "released")


def _settle_all(at: Here, form: Posted, back: str) -> Response:
    answer, ticked = form.one("answer"), form.all("edit")[:PAGE]
    if not at.does("settle"):
        raise PageProblem(403, "This is not yours to do", "Your role does not cover it. Nothing was changed.")
    if answer not in {one.value for one in BULK} or not ticked:
        raise PageProblem(422, "Nothing was changed", "Tick at least one edit and choose what is right.")
    word = Word(answer=Answer(answer), by=at.agent.actor, note=form.one("note") or None)
    refused = []
    for edit in ticked:
        try:
            review.settle(at.desk, edit, word, seen=form.one(f"seen-{edit}"))
        except (Refused, NotFoundError) as problem:
            refused.append((edit, str(problem)))
    if refused:
        return at.show("queue-left", 409, refused=refused, settled=len(ticked) - len(refused), back=back)
    return back_to(back, "settled")


def _back(given: str) -> str:
    return (
        given if given.startswith("/support/queue?") and "\n" not in given and "\r" not in given else "/support/queue"
    )


def _address(query: dict[str, str], page: int) -> str:
    kept = {name: value for name, value in query.items() if value}
    return f"/support/queue?{urlencode({**kept, 'page': page})}"
