"""The record's side of an answer: the true time, a session that was none, a drag done properly.

Where the record is calsync's own, it is corrected in the answer's transaction; where it belongs to another platform,
that platform is asked to correct it, and the claim waits until it has (R-29).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from calsync.answers.words import Given
from calsync.booking import commands
from calsync.booking.command import write
from calsync.booking.commands import Command, Move, Rulebook
from calsync.domain.appointment import Appointment, AppointmentStatus
from calsync.domain.drift import Drift, Scope
from calsync.domain.span import Span
from calsync.domain.time_text import check_length, read_time
from calsync.errors import Problem, Refused
from calsync.store import outbox, records, webhooks
from calsync.store.known import known_appointment

OWN = "book"
"""The origin of records that calsync itself keeps."""


@dataclass(frozen=True, slots=True)
class SaidTime:
    """When a session took place, in the record's zone; whether the record says so by now."""

    span: Span
    is_recorded: bool


def correct_time(conn: Connection, given: Given, appointment: str) -> SaidTime:
    """Bring the true time into the record, or ask its owner to."""
    one = known_appointment(conn, appointment)
    span = _said_span(given, one)
    if span.start_at > given.now:
        raise Refused([Problem("that time is still to come", appointment, "Use --as reschedule")], code="in-the-future")
    if span.same_time_as(one.span):
        return SaidTime(span, is_recorded=True)
    is_own = _is_own(conn, appointment)
    if is_own:
        write(conn, _command(given), "corrected", [replace(one, span=span)])
    else:
        wanted = {"start": span.start.isoformat(), "end": span.end.isoformat(), "zone": span.zone}
        _ask_for_correction(conn, given, one, wanted)
    return SaidTime(span, is_recorded=is_own)


def take_off(conn: Connection, given: Given, appointments: Sequence[str]) -> None:
    """The sessions did not take place: the records say so from now on, or their owner is asked to say so."""
    for appointment in appointments:
        one = known_appointment(conn, appointment)
        if not one.status.shows_in_calendars or one.status is AppointmentStatus.NO_SHOW:
            continue
        if _is_own(conn, appointment):
            write(conn, _command(given), "cancelled", [replace(one, status=AppointmentStatus.CANCELLED, pending=None)])
        else:
            _ask_for_correction(conn, given, one, {"status": AppointmentStatus.CANCELLED.value})


def move_by_the_rules(conn: Connection, given: Given, upcoming: Sequence[Drift]) -> None:
    """Do the drag properly: the time it was dragged to, or the one given, by the practice's rules; all or nothing.

    A dragged series goes on from its first upcoming session as "this and following" (R-17).
    """
    if not upcoming:
        what = "none of it is still to come, so it cannot be moved"
        raise Refused([Problem(what, "", "Say when it took place: --as took-place --start")], code="in-the-past")
    if len(upcoming) > 1 and given.word.start is not None and upcoming[0].scope is not Scope.SERIES:
        raise Refused([Problem("one time cannot be that of several sessions", "", "Answer them one by one")])
    of_series = [one for one in upcoming if one.scope is Scope.SERIES]
    singles = [one for one in upcoming if one.scope is not Scope.SERIES]
    first = min(of_series, key=_when, default=None)
    if first is not None:
        _move(conn, given, first, "this-and-following")
    for one in singles:
        _move(conn, given, one, "this")


def _move(conn: Connection, given: Given, drift: Drift, scope: str) -> None:
    assert drift.appointment is not None
    one = known_appointment(conn, drift.appointment)
    span = _said_span(given, one) if given.word.start is not None else _dragged_span(drift, one)
    horizon = given.now + given.desk.settings.sync.booked_ahead
    move = Move(
        span=span,
        scope=None if one.series is None else "this-and-following" if scope == "this-and-following" else "this",
        horizon=horizon,
    )
    commands.reschedule(conn, _command(given), one.id, move)


def _dragged_span(drift: Drift, one: Appointment) -> Span:
    if drift.observed is None or drift.observed.span.all_day:
        what = "the calendar shows no time to move it to"
        raise Refused([Problem(what, one.id, "Say which with --start")], code="no-time")
    return Span.between(drift.observed.span.start_at, drift.observed.span.end_at, one.span.zone)


def _said_span(given: Given, one: Appointment) -> Span:
    assert given.word.start is not None
    try:
        start = read_time(given.word.start, one.span.zone)
        end = read_time(given.word.end, one.span.zone) if given.word.end is not None else None
        span = one.span.starting(start) if end is None else Span(start, end, one.span.zone)
        check_length(span.start_at, span.end_at)
    except ValueError as problem:
        raise Refused([Problem(str(problem), "--start and --end")], code="bad-time") from problem
    return span


def _ask_for_correction(conn: Connection, given: Given, one: Appointment, wanted: dict[str, str]) -> None:
    key = f"correction:{one.id}:{one.version}:{'/'.join(wanted.values())}"
    payload = {"appointment": one.id, "wanted": wanted, "by": given.word.by}
    outbox.put(conn, key, "record-correction", "support", payload, now=given.now, due_at=given.now)
    subject = f"appointment:{one.id}"
    webhooks.emit(conn, key, "record.correction-requested", subject, payload, given.now)


def _command(given: Given) -> Command:
    word = given.word
    return Command(
        actor=word.by,
        now=given.now,
        reason=word.reason or word.note,
        note=word.note,
        rulebook=Rulebook.of_settings(given.desk.settings),
    )


def _is_own(conn: Connection, appointment: str) -> bool:
    return records.appointment_facts(conn, [appointment])[appointment].origin == OWN


def _when(drift: Drift) -> str:
    return drift.original_start.isoformat() if drift.original_start is not None else ""
