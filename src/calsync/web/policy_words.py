"""A practice's policy as its clients read it before they book, move or cancel: text, limit, fee, and what is so now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from sqlalchemy import Connection

from calsync.booking.command import Command
from calsync.booking.terms import Choice, PracticeTerms, Terms, practice_terms, terms_of
from calsync.domain.appointment import Appointment
from calsync.notices import wording


@dataclass(frozen=True, slots=True)
class Policy:
    """What is shown. `cannot_cancel` and `cannot_move` say why something is not offered; empty where it is."""

    text: str
    lines: tuple[str, ...]
    contact: str
    is_late: bool = False
    now: str = ""  # what cancelling this very session now would mean
    cannot_cancel: str = ""
    cannot_move: str = ""


def policy_for(conn: Connection, command: Command, one: Appointment, zone: str) -> Policy:
    """The policy as it applies to a client's session now; times are told in `zone`."""
    terms = terms_of(conn, command, one)
    told = terms.practice
    return Policy(
        text=told.text or "",
        lines=_lines(told),
        contact=told.contact,
        is_late=terms.late,
        now=_now(terms, one, zone),
        cannot_cancel=_why_not(terms.cancel, "cancelled", told.contact, zone),
        cannot_move=_why_not(terms.move, "moved", told.contact, zone),
    )


def policy_of(conn: Connection, command: Command, provider: str) -> Policy:
    """The policy as such, shown before a booking is confirmed (GT-13)."""
    terms = practice_terms(conn, command, provider)
    return Policy(terms.text or "", _lines(terms), terms.contact)


def length(of_time: timedelta) -> str:
    """`24 hours`, `3 days`, `90 minutes`: a length of time as people say it."""
    minutes = int(of_time.total_seconds()) // 60
    if minutes % 60:
        return f"{minutes} minutes"
    hours = minutes // 60
    return f"{hours // 24} days" if hours % 24 == 0 and hours > 48 else f"{hours} hour{'' if hours == 1 else 's'}"


def _lines(terms: PracticeTerms) -> tuple[str, ...]:
    late, missed = (_money(amount, terms.currency) for amount in (terms.late_fee, terms.no_show_fee))
    told = []
    if terms.notice:
        told.append(f"Cancelling is free of charge until {length(terms.notice)} before the session starts.")
    if late and terms.notice:
        told.append(f"A later cancellation costs {late}.")
    if missed:
        told.append(f"A session that is missed costs {missed}.")
    if late or missed:
        told.append("Insurance does not pay these fees.")
    return tuple(told)


def _now(terms: Terms, one: Appointment, zone: str) -> str:
    notice = terms.practice.notice
    fee = _money(terms.fee, terms.practice.currency)
    if terms.late:
        cost = f"You would owe {fee}; insurance does not pay it." if fee else "It is recorded as late."
        return f"Cancelling now is late: it is less than {length(notice)} before the start. {cost}"
    if notice:
        until = wording.long_moment(one.span.start_at - notice, zone)
        return f"You are in time: until {until} cancelling costs nothing."
    return "Cancelling costs nothing."


def _why_not(choice: Choice, done: str, contact: str, zone: str) -> str:
    if choice.allowed:
        return ""
    if choice.code == "client-notice" and choice.until is not None:
        until = wording.long_moment(choice.until, zone)
        return f"It could be {done} here until {until}. Please contact {contact}."
    return f"It cannot be {done} here. Please contact {contact}."


def _money(amount: Decimal | None, currency: str) -> str:
    return f"{amount:.2f} {currency}" if amount else ""
