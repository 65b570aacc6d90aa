"""Between what programs send and the book's commands, and from an outcome to the answer; for all rooms of the book."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection

from calsync.booking.commands import Booking, Cancellation, Move, Outcome, reschedule
from calsync.domain.appointment import Appointment, AppointmentKind
from calsync.domain.span import instant
from calsync.domain.time_text import read_time
from calsync.settings.fields import parse_zone
from calsync.store.known import known_provider
from calsync.web.bodies import Booked, Cancelled, Moved, invalid
from calsync.web.calls import Call


def outcome_row(outcome: Outcome) -> dict[str, Any]:
    """What a command did, for programs."""
    row: dict[str, Any] = asdict(outcome)
    plain = {name: list(value) if isinstance(value, tuple) else value for name, value in row.items()}
    return plain | {"resources": [{"text": text, "url": url} for text, url in outcome.resources]}


def booking_of(conn: Connection, call: Call, body: Booked, prefix: Literal["a", "s"]) -> Booking:
    """The booking that a body asks for."""
    provider = known_provider(conn, body.provider)
    zone = zone_of("zone", body.zone) or provider.zone
    return Booking(
        id=body.id or call.site.ids.new_id(prefix),
        provider=provider.id,
        client=body.client,
        span=body.span(zone),
        kind=AppointmentKind(body.kind),
        code=body.code,
        payer=body.payer,
        format=body.format,
        client_zone=zone_of("client_zone", body.client_zone),
        package=body.package,
        paid=body.paid,
    )


def cancellation_of(body: Cancelled) -> Cancellation:
    """The cancellation that a body describes."""
    return Cancellation(
        scope=body.scope,
        waive_fee=body.waive_fee,
        refund=body.refund,
        client_aware=body.client_aware,
        suggest_others=body.suggest_others,
        block=body.block,
        answers=body.answers,
    )


def move(conn: Connection, call: Call, one: Appointment, body: Moved) -> Outcome:
    """Carry out a move as a body describes it."""
    command = call.command(body.by, body.reason, body.note)
    wish = Move(
        span=body.span(one.span.zone, one.span),
        scope=body.scope,
        cadence=body.cadence,
        moved=body.moved,
        format=body.format,
        horizon=command.now + call.site.settings.sync.booked_ahead,
        answers=body.answers,
    )
    return reschedule(conn, command, one.id, wish)


def zone_of(field: str, name: str | None) -> str | None:
    """A zone's name, checked; `ApiProblem` 422."""
    try:
        return None if name is None else parse_zone(name)
    except ValueError as problem:
        raise invalid(field, str(problem)) from problem


def moment(field: str, text: str | None) -> datetime | None:
    """An instant that was given with its offset; `ApiProblem` 422."""
    return None if text is None else instant(wall(field, text, "UTC"), "UTC")


def wall(field: str, text: str, zone: str) -> datetime:
    """A wall time in a zone; `ApiProblem` 422."""
    try:
        return read_time(text, zone)
    except (ValueError, OverflowError) as problem:
        raise invalid(field, str(problem) if isinstance(problem, ValueError) else "not a time of our days") from problem
