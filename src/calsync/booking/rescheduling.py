"""Moving one session, or a series from one session on. A drag answered with "reschedule to it" comes here too."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Literal

from sqlalchemy import Connection

from calsync.booking.bookings import check_time
from calsync.booking.command import Command, Outcome, find_appointment, note, rules_for, tell, write
from calsync.booking.horizon import origin_of
from calsync.booking.rules import (
    Scope,
    check_cadence,
    check_not_over,
    check_open,
    check_reason,
    check_scope,
    check_upcoming_start,
    refuse,
)
from calsync.booking.slots import take_time
from calsync.domain.appointment import Appointment, AppointmentStatus, Series
from calsync.domain.cadence import normal_rule
from calsync.domain.series_changes import Continued, NewCourse, continue_series, continuing_rule
from calsync.domain.series_slots import SeriesDefaults, starts_its_rule
from calsync.domain.span import Span
from calsync.store import records


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Where a session goes. `scope` is needed for a member of a series.

    `cadence` (an RRULE value) and `moved` belong to `this-and-following`: sessions that were moved on their own stay
    where they are (`keep`) or take their place in the series again (`reset`). `horizon`: how far its sessions are made.
    """

    span: Span
    scope: Scope | None = None
    cadence: str | None = None
    moved: Literal["keep", "reset"] = "keep"
    format: str | None = None
    horizon: datetime | None = None


def reschedule(conn: Connection, command: Command, appointment_id: str, move: Move) -> Outcome:
    """Move a session, or it and all that follow, to another time; nothing is changed when a rule refuses.

    Refused: `reason-needed`, `scope-needed`, `cadence-needs-following`, `cadence-needed`, `bad-cadence`, `already-…`,
    `already-started`, `in-the-past`, `bad-time`, `overlaps`, `no-change`.
    """
    one = find_appointment(conn, appointment_id)
    rules = rules_for(conn, command, one.provider)
    check_reason(rules, command.reason)
    scope = check_scope(one, move.scope, ("this", "this-and-following"))
    check_cadence(scope, move.cadence)
    check_open(one, "moved")
    check_not_over(rules, one, command.role, command.now)
    check_time(move.span)
    check_upcoming_start(rules, move.span.start_at, command.role, command.now)
    if scope == "this":
        return _move_one(conn, command, one, move)
    return _move_following(conn, command, one, move)


def _move_one(conn: Connection, command: Command, one: Appointment, move: Move) -> Outcome:
    after = replace(one, span=move.span, format=move.format or one.format, pending=None)
    if after == one:
        raise refuse("no-change", "that is its time already", where=one.id)
    take_time(conn, command, [after])
    write(conn, command, "rescheduled", [after])
    _note_move(conn, command, one, after)
    tell(conn, command, "appointment-rescheduled", [after])
    return Outcome(appointments=(one.id,))


def _move_following(conn: Connection, command: Command, one: Appointment, move: Move) -> Outcome:
    assert one.series is not None
    assert one.original_start is not None
    series = records.series(conn, one.series)
    facts = records.series_facts(conn, one.series)
    assert series is not None
    assert facts is not None
    defaults = SeriesDefaults.from_json(facts.defaults)
    horizon = max(
        facts.materialised_until or command.now, move.horizon or command.now, move.span.end_at + timedelta(seconds=1)
    )
    course = NewCourse(
        cut=one.original_start,
        id=_next_id(conn, series),
        first=move.span,
        rule=_cadence(series, one.original_start, move),
        now=command.now,
        horizon=horizon,
        in_step=move.cadence is None,
        keep_moved=move.moved == "keep",
        placed={one.id: move.span.start_at},
        defaults=replace(defaults, format=move.format or defaults.format),
    )
    # The session that was named stands at its new time, whether or not it was moved on its own before.
    members = [replace(each, span=move.span) if each.id == one.id else each for each in _members(conn, series, one)]
    outcome = continue_series(series, members, course)
    return _write_course(conn, command, series, outcome)


def _members(conn: Connection, series: Series, one: Appointment) -> list[Appointment]:
    members = records.appointments_of_series(conn, series.id)
    return [*(each for each in members if each.id != one.id), one]


def _write_course(conn: Connection, command: Command, series: Series, outcome: Continued) -> Outcome:
    moved = [after for _, after in outcome.moved]
    standing = [one for one in moved if one.status is AppointmentStatus.SCHEDULED]
    take_time(conn, command, [*standing, *outcome.made], [one.id for one in outcome.surplus])
    off = [replace(one, status=AppointmentStatus.CANCELLED) for one in outcome.surplus]
    _write_series(conn, command, outcome)
    write(conn, command, "rescheduled", moved)
    write(conn, command, "materialised", outcome.made, origin=origin_of(conn, moved))
    write(conn, command, "cancelled", off)
    note(
        conn,
        command,
        "series-rescheduled",
        f"series:{series.id}",
        {"continued_by": outcome.series.id, "rule": outcome.series.rule, "moved": len(moved), "cancelled": len(off)},
    )
    tell(conn, command, "series-rescheduled", standing)
    changed = sorted([*moved, *outcome.made, *off], key=lambda one: one.span.start_at)
    return Outcome(appointments=tuple(one.id for one in changed), series=(series.id, outcome.series.id))


def _write_series(conn: Connection, command: Command, outcome: Continued) -> None:
    told = records.Change(
        now=command.now, actor=command.actor, action="continued", reason=command.reason, note=command.note
    )
    records.put_series(conn, replace(outcome.ended, version=outcome.ended.version + 1), **told)
    records.put_series(conn, outcome.series, defaults=outcome.defaults.as_json(), **told)
    records.set_materialised(conn, outcome.series.id, outcome.horizon)


def _cadence(series: Series, cut: datetime, move: Move) -> str:
    if move.cadence is not None:
        try:
            rule = normal_rule(move.cadence, move.span.zone)
        except ValueError as problem:
            raise refuse("bad-cadence", str(problem), where="--cadence") from problem
    else:
        kept = continuing_rule(series, cut, move.span)
        if kept is None:
            raise refuse(
                "cadence-needed",
                f"the rule of series {series.id} ({series.rule}) has no plain meaning on another day",
                "Say the new one with --cadence, such as FREQ=MONTHLY;BYDAY=2WE",
            )
        rule = kept
    if not starts_its_rule(move.span, rule):
        raise refuse("bad-cadence", f"{move.span.start:%A %d %b} is not a day of {rule}", "Choose a start on its days")
    return rule


def _next_id(conn: Connection, series: Series) -> str:
    """The id of the series that continues this one: the first one's, and a number."""
    root = series
    while root.continues is not None and (before := records.series(conn, root.continues)) is not None:
        root = before
    return next(key for n in count(2) if records.series(conn, key := f"{root.id}.{n}") is None)


def _note_move(conn: Connection, command: Command, before: Appointment, after: Appointment) -> None:
    detail = {"from": _told(before.span), "to": _told(after.span)}
    note(conn, command, "appointment-rescheduled", f"appointment:{after.id}", detail)


def _told(span: Span) -> str:
    return f"{span.start.isoformat(timespec='minutes')}/{span.end.isoformat(timespec='minutes')} {span.zone}"
