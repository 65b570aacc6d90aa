"""What provider and client are told about sessions that were booked, moved, asked about or cancelled.

Several messages about one session become one piece of news: what stands now, against what the person was last told.
What began meanwhile, or came to nothing, is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from sqlalchemy import Connection

from calsync.domain.appointment import Appointment
from calsync.domain.span import Span
from calsync.notices import wording
from calsync.notices.answer_links import CHOOSE, MANAGE, AnswerLinks
from calsync.notices.book_port import Book
from calsync.notices.facts import NewsKind, SessionNews, ToldSession
from calsync.notices.folding import fold, net
from calsync.notices.invitation import Invitation
from calsync.notices.invitations import invite
from calsync.settings.model import Settings
from calsync.settings.practice import Practice
from calsync.store import clients, money, news_rows, providers, records
from calsync.store.columns import wall_from_text
from calsync.store.outbox import OutboxItem
from calsync.store.record_values import AppointmentFacts
from calsync.store.records import HistoryRow

_MANAGED_AT_MOST: Final = 60


@dataclass(frozen=True, slots=True)
class NewsDesk:
    """Gathers such news for one recipient. `book` has the address under which a client books."""

    settings: Settings
    links: AnswerLinks
    book: Book
    now: datetime

    def gather(self, conn: Connection, items: Sequence[OutboxItem]) -> dict[str, tuple[SessionNews, ...]]:
        """The news by the key of the message that tells it; a message without any is left out."""
        stories = fold(items)
        known = records.appointments_by_ids(conn, stories)
        facts = records.appointment_facts(conn, stories)
        groups: dict[tuple[str, NewsKind], list[Appointment]] = {}
        for number, story in stories.items():
            one = known.get(number)
            if one is not None and (kind := net(story, one, self.now)) is not None:
                groups.setdefault((story.first.key, kind), []).append(one)
        by_key = {item.key: item for item in items}
        told: dict[str, tuple[SessionNews, ...]] = {}
        for (key, kind), found in groups.items():
            news = self._news(conn, by_key[key], kind, (found, facts))
            told[key] = (*told.get(key, ()), *news)
        return told

    def _news(
        self,
        conn: Connection,
        item: OutboxItem,
        kind: NewsKind,
        about: tuple[list[Appointment], dict[str, AppointmentFacts]],
    ) -> Iterator[SessionNews]:
        found, facts = about
        found.sort(key=lambda one: (one.span.start_at, one.id))
        first = found[0]
        provider = providers.get(conn, first.provider)
        client = clients.get(conn, first.client)
        practice = self.settings.practices.get(provider.practice if provider else "", Practice())
        for_client = item.recipient.startswith("client:")
        if for_client and not practice.mail.clients:
            return
        change = _change(conn, first.id, item.created_at)
        zone = None if not for_client else (client.zone if client else None)
        fallback = provider.zone if provider is not None and not for_client else None
        sessions = [
            ToldSession(
                appointment=one.id,
                span=one.span,
                zone=zone or (one.client_zone if for_client else None) or fallback or one.span.zone,
                former=_former(conn, one, item) if kind is NewsKind.CHANGED and len(found) <= wording.LISTED else None,
                format=one.format,
            )
            for one in found
        ]
        if kind is NewsKind.CHANGED and all(told.former == told.span for told in sessions):
            return
        is_open = kind in (NewsKind.BOOKED, NewsKind.CHANGED, NewsKind.REMINDER)
        reason = next((one for one in practice.reasons if one.code == item.payload.get("reason")), None)
        wants_more = kind is NewsKind.CANCELLED and bool(item.payload.get("rebook"))
        is_charged = kind in (NewsKind.CANCELLED, NewsKind.NO_SHOW)
        # A provider's mirror calendar shows it already: their mail program would add a second event.
        is_shown = for_client or not news_rows.has_mirror(conn, first.provider)
        choose_by = facts[first.id].pending_until if first.id in facts else None
        yield SessionNews(
            kind=kind,
            for_client=for_client,
            by=(change.actor if change else "system").partition(":")[0],
            sessions=tuple(sessions),
            with_whom=provider.name if for_client and provider is not None else "",
            practice=provider.practice if provider is not None else "",
            invitations=self._invitations(conn, practice, kind, found) if is_shown else (),
            manage_url=self._manage(conn, item, found) if for_client and is_open else None,
            book_url=self._book(conn, first) if for_client and wants_more else None,
            choose_url=self._choose(conn, item, first, choose_by) if for_client and kind is NewsKind.ASKED else None,
            choose_by=choose_by,
            fee=_owed(conn, found, for_client=for_client) if is_charged else "",
            repeats=_repeats(conn, first) if item.kind.startswith("series-") else "",
            resources=tuple((one.text, one.url) for one in reason.resources) if reason and for_client else (),
        )

    def _invitations(
        self, conn: Connection, practice: Practice, kind: NewsKind, found: list[Appointment]
    ) -> tuple[Invitation, ...]:
        return invite(conn, kind, found, self.now) if practice.mail.invitations else ()

    def _manage(self, conn: Connection, item: OutboxItem, found: Iterable[Appointment]) -> str | None:
        upcoming = [one for one in found if one.span.start_at > self.now][:_MANAGED_AT_MOST]
        if not upcoming:
            return None
        payload = {"appointments": [one.id for one in upcoming]}
        until = max(one.span.start_at for one in upcoming)
        return self.links.make(conn, MANAGE, item.recipient, payload, now=self.now, expires_at=until)

    def _choose(self, conn: Connection, item: OutboxItem, one: Appointment, until: datetime | None) -> str | None:
        payload = {"request": str(item.payload.get("request")), "appointment": one.id}
        until = min(until or one.span.start_at, one.span.start_at)
        return self.links.make(conn, CHOOSE, item.recipient, payload, now=self.now, expires_at=until)

    def _book(self, conn: Connection, one: Appointment) -> str | None:
        return self.book.booking_url(conn, client=one.client, provider=one.provider, now=self.now)


def _change(conn: Connection, appointment: str, at: datetime) -> HistoryRow | None:
    """The change of the record that a message was queued with."""
    rows = records.history(conn, "appointment", appointment)
    return next((row for row in reversed(rows) if row.at <= at), None)


def _former(conn: Connection, one: Appointment, item: OutboxItem) -> Span | None:
    rows = records.history(conn, "appointment", one.id)
    before = next((row.before for row in rows if row.at >= item.created_at and row.before is not None), None)
    if before is None or "start" not in before:
        return None
    start, end = (wall_from_text(str(before[name])) for name in ("start", "end"))
    return Span(start, end, str(before["zone"]))


def _owed(conn: Connection, found: Sequence[Appointment], *, for_client: bool) -> str:
    """What the client owes for these sessions, as a sentence; empty if nothing."""
    fees = [fee for rows in money.fees_of(conn, [one.id for one in found]).values() for fee in rows]
    owed = [fee for fee in fees if fee.state == "owed"]
    if not owed:
        return ""
    total = f"{sum(Decimal(fee.amount) for fee in owed):.2f} {owed[0].currency}"
    who = "you owe" if for_client else "the client owes"
    return f"By the practice's policy {who} a fee of {total}; insurance does not pay it."


def _repeats(conn: Connection, one: Appointment) -> str:
    series = records.series(conn, one.series) if one.series is not None else None
    return wording.cadence(series.rule) if series is not None else ""
