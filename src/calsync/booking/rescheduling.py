"""Moving one session, or a series from one session on. A drag answered with "reschedule to it" comes here too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Literal

from sqlalchemy import Connection

from calsync.booking.bookings import check_time
from calsync.booking.command import Command, Outcome, note, rules_for, tell, write
from calsync.booking.free_time import check_free
from calsync.booking.horizon import origin_of
from calsync.booking.rulebook import PracticeRules
from calsync.booking.rules import (
    Scope,
    caused_by,
    check_answers,
    check_cadence,
    check_format,
    check_not_over,
    check_notice,
    check_open,
    check_own,
    check_reason,
    check_scope,
    check_upcoming_start,
    check_who,
    refuse,
)
from calsync.booking.slots import NO_TIMES, SlotTaken, slots_for_move, take_time
from calsync.domain.appointment import Appointment, AppointmentStatus, Series
from calsync.domain.cadence import normal_rule
from calsync.domain.series_changes import Continued, NewCourse, continue_series, continuing_rule
from calsync.domain.series_slots import SeriesDefaults, starts_its_rule
from calsync.domain.span import Span
from calsync.errors import NotFoundError, Problem, Refused
from calsync.settings.lifecycle import CausedBy
from calsync.store import plan_changes, record_changes, records, requests
from calsync.store.known import known_appointment
from calsync.store.plan_changes import PlanChange
from calsync.store.record_batch import Change


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Where a session goes. `scope` is needed for a member of a series.

    `cadence` (an RRULE value) and `moved` belong to `this-and-following`: sessions that were moved on their own stay
    where they are (`keep`) or take their place in the series again (`reset`). `horizon`: how far its sessions are made.
    `answers`: to the reason's questions, by their ids.
    """

    span: Span
    scope: Scope | None = None
    cadence: str | None = None
    moved: Literal["keep", "reset"] = "keep"
    format: str | None = None
    horizon: datetime | None = None
    answers: Mapping[str, str] = field(default_factory=dict)


def reschedule(conn: Connection, command: Command, appointment_id: str, move: Move) -> Outcome:
    """Move a session, or it and all that follow, to another time; nothing is changed when a rule refuses.

    Its payment and its credit go with it. Refused: `who-may-reschedule`, `not-yours`, `client-notice`, `reason-needed`,
    `reason-unknown`, `answer-needed`, `scope-needed`, `cadence-needs-following`, `cadence-needed`, `bad-cadence`,
    `format-unknown`, `already-…`, `already-started`, `in-the-past`, `bad-time`, `overlaps` and `slot-taken` (both with
    the free times of that day), `no-change`.
    """
    one = known_appointment(conn, appointment_id)
    rules = rules_for(conn, command, one.provider)
    check_who(rules, rules.policy.reschedule.by, "reschedule", command.actor, one.id)
    reason = check_reason(rules, "reschedule", command.role, command.reason)
    check_answers(reason, move.answers)
    scope = _check(rules, command, one, move)
    outcome = move_to(conn, command, one, replace(move, scope=scope))
    _note_change(conn, command, one, caused_by(reason, command.role), move)
    return outcome


def may_move(conn: Connection, command: Command, one: Appointment, move: Move) -> None:
    """Look whether a session may be moved by every rule but that of its reason; raises as `reschedule` does.

    Changes nothing and locks nothing, so the time may be gone by the time that somebody takes it.
    """
    rules = rules_for(conn, command, one.provider)
    _check(rules, command, one, move)
    after = replace(one, span=move.span)
    if after.span == one.span:
        raise refuse("no-change", "that is its time already", "Choose another time", one.id)
    check_free(conn, rules, [after], only_look=True)


def _check(rules: PracticeRules, command: Command, one: Appointment, move: Move) -> Scope:
    policy = rules.policy.reschedule
    check_who(rules, policy.by, "reschedule", command.actor, one.id)
    check_own(command.actor, one.provider, one.client, one.id)
    scope = check_scope(one, move.scope, ("this", "this-and-following"))
    check_cadence(scope, move.cadence)
    check_format(rules, move.format)
    check_open(one, "moved")
    check_not_over(policy.after_start, one, command.role, command.now)
    check_notice(rules, "reschedule", one, command.actor, command.now)
    check_time(move.span)
    check_upcoming_start(policy.after_start, move.span.start_at, command.role, command.now)
    return scope


