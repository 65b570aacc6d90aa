"""One visit to a page behind a link in a mail: whose link it is, what was asked for, and what is handed in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, Protocol

from fastapi.responses import HTMLResponse, Response
from sqlalchemy import Connection

from calsync.booking.commands import Command, Rulebook
from calsync.domain.appointment import Appointment
from calsync.domain.drift import Drift
from calsync.errors import CalsyncError, Refused
from calsync.notices.gather import waits_for_answer
from calsync.store import action_links
from calsync.store.action_links import ActionLink
from calsync.web.pages import page
from calsync.web.site import Site

MAX_TEXT = 500


class LinkSpent(CalsyncError):
    """The link has no use left; whatever was about to be done is undone with the transaction."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A usable link, opened. `mark` is what a post must bring back as `field`; `asked` the query, `given` the form."""

    site: Site
    link: ActionLink
    token: str
    mark: str
    asked: Mapping[str, str] = field(default_factory=dict)
    given: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""  # why what was handed in before could not be done

    @property
    def now(self) -> datetime:
        """The present instant."""
        return self.site.clock.now()

    @property
    def person(self) -> str:
        """The id of whose link it is, without the kind."""
        return self.link.recipient.partition(":")[2]

    def wish(self, name: str) -> str:
        """A field of the form, else of the query, without blanks around it and of bounded length."""
        return (self.given.get(name) or self.asked.get(name) or "").strip()[:MAX_TEXT]

    def command(self, reason: str | None = None, note: str | None = None) -> Command:
        """A command by whose link it is, now, under the practices' rules."""
        rulebook = Rulebook.of_settings(self.site.settings)
        return Command(actor=self.link.recipient, now=self.now, reason=reason or None, note=note, rulebook=rulebook)

    def use(self, conn: Connection) -> None:
        """Take the link's one use, in the transaction of what it does; `LinkSpent` if somebody was faster."""
        if not action_links.use(conn, self.link.hash, self.now):
            raise LinkSpent

    @property
    def shown_state(self) -> str:
        """The `state_mark` of the page that was handed in; empty if it had none."""
        return self.given.get("field", "").partition(".")[2].partition(".")[2]

    def show(self, name: str, *, state: str = "", **facts: Any) -> HTMLResponse:
        """A page of this link, by its template's name; `state` is its `state_mark`, where its forms are about one."""
        own = {
            "field": f"{self.mark}.{state}" if state else self.mark,
            "problem": self.problem,
            "support": self.site.settings.mail.support,
        }
        return page(name, **{**own, **facts})

    def told(self, heading: str, text: str, **more: Any) -> HTMLResponse:
        """A page that says how it ended."""
        return self.show("told", heading=heading, text=text, **{"problem": "", **more})


class Room(Protocol):
    """What one kind of link shows and does."""

    def show(self, visit: Visit) -> Response | None:
        """The page; None if the link leads to nothing any more. Changes nothing."""

    def act(self, visit: Visit) -> Response | None:
        """Do it, once, and say so; None if there was nothing to do. `Refused` and `Unclear` show the page again."""


class Unclear(CalsyncError):
    """The form lacks something that a person must choose. Its text is shown above the form."""


UNSENT = "Your answer came without what the page showed. Please choose again on this page. Nothing was changed now."
STALE = "This was changed since this page was opened. Please look again. Nothing was changed now."


def state_mark(appointments: Iterable[Appointment], found: Iterable[Drift], *, has_begun: bool = False) -> str:
    """What a page shows of sessions and their edits, as a text that changes whenever it does.

    A form brings it back, so that an answer speaks only for what was shown.
    """
    told = [(one.id, one.version) for one in appointments]
    edits = [(one.id, one.changed_at.isoformat(), waits_for_answer(one)) for one in found]
    return sha256(repr((sorted(told), sorted(edits), has_begun)).encode()).hexdigest()[:32]


def sentence(refusal: Refused) -> str:
    """A refusal for the people of mails: what is wrong, and what they can do, without a word about commands."""
    told = []
    for problem in refusal.problems[:4]:
        remedy = "" if "--" in problem.remedy else problem.remedy
        told += [_sentence(problem.what), _sentence(remedy)]
    return " ".join(part for part in told if part)


def _sentence(text: str) -> str:
    text = text.strip().rstrip(".")
    return f"{text[:1].upper()}{text[1:]}." if text else ""
