"""Recording what became of a session: it took place, or the client did not come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from hashlib import sha256
from typing import Final

from sqlalchemy import Connection

from calsync.booking.bookings import check_time
from calsync.booking.charges import charge_no_show
from calsync.booking.command import Command, Outcome, note, rules_for, tell, write
from calsync.booking.conditions import check_waiver
from calsync.booking.rules import check_may_complete, check_no_show, check_own, check_who
from calsync.domain.appointment import Appointment, AppointmentStatus
from calsync.domain.drift import Resolution
from calsync.domain.span import Span, instant
from calsync.errors import NotFoundError, Problem, Refused
from calsync.settings.lifecycle import Roles
from calsync.store import drifts, record_changes, records, requests, statements
from calsync.store.known import known_appointment
from calsync.store.records import AppointmentFilter
from calsync.store.statements import StatementRow

_STAFF: Final[Roles] = ("provider", "support", "system")


@dataclass(frozen=True, slots=True)
class Attested:
    """Sessions that took place, by id; a span where a person says from when to when (None: as booked)."""

    spans: Mapping[str, Span | None] = field(default_factory=dict)


def complete(conn: Connection, command: Command, attested: Attested) -> Outcome:
    """Record that sessions took place, all of them or none; those recorded already stay as they are.

    An attested span is kept as the person's statement; the record keeps the booked time. Refused with every reason at
    once: `who-may-complete`, `not-yours`, `not-started`, `already-…`, `bad-time`; an id that is not on the books is one
    of the reasons.
    """
    found, problems = [], []
    code = "refused"
    for key, span in attested.spans.items():
        try:
            one = known_appointment(conn, key)
            check_who(rules_for(conn, command, one.provider), _STAFF, "complete", command.actor, key)
            check_own(command.actor, one.provider, where=key)
            check_may_complete(one, command.now)
            if span is not None:
                check_time(span)
            found.append((one, span))
        except NotFoundError as missing:
            problems.append(Problem(str(missing).rstrip("."), key))
            code = "no-such-appointment"
        except Refused as refusal:
            problems += [replace(problem, where=key) for problem in refusal.problems]
            code = refusal.code
    if problems:
        raise Refused(problems, code=code)
    for one, span in found:
        if span is not None:
            _state(conn, command, one, span)
    return _write(conn, command, [one for one, _ in found])


def complete_day(conn: Connection, command: Command, provider: str, day: date) -> Outcome:
    """Record that a provider's sessions of a day took place as booked; each counts by the date in its own zone.

    Sessions that have not started, and those of which a calendar shows something else, are left and named. Refused:
    `who-may-complete`, `not-yours`.
    """
    check_who(rules_for(conn, command, provider), _STAFF, "complete", command.actor, provider)
    check_own(command.actor, provider, where=provider)
    midnight = instant(datetime.combine(day, time()), "UTC")
    around = AppointmentFilter(
        provider=provider,
        since=midnight - timedelta(days=2),
        until=midnight + timedelta(days=3),
        status=AppointmentStatus.SCHEDULED,
    )
    sessions = [one for one in records.appointments(conn, around) if one.span.local_date == day]
    seen_otherwise = _in_doubt(conn, sessions)
    due, left = [], {}
    for one in sessions:
        if one.span.start_at > command.now:
            left[one.id] = "has not started yet"
        elif one.id in seen_otherwise:
            left[one.id] = "a calendar showed another time: say which is right, session by session"
        else:
            due.append(one)
    return replace(_write(conn, command, due), refused=left)


def record_no_show(conn: Connection, command: Command, appointment_id: str, *, waive_fee: bool = False) -> Outcome:
    """Record that the client did not come, with the practice's fee for it.

    Refused: `who-may-no-show`, `not-yours`, `not-started` (before start and grace), `already-…`, `waive-needs-note`.
    """
    one = known_appointment(conn, appointment_id)
    rules = rules_for(conn, command, one.provider)
    check_who(rules, rules.policy.no_show.by, "no-show", command.actor, one.id)
    check_own(command.actor, one.provider, one.client, one.id)
    check_no_show(rules, one, command.now)
    if waive_fee:
        check_waiver(rules, command, one)
    after = replace(one, status=AppointmentStatus.NO_SHOW, pending=None)
    write(conn, command, "no-show", [after])
    record_changes.answer_missing(conn, [one.id], command.now)
    requests.withdraw(conn, [one.id], command.now, command.actor)
    note(conn, command, "no-show-recorded", f"appointment:{one.id}", {})
    fee = charge_no_show(conn, rules, command, one, waived=waive_fee)
    tell(conn, command, "no-show-recorded", [after])
    return Outcome(appointments=(one.id,), fees=() if fee is None else (fee.id,))


def _write(conn: Connection, command: Command, sessions: list[Appointment]) -> Outcome:
    # A session that an import called completed has now a person's word for it, so it is written again.
    facts = records.appointment_facts(conn, [one.id for one in sessions])
    new = [
        replace(one, status=AppointmentStatus.COMPLETED, pending=None)
        for one in sessions
        if one.status is not AppointmentStatus.COMPLETED
        or facts[one.id].completed_by in (None, "import")
        or facts[one.id].missing_since is not None
    ]
    done = write(conn, command, "completed", new, completed_by=command.actor)
    # Who says now that it took place says that it stands, whatever became of its row.
    record_changes.answer_missing(conn, done, command.now)
    for key in done:
        note(conn, command, "attendance-recorded", f"appointment:{key}", {})
    return Outcome(appointments=tuple(done))


def _state(conn: Connection, command: Command, one: Appointment, span: Span) -> None:
    as_booked = span.same_time_as(one.span)
    told = (
        f"{one.id}\n{command.actor}\n{span.start_at.isoformat()}\n{span.end_at.isoformat()}\n{command.now.isoformat()}"
    )
    here = Span.between(span.start_at, span.end_at, one.span.zone)
    word = StatementRow(
        id=f"statement-{sha256(told.encode()).hexdigest()[:16]}",
        appointment=one.id,
        by=command.actor,
        at=command.now,
        # Given without any conflict on the page, so it answers none.
        saw=(),
        says="as-booked" if as_booked else "took-place",
        start=None if as_booked else here.start,
        end=None if as_booked else here.end,
        note=command.note,
    )
    if not _is_said(conn, one, word):
        statements.insert(conn, word)


def _is_said(conn: Connection, one: Appointment, word: StatementRow) -> bool:
    """Whether the last word about the session was this one already: who repeats a command says nothing more."""
    said = statements.of_appointments(conn, [one.id]).get(one.id, [])
    return bool(said) and said[-1].at >= one.span.start_at and replace(said[-1], id=word.id, at=word.at) == word


def _in_doubt(conn: Connection, sessions: list[Appointment]) -> set[str]:
    found = drifts.of_appointments(conn, [one.id for one in sessions])
    unanswered = (Resolution.OPEN, Resolution.REVERTED)
    return {key for key, those in found.items() if any(drift.resolution in unanswered for drift in those)}
