"""Booking single sessions and series."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from calsync.booking.charges import record_payment, use_credit
from calsync.booking.command import Command, Outcome, note, rules_for, tell, write
from calsync.booking.confirming import expect_confirmation
from calsync.booking.rulebook import PracticeRules
from calsync.booking.rules import check_format, check_own, check_upcoming_start, check_who, refuse
from calsync.booking.slots import take_time
from calsync.domain.appointment import Appointment, AppointmentKind, Series
from calsync.domain.cadence import normal_rule
from calsync.domain.series_slots import SeriesDefaults, make_sessions, rule_slots, starts_its_rule
from calsync.domain.span import Span
from calsync.domain.time_text import check_length
from calsync.errors import Problem, Refused
from calsync.settings.lifecycle import Roles
from calsync.store import clients, providers, record_changes, records

# Staff put down what has taken place already; clients book what is to come.
_MAY_BOOK_THE_PAST: Final[Roles] = ("provider", "support", "system")

_WRITE_A_RULE: Final = "Write one such as FREQ=WEEKLY;BYDAY=TU;COUNT=12"


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """A session that is wanted. `id` must be new.

    `package`: the one whose credit it uses. `paid`: the amount that the client has paid for it, empty if not said.
    """

    id: str
    provider: str
    client: str
    span: Span
    kind: AppointmentKind = AppointmentKind.FOLLOW_UP
    code: str | None = None
    payer: str = "insurance"
    format: str | None = None
    client_zone: str | None = None
    package: str | None = None
    paid: str | None = None


def book(conn: Connection, command: Command, booking: Booking) -> Outcome:
    """Book one session.

    Refused: `who-may-book`, `not-yours`, `field-needed`, `format-unknown`, `id-taken`, `provider-paused`, `bad-time`
    (ends before it starts, over 24 h), `in-the-past`, `overlaps`, `slot-taken`, `no-credit`, `package-of-another`.
    """
    _check_new(conn, command, booking)
    one = _appointment(booking)
    take_time(conn, command, [one])
    clients.add_unknown(conn, [booking.client])
    write(conn, command, "booked", [one], origin="book")
    if booking.package is not None:
        use_credit(conn, command, booking.package, one)
    if booking.paid is not None:
        record_payment(conn, command, one.id, booking.paid)
    expect_confirmation(conn, command, one)
    note(conn, command, "appointment-booked", f"appointment:{one.id}", {"provider": one.provider})
    tell(conn, command, "appointment-booked", [one])
    return Outcome(appointments=(one.id,))


def book_series(conn: Connection, command: Command, booking: Booking, rule: str, horizon: datetime) -> Outcome:
    """Book a series with the booking as its first session; `booking.id` names the series.

    Its sessions are made up to `horizon`, the others as time goes on. Refused as `book` is, and with `bad-cadence`.
    """
    _check_new(conn, command, booking)
    if records.series(conn, booking.id) is not None:
        raise refuse("id-taken", f"there is a series {booking.id!r} already", "Choose another id")
    try:
        cadence = normal_rule(rule, booking.span.zone)
        slots = rule_slots(booking.span, cadence, max(horizon, booking.span.end_at))
    except ValueError as problem:
        raise refuse("bad-cadence", str(problem), _WRITE_A_RULE, "--rule") from problem
    if not starts_its_rule(booking.span, cadence):
        what = "the first session is not on a day of the rule"
        raise refuse("bad-cadence", what, "Choose a start on one of its days", "--rule")
    series = Series(booking.id, booking.provider, booking.client, booking.span, cadence)
    defaults = replace(SeriesDefaults.of(_appointment(booking)), said_rule=None)
    sessions = make_sessions(series, defaults, slots)
    sessions[0] = replace(sessions[0], kind=booking.kind)
    take_time(conn, command, sessions)
    clients.add_unknown(conn, [booking.client])
    record_changes.put_series(
        conn,
        series,
        defaults=defaults.as_json(),
        now=command.now,
        actor=command.actor,
        action="booked",
        note=command.note,
    )
    record_changes.set_materialised(conn, series.id, horizon)
    made = write(conn, command, "booked", sessions, origin="book")
    expect_confirmation(conn, command, sessions[0])
    note(conn, command, "series-booked", f"series:{series.id}", {"rule": cadence, "sessions": len(made)})
    tell(conn, command, "series-booked", sessions)
    return Outcome(appointments=tuple(made), series=(series.id,))


def _check_new(conn: Connection, command: Command, booking: Booking) -> None:
    rules = rules_for(conn, command, booking.provider)
    check_who(rules, rules.policy.booking.by, "book", command.actor)
    check_own(command.actor, booking.provider, booking.client)
    check_format(rules, booking.format)
    _check_fields(rules, booking)
    if records.appointment(conn, booking.id) is not None:
        raise refuse("id-taken", f"there is an appointment {booking.id!r} already", "Choose another id")
    provider = providers.get(conn, booking.provider)
    if provider is not None and provider.paused:
        raise refuse(
            "provider-paused",
            f"bookings of provider {booking.provider} are paused",
            "Support can take them up again with `calsync providers resume`",
        )
    check_time(booking.span)
    check_upcoming_start(_MAY_BOOK_THE_PAST, booking.span.start_at, command.role, command.now)


def _check_fields(rules: PracticeRules, booking: Booking) -> None:
    given = {"code": booking.code, "format": booking.format, "client-zone": booking.client_zone}
    missing = [name for name in rules.policy.booking.require if not given[name]]
    if missing:
        problems = [Problem(f"this practice needs the {name} of every session", name, "Add it") for name in missing]
        raise Refused(problems, code="field-needed")


def check_time(span: Span) -> None:
    """Refuse (code `bad-time`) a session that ends before it starts or lasts more than 24 hours."""
    try:
        check_length(span.start_at, span.end_at)
    except ValueError as problem:
        remedy = "Choose a time that ends after it starts, within a day"
        raise refuse("bad-time", str(problem), remedy) from problem


def _appointment(booking: Booking) -> Appointment:
    return Appointment(
        id=booking.id,
        provider=booking.provider,
        client=booking.client,
        span=booking.span,
        kind=booking.kind,
        code=booking.code,
        payer=booking.payer,
        format=booking.format,
        client_zone=booking.client_zone,
    )
