"""The appointment book as mails see it: whether a drag may be done properly, and clients' addresses for booking."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import Connection

from calsync.booking.booking_links import Sealer, booking_token
from calsync.booking.bookings import check_time
from calsync.booking.command import Command, rules_for
from calsync.booking.rulebook import Rulebook
from calsync.booking.rules import (
    check_not_over,
    check_notice,
    check_open,
    check_own,
    check_upcoming_start,
    check_who,
)
from calsync.booking.slots import slots_for_move, take_time
from calsync.domain.appointment import Appointment
from calsync.domain.drift import Drift
from calsync.domain.span import Span
from calsync.errors import NotFoundError, Refused
from calsync.notices.facts import MoveOffer
from calsync.ports import Ids
from calsync.settings.model import Settings
from calsync.settings.secrets import KeyRing
from calsync.store import drifts, records


@dataclass(frozen=True, slots=True)
class BookForMails:
    """Implements `calsync.notices.book_port.Book`. Nothing here changes a record."""

    settings: Settings
    ids: Ids
    keys: Callable[[], KeyRing]

    def booking_url(self, conn: Connection, *, client: str, provider: str, now: datetime) -> str | None:
        """The client's own address for booking with the provider; None without public pages."""
        public = self.settings.web.public_url
        if public is None:
            return None
        command = Command(actor="system", now=now)
        try:
            token = booking_token(conn, command, Sealer(self.keys(), self.ids), client, provider)
        except NotFoundError:
            return None
        return f"{public.rstrip('/')}/a/{token}"

    def offer(self, conn: Connection, drift: str, now: datetime) -> MoveOffer | None:
        """Whether the provider may move a dragged session to where it was dragged, by every rule of the practice."""
        one = drifts.get(conn, drift)
        return None if one is None else offer_of(conn, self.settings, one, now)


def offer_of(conn: Connection, settings: Settings, drift: Drift, now: datetime) -> MoveOffer | None:
    """The same for a drift that is at hand; None for one that shows no other time."""
    session = records.appointment(conn, drift.appointment) if drift.appointment is not None else None
    seen = drift.observed.span if drift.observed is not None else None
    if session is None or seen is None or seen.all_day:
        return None
    if settings.records.is_elsewhere:
        return MoveOffer(may_move=False, elsewhere=settings.records.page_of(session.id) or "")
    span = Span.between(seen.start_at, seen.end_at, session.span.zone)
    command = Command(actor=f"provider:{session.provider}", now=now, rulebook=Rulebook.of_settings(settings))
    try:
        check_move(conn, command, session, span)
    except Refused as refusal:
        free = tuple(one.start for one in free_on(conn, command, session, span.start.date()))
        return MoveOffer(may_move=False, because=refusal.problems[0].what, free=free)
    return MoveOffer(may_move=True)


def check_move(conn: Connection, command: Command, session: Appointment, span: Span) -> None:
    """Raise `Refused` where a practice's rule or another session stands against a move; the reason is asked later."""
    rules = rules_for(conn, command, session.provider)
    policy = rules.policy.reschedule
    check_who(rules, policy.by, "reschedule", command.actor, session.id)
    check_own(command.actor, session.provider, session.client, session.id)
    check_open(session, "moved")
    check_not_over(policy.after_start, session, command.role, command.now)
    check_notice(rules, "reschedule", session, command.actor, command.now)
    check_time(span)
    check_upcoming_start(policy.after_start, span.start_at, command.role, command.now)
    take_time(conn, command, [replace(session, span=span)])


def free_on(conn: Connection, command: Command, session: Appointment, day: date) -> tuple[Span, ...]:
    """Free times of a day for a session, in the session's zone; none where working times are unknown."""
    try:
        found = slots_for_move(conn, command, session.id, day).slots
    except (Refused, NotFoundError):
        return ()
    return tuple(Span.between(slot.start_at, slot.end_at, session.span.zone) for slot in found)
