"""Carries out what a provider answers to an edit from a mail's page, in the transaction that uses up the link."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from calsync.answers.edits import settle_drift, settle_edit
from calsync.answers.words import Answer, Desk, Word
from calsync.booking.command import rules_for
from calsync.booking.commands import Cancellation, cancel
from calsync.booking.rules import Scope
from calsync.domain.appointment import AppointmentStatus
from calsync.domain.span import instant
from calsync.domain.time_text import read_time
from calsync.errors import Refused
from calsync.notices.facts import EditedSession, EditFacts, Fate
from calsync.store import providers, records
from calsync.web.visit import MAX_TEXT, Unclear, Visit

WHY: Final = {
    "slip": "It was a slip",
    "changed-mind": "I changed my mind",
    "other": "Another reason",
}
"""Why a calendar was changed, for those who keep the booking."""

# Nothing is to be written for these: that the booking is right is all there is to say.
_SAID_ONLY: Final = frozenset({Fate.RESTORED, Fate.PAST, Fate.CANCELLED, Fate.GONE})


@dataclass(frozen=True, slots=True)
class Answering:
    """One answer, being given: who, about which edits, in which transaction."""

    conn: Connection
    visit: Visit
    facts: Sequence[EditFacts]

    @property
    def sessions(self) -> list[EditedSession]:
        """The sessions of all the edits."""
        return [session for one in self.facts for session in one.sessions]

    def keep(self) -> str:
        """The booking is right: what was put back stays, and what was not is put back now."""
        reason = self.visit.given.get("reason", "")
        if reason not in WHY:
            raise Unclear("Please choose a reason. Nothing was changed.")
        note = f"by a link in a mail: {WHY[reason].lower()}"
        for one in self.facts:
            for session in one.sessions:
                if session.fate in (Fate.RESTORING, Fate.LEFT):
                    self._settle(session, Answer.RESTORE, note)
            if any(session.fate in _SAID_ONLY for session in one.sessions):
                word = Word(answer=Answer.STANDS, by=self.visit.link.recipient, note=note)
                settle_edit(self.conn, self._desk, one.edit, word)
        return "It stays as booked. Nothing else is needed from you."

    def move(self, start: str | None = None) -> str:
        """Do the drag properly, to where it was dragged or to another start, by the practice's rules."""
        reason = self._reason("reschedule")
        note = "by a link in a mail" if reason is None else f"by a link in a mail: {reason}"
        for one in self.facts:
            word = Word(
                answer=Answer.RESCHEDULE, by=self.visit.link.recipient, note=note, reason=reason or note, start=start
            )
            settle_edit(self.conn, self._desk, one.edit, word)
        return "It is moved. Your client gets a mail, and your calendar follows."

    def cancel(self) -> str:
        """Cancel the sessions properly, each by the practice's rules; the edits are settled with it."""
        given = self.visit.given
        reason = self._reason("cancel")
        if given.get("sure") != "yes":
            raise Unclear("Please tick the box to confirm. Nothing was changed.")
        command = self.visit.command(reason, given.get("note", "").strip()[:MAX_TEXT] or None)
        for session in self.sessions:
            one = records.appointment(self.conn, session.appointment) if session.appointment is not None else None
            if one is None or one.status is not AppointmentStatus.SCHEDULED:
                continue
            self._settle(session, Answer.DISMISS, "cancelled by a link in a mail")
            scope: Scope | None = None if one.series is None else "this"
            cancel(self.conn, command, one.id, self._wish(scope))
        many = len(self.sessions) > 1
        told = "They are cancelled, and each client gets" if many else "It is cancelled. Your client gets"
        return f"{told} a mail; your calendar follows."

    def stands(self) -> str:
        """A session behind us took place as booked."""
        self._be_sure()
        for one in self.facts:
            word = Word(answer=Answer.STANDS, by=self.visit.link.recipient, note="by a link in a mail")
            settle_edit(self.conn, self._desk, one.edit, word)
        return "It is noted that it took place as booked."

    def took_place(self, start: str, end: str | None) -> str:
        """It took place at another time."""
        self._be_sure()
        self._only(Answer.TOOK_PLACE, "by a link in a mail", start, end)
        return "It is noted when it took place."

    def none(self) -> str:
        """It did not take place."""
        self._be_sure()
        for session in self.sessions:
            self._settle(session, Answer.DID_NOT_TAKE_PLACE, "by a link in a mail")
        return "It is noted that it did not take place, and it is not billed."

    def wall_times(self) -> tuple[str, str | None]:
        """The start that was typed, and the end if one was, as texts; `Unclear` without a usable start."""
        day, clock, end = (self.visit.given.get(name, "").strip() for name in ("day", "time", "end"))
        known = providers.get(self.conn, self.visit.person)
        return read_times(day, clock, end, known.zone if known is not None else "UTC")

    def _be_sure(self) -> None:
        if self.visit.given.get("sure") != "yes":
            raise Unclear("Please tick the box to confirm. Nothing was changed.")

    def _only(self, answer: Answer, note: str, start: str, end: str | None) -> None:
        if len(self.sessions) != 1:
            raise Unclear("Please answer these sessions one by one. Nothing was changed.")
        word = Word(answer=answer, by=self.visit.link.recipient, note=note, start=start, end=end)
        settle_drift(self.conn, self._desk, self.sessions[0].drift, word)

    def _settle(self, session: EditedSession, answer: Answer, note: str) -> None:
        word = Word(answer=answer, by=self.visit.link.recipient, note=note)
        settle_drift(self.conn, self._desk, session.drift, word)

    def _reason(self, act: str) -> str | None:
        rules = rules_for(self.conn, self.visit.command(), self.visit.person)
        need = rules.reason_need("cancel" if act == "cancel" else "reschedule", "provider")
        reason = self.visit.given.get("reason", "").strip()[:MAX_TEXT]
        if need != "none" and not reason:
            raise Unclear("Please say why. Nothing was changed.")
        if need == "none" and self.visit.given.get("sure") != "yes":
            raise Unclear("Please tick the box to confirm. Nothing was changed.")
        return reason or None

    def _wish(self, scope: Scope | None) -> Cancellation:
        given = self.visit.given
        answers = {name.removeprefix("answer."): text for name, text in given.items() if name.startswith("answer.")}
        return Cancellation(
            scope=scope,
            refund={"yes": True, "no": False}.get(given.get("refund", "")),
            client_aware=given.get("aware") == "yes",
            block=given.get("block") == "yes",
            answers={name: text[:MAX_TEXT] for name, text in answers.items() if text.strip()},
        )

    @property
    def _desk(self) -> Desk:
        site = self.visit.site
        return Desk(site.database, site.settings, site.clock, site.ids)


def read_times(day: str, clock: str, end: str, zone: str) -> tuple[str, str | None]:
    """What was typed as day and times of a zone, as instants in ISO form; `Unclear` without a usable start."""
    try:
        start = instant(read_time(f"{day}T{clock}", zone), zone)
        until = instant(read_time(f"{day}T{end}", zone), zone) if end else None
    except ValueError:
        raise Unclear("Please give a day and a time. Nothing was changed.") from None
    if until is not None and until <= start:
        raise Unclear("The end is not after the start. Nothing was changed.")
    return start.isoformat(), None if until is None else until.isoformat()


def is_settled(refusal: Refused) -> bool:
    """Whether somebody else was faster, so that the mail's question is none any more."""
    return refusal.code == "already-settled"