def move_to(conn: Connection, command: Command, one: Appointment, move: Move) -> Outcome:
    """Move a session as `reschedule` does, when it is settled that it may be moved; the time must still be free."""
    check_time(move.span)
    if move.span.start_at <= command.now and command.role == "client":
        raise refuse("in-the-past", "that time is over", "Choose a time that is still to come", one.id)
    try:
        return _move_following(conn, command, one, move) if _is_set(move) else _move_one(conn, command, one, move)
    except Refused as refusal:
        if refusal.code not in ("overlaps", "slot-taken"):
            raise
        raise _with_free_times(conn, command, one, move.span, refusal) from refusal


def _is_set(move: Move) -> bool:
    return move.scope == "this-and-following"


def _with_free_times(conn: Connection, command: Command, one: Appointment, span: Span, refusal: Refused) -> Refused:
    """The refusal with the free times of the day that was wanted (R-17); as it is where nobody knows them."""
    try:
        answer = slots_for_move(conn, command, one.id, span.start.date())
    except (Refused, NotFoundError):
        return refusal
    if answer.why == NO_TIMES:
        return refusal
    times = ", ".join(f"{slot.span.start:%H:%M}" for slot in answer.slots[:12])
    remedy = f"Free that day: {times}" if times else "Nothing is free that day: choose another, or ask the practitioner"
    problems = [*refusal.problems, Problem(remedy, f"{span.start:%a %d %b %Y}")]
    if isinstance(refusal, SlotTaken):
        return SlotTaken(problems, refusal.slots)
    return Refused(problems, code=refusal.code)


def _note_change(conn: Connection, command: Command, one: Appointment, cause: CausedBy, move: Move) -> None:
    known = records.appointments_by_ids(conn, [one.id])[one.id]
    change = PlanChange(
        id=f"{one.id}/{known.version}",
        appointment=one.id,
        provider=one.provider,
        act="reschedule",
        at=command.now,
        by=command.actor,
        reason=command.reason,
        caused_by=cause,
        answers=dict(move.answers),
    )
    plan_changes.record(conn, [change])


def _move_one(conn: Connection, command: Command, one: Appointment, move: Move) -> Outcome:
    after = replace(one, span=move.span, format=move.format or one.format, pending=None)
    if after == one:
        raise refuse("no-change", "that is its time already", "Choose another time", one.id)
    take_time(conn, command, [after])
    _write_moved(conn, command, [after])
    _note_move(conn, command, one, after)
    tell(conn, command, "appointment-rescheduled", [after])
    return Outcome(appointments=(one.id,))


def _write_moved(conn: Connection, command: Command, moved: Iterable[Appointment]) -> None:
    """Write moved sessions; a request to the client about one of them is over with it."""
    written = [replace(one, pending=None) for one in moved]
    write(conn, command, "rescheduled", written)
    requests.withdraw(conn, [one.id for one in written], command.now, command.actor)


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
    _write_moved(conn, command, moved)
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
    told = Change(now=command.now, actor=command.actor, action="continued", reason=command.reason, note=command.note)
    record_changes.put_series(conn, replace(outcome.ended, version=outcome.ended.version + 1), **told)
    record_changes.put_series(conn, outcome.series, defaults=outcome.defaults.as_json(), **told)
    record_changes.set_materialised(conn, outcome.series.id, outcome.horizon)


def _cadence(series: Series, cut: datetime, move: Move) -> str:
    if move.cadence is not None:
        try:
            rule = normal_rule(move.cadence, move.span.zone)
        except ValueError as problem:
            remedy = "Write one such as FREQ=WEEKLY;BYDAY=TU"
            raise refuse("bad-cadence", str(problem), remedy, "--cadence") from problem
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
