"""The page on which a provider answers an edit: for now, that the booking is right.

Ahead of the session, and where the calendar still shows something else, "as booked" also has the calendar written
again; what was put back already, or lies behind, needs the word alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import structlog
from fastapi.responses import HTMLResponse

from calsync.answers.edits import resolve_drift, resolve_edit
from calsync.answers.words import Answer, Desk, Word
from calsync.errors import NotFoundError, Refused
from calsync.notices import wording
from calsync.notices.answer_links import ANSWER_EDIT
from calsync.notices.facts import EditedSession, EditFacts, Fate
from calsync.notices.gather import Gatherer
from calsync.store import providers
from calsync.store.action_links import ActionLink
from calsync.web.pages import page
from calsync.web.site import Site

_log = structlog.get_logger(__name__)

_REASONS: Final = {
    "slip": "It was a slip",
    "changed-mind": "I changed my mind",
    "other": "Another reason",
}


@dataclass(frozen=True, slots=True)
class AnswersEdits:
    """What a link of kind `answer-edit` shows and does."""

    site: Site

    @property
    def reasons(self) -> Mapping[str, str]:
        """The words of which a person must choose one, with what the page calls them."""
        return _REASONS

    def page(self, link: ActionLink, field: str) -> HTMLResponse | None:
        """The form; None if there is nothing left to answer."""
        facts = self._facts(link)
        if facts is None:
            return None
        zone = self._zone(link)
        past = all(one.fate is Fate.PAST for one in facts.sessions)
        shown = sorted(facts.sessions, key=lambda one: one.expected.start_at.timestamp() if one.expected else 0.0)
        return page(
            "answer-edit",
            heading="When did it take place?" if past else "Your calendar was changed",
            sessions=[_words(one, zone) for one in shown],
            field=field,
            reasons=list(_REASONS.items()),
            past=past,
            support=self.site.settings.mail.support,
        )

    def act(self, link: ActionLink, reason: str) -> bool:
        """Answer every question of the edit; False if nothing was left to answer."""
        facts = self._facts(link)
        if facts is None:
            return False
        desk = Desk(self.site.database, self.site.settings, self.site.clock, self.site.ids)
        note = f"by a link in a mail: {_REASONS[reason].lower()}"
        try:
            for one in facts.sessions:
                if one.fate in (Fate.RESTORING, Fate.LEFT):
                    resolve_drift(desk, one.drift, Word(answer=Answer.RESTORE, by=link.recipient, note=note))
            if any(one.fate in (Fate.RESTORED, Fate.PAST) for one in facts.sessions):
                resolve_edit(desk, facts.edit, Word(answer=Answer.STANDS, by=link.recipient, note=note))
        except (NotFoundError, Refused) as problem:
            # Somebody else was faster, or a rule speaks against it: the mail's answer is not needed any more.
            _log.info("answer_not_needed", edit=facts.edit, because=type(problem).__name__)
            return False
        return True

    def _facts(self, link: ActionLink) -> EditFacts | None:
        gatherer = Gatherer(self.site.settings, lambda _edit: None)
        with self.site.database.reading() as conn:
            return gatherer.edit(conn, str(link.payload.get("edit")))

    def _zone(self, link: ActionLink) -> str:
        with self.site.database.reading() as conn:
            known = providers.get(conn, link.recipient.removeprefix("provider:"))
        return known.zone if known is not None else "UTC"


def _words(session: EditedSession, zone: str) -> dict[str, str]:
    return {
        "booked": wording.short_span(session.expected, zone) if session.expected is not None else "A session",
        "number": session.appointment or "unknown",
        "happened": wording.what_happened(session, zone),
    }


ANSWERS: Final[Mapping[str, Callable[[Site], AnswersEdits]]] = {ANSWER_EDIT: AnswersEdits}
"""What each kind of link is for."""
