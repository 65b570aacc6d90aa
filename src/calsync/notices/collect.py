"""Everything that one mail tells, by the message that caused it: each room of the books gives its own facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from sqlalchemy import Connection

from calsync.domain.drift import DriftKind
from calsync.domain.span import wall_time
from calsync.notices import day_sheet
from calsync.notices.answer_links import ANSWER_EDIT, RECONNECT, AnswerLinks
from calsync.notices.book_port import Book
from calsync.notices.facts import CalendarFacts, EditFacts, Fact, Fate
from calsync.notices.folding import SESSION_KINDS
from calsync.notices.gather import CALENDAR_KINDS, EDIT_KINDS, Gatherer
from calsync.notices.office_news import OFFICE_KINDS
from calsync.notices.session_news import NewsDesk
from calsync.settings.model import Settings
from calsync.store.outbox import OutboxItem

KINDS: Final = (
    EDIT_KINDS | CALENDAR_KINDS | OFFICE_KINDS | {*SESSION_KINDS, day_sheet.KIND} | {"mails-held", "fleet-stopped"}
)
"""The messages that become mails here; others on the books are somebody else's."""

Facts = Mapping[str, tuple[Fact, ...]]


@dataclass(frozen=True, slots=True)
class Collector:
    """Collects for one recipient, as of `now`; addresses in mails are made in the caller's transaction."""

    settings: Settings
    links: AnswerLinks
    book: Book
    now: datetime
    zone: str

    def collect(self, conn: Connection, members: Sequence[OutboxItem]) -> dict[str, tuple[Fact, ...]]:
        """The facts by message; a message without any has nothing to tell any more."""
        about_sessions = [one for one in members if one.kind in SESSION_KINDS]
        desk = NewsDesk(self.settings, self.links, self.book, self.now)
        found: dict[str, tuple[Fact, ...]] = dict(desk.gather(conn, about_sessions))
        for item in members:
            if item.kind in SESSION_KINDS:
                continue
            fact = self._fact(conn, item)
            if fact is not None:
                found[item.key] = (fact,)
        # In the order of the messages, and each edit once, however many messages are about it.
        ordered = {item.key: found[item.key] for item in members if found.get(item.key)}
        return self._with_addresses(conn, _each_edit_once(ordered), members[0].recipient if members else "")

    def _fact(self, conn: Connection, item: OutboxItem) -> Fact | None:
        if item.kind == day_sheet.KIND:
            return day_sheet.tell_sheet(conn, self.settings, self.links, item, self.now)
        fact = Gatherer(self.settings, lambda _edit: None).fact(conn, item)
        if isinstance(fact, CalendarFacts) and item.recipient.startswith("provider:"):
            payload = {"calendar": fact.calendar}
            url = self.links.make(conn, RECONNECT, item.recipient, payload, now=self.now)
            return replace(fact, url=url, is_last=item.key.endswith(LAST_REMINDER))
        return fact

    def _with_addresses(
        self, conn: Connection, found: dict[str, tuple[Fact, ...]], recipient: str
    ) -> dict[str, tuple[Fact, ...]]:
        cleared = _cleared_day(found, self.zone)
        if cleared:
            whole = self._one_question(found, cleared)
            found = {key: facts for key, facts in found.items() if key not in cleared[1:]} | {cleared[0]: (whole,)}
        return {
            key: tuple(self._asking(conn, one, recipient) if isinstance(one, EditFacts) else one for one in facts)
            for key, facts in found.items()
        }

    def _one_question(self, found: dict[str, tuple[Fact, ...]], keys: list[str]) -> EditFacts:
        edits = [one for key in keys for one in found[key] if isinstance(one, EditFacts)]
        sessions = tuple(session for one in edits for session in one.sessions)
        return replace(edits[0], sessions=sessions, edits=tuple(one.edit for one in edits), is_cleared_day=True)

    def _asking(self, conn: Connection, fact: EditFacts, recipient: str) -> EditFacts:
        payload = {"edits": list(fact.edits)} if fact.edits else {"edit": fact.edit}
        url = self.links.make(conn, ANSWER_EDIT, recipient, payload, now=self.now)
        only = fact.sessions[0] if len(fact.sessions) == 1 else None
        offer = self.book.offer(conn, only.drift, self.now) if only is not None and only.fate is not Fate.PAST else None
        return replace(fact, answer_url=url, offer=offer)


LAST_REMINDER: Final = "/again-2"
"""How the key of the last reminder of a lost calendar ends."""


def _each_edit_once(found: dict[str, tuple[Fact, ...]]) -> dict[str, tuple[Fact, ...]]:
    seen: set[str] = set()
    kept = {}
    for key, facts in found.items():
        edits = {one.edit for one in facts if isinstance(one, EditFacts)}
        if not edits & seen:
            kept[key] = facts
        seen |= edits
    return kept


def _cleared_day(found: dict[str, tuple[Fact, ...]], zone: str) -> list[str]:
    """The messages about sessions of one day that were all deleted: two or more are one question about the day."""
    days: dict[date, list[str]] = {}
    for key, facts in found.items():
        fact = facts[0]
        if not isinstance(fact, EditFacts) or fact.reminds:
            continue
        gone = [one for one in fact.sessions if one.kind is DriftKind.DELETED and one.fate is not Fate.PAST]
        if len(gone) == len(fact.sessions) == 1 and gone[0].expected is not None:
            days.setdefault(wall_time(gone[0].expected.start_at, zone).date(), []).append(key)
    return max((keys for keys in days.values() if len(keys) > 1), key=len, default=[])
