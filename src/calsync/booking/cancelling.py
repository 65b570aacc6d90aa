"""Cancelling one session, or all upcoming ones of a series."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import Connection

from calsync.booking.command import Command, Outcome, find_appointment, note, rules_for, tell, write
from calsync.booking.rules import PracticeRules, Scope, check_not_over, check_open, check_reason, check_scope, refuse
from calsync.domain.appointment import Appointment, AppointmentStatus, Series
from calsync.domain.series_changes import end_series
from calsync.errors import NotFoundError, Refused
from calsync.store import records


@dataclass(frozen=True, slots=True)
class _Sorted:
    """The members of a series as a cancellation finds them."""

    off: tuple[Appointment, ...]
    refused: dict[str, str]


def cancel(conn: Connection, command: Command, appointment_id: str, *, scope: Scope | None = None) -> Outcome:
    """Cancel a session; for a member of a series `scope` says whether `this` one or `all-upcoming`.

    Past and already cancelled ones stay as they are. Refused: `reason-needed`, `scope-needed`, `already-…`,
    `already-started`; with `all-upcoming` those that a rule protects are left, and named in the outcome.
    """
    one = find_appointment(conn, appointment_id)
    rules = rules_for(conn, command, one.provider)
    check_reason(rules, command.reason)
    if one.series is not None and scope == "all-upcoming":
        return cancel_series(conn, command, one.series)
    check_scope(one, scope, ("this", "all-upcoming"))
    _check(rules, one, command)
    return _carry_out(conn, command, [one])


def cancel_series(conn: Connection, command: Command, series_id: str) -> Outcome:
    """Cancel all upcoming sessions of a series and make no more. Refused as `cancel` is, or `nothing-upcoming`."""
    series = records.series(conn, series_id)
    if series is None:
        raise NotFoundError("series", series_id)
    rules = rules_for(conn, command, series.provider)
    check_reason(rules, command.reason)
    members = records.appointments_of_series(conn, series_id)
    found = _sort(members, rules, command)
    if not found.off:
        raise refuse("nothing-upcoming", f"series {series_id} has no upcoming session that can be cancelled")
    outcome = _carry_out(conn, command, found.off)
    _end(conn, command, series, [one for one in members if one.id not in outcome.appointments])
    return replace(outcome, series=(series_id,), refused=found.refused)


def _sort(members: list[Appointment], rules: PracticeRules, command: Command) -> _Sorted:
    off, refused = [], {}
    for one in members:
        if one.status is AppointmentStatus.SCHEDULED and one.span.start_at > command.now:
            try:
                _check(rules, one, command)
                off.append(one)
            except Refused as refusal:
                refused[one.id] = str(refusal)
    return _Sorted(tuple(off), refused)


def _check(rules: PracticeRules, one: Appointment, command: Command) -> None:
    check_open(one, "cancelled")
    check_not_over(rules, one, command.role, command.now)


def _carry_out(conn: Connection, command: Command, off: list[Appointment] | tuple[Appointment, ...]) -> Outcome:
    changed = [replace(one, status=AppointmentStatus.CANCELLED, pending=None) for one in off]
    done = write(conn, command, "cancelled", changed)
    records.set_missing(conn, done, None)
    for key in done:
        note(conn, command, "appointment-cancelled", f"appointment:{key}", {})
    tell(conn, command, "appointment-cancelled", changed)
    return Outcome(appointments=tuple(done))


def _end(conn: Connection, command: Command, series: Series, stay: list[Appointment]) -> None:
    """End the series after the last slot of a session that stands, so that nothing grows after it."""
    standing = [one.original_start for one in stay if one.status.shows_in_calendars and one.original_start is not None]
    cut = max(standing) + timedelta(seconds=1) if standing else series.span.start_at
    ended = end_series(series, cut)
    records.put_series(
        conn,
        replace(ended, version=series.version + 1),
        now=command.now,
        actor=command.actor,
        action="ended",
        reason=command.reason,
        note=command.note,
    )
    note(conn, command, "series-ended", f"series:{series.id}", {"sessions_left": len(standing)})
