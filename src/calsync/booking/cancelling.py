"""Cancelling one session, or all upcoming ones of a series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import Connection

from calsync.booking.blocks import block_old_time
from calsync.booking.charges import charge_cancelled
from calsync.booking.command import Command, Outcome, note, rules_for, tell, write
from calsync.booking.conditions import Cancellation, Weighed, weigh
from calsync.booking.rulebook import PracticeRules
from calsync.booking.rules import check_reason, check_scope, refuse
from calsync.domain.appointment import Appointment, AppointmentStatus, Series
from calsync.domain.series_changes import end_series
from calsync.errors import Problem, Refused
from calsync.store import plan_changes, record_changes, records, requests
from calsync.store.known import known_appointment, known_series
from calsync.store.plan_changes import PlanChange

_PLAIN = Cancellation()


@dataclass(frozen=True, slots=True)
class _Sorted:
    """The members of a series as a cancellation finds them."""

    off: Mapping[str, tuple[Appointment, Weighed]]
    refused: Mapping[str, Refused]


def cancel(conn: Connection, command: Command, appointment_id: str, wish: Cancellation = _PLAIN) -> Outcome:
    """Cancel a session; for a member of a series the scope says whether `this` one or `all-upcoming`.

    Past and already cancelled ones stay as they are. Inside the practice's limit it is recorded as a late cancellation
    with its fee. Refused: `scope-needed`, `already-…`, `already-started`, `who-may-cancel`, `not-yours`,
    `client-notice`, `reason-needed`, `reason-unknown`, `answer-needed`, `client-aware-needed`, `note-needed`,
    `refund-answer-needed`, `block-needed`, `waive-needs-note`; with `all-upcoming` those sessions that a rule protects
    are left, and named in the outcome.
    """
    one = known_appointment(conn, appointment_id)
    rules = rules_for(conn, command, one.provider)
    if one.series is not None and wish.scope == "all-upcoming":
        return cancel_series(conn, command, one.series, wish)
    check_scope(one, wish.scope, ("this", "all-upcoming"))
    weighed = weigh(conn, rules, command, one, wish)
    return _carry_out(conn, command, rules, {one.id: (one, weighed)}, wish)


def cancel_series(conn: Connection, command: Command, series_id: str, wish: Cancellation = _PLAIN) -> Outcome:
    """Cancel all upcoming sessions of a series and make no more. Refused as `cancel` is, or `nothing-upcoming`."""
    series = known_series(conn, series_id)
    rules = rules_for(conn, command, series.provider)
    check_reason(rules, "cancel", command.role, command.reason)
    members = records.appointments_of_series(conn, series_id)
    found = _sort(conn, rules, command, members, wish)
    if not found.off:
        raise _none_left(series_id, list(found.refused.values()))
    outcome = _carry_out(conn, command, rules, found.off, wish)
    _end(conn, command, series, [one for one in members if one.id not in outcome.appointments])
    return replace(
        outcome,
        series=(series_id,),
        refused={key: str(refusal) for key, refusal in found.refused.items()},
        codes={key: refusal.code for key, refusal in found.refused.items()},
    )


def _none_left(series_id: str, refusals: Sequence[Refused]) -> Refused:
    if not refusals:
        what = f"series {series_id} has no upcoming session that can be cancelled"
        return refuse("nothing-upcoming", what, "Past sessions stay as they are")
    problems: list[Problem] = [problem for refusal in refusals for problem in refusal.problems]
    return Refused(problems, code=refusals[0].code)


def _sort(
    conn: Connection, rules: PracticeRules, command: Command, members: Sequence[Appointment], wish: Cancellation
) -> _Sorted:
    off: dict[str, tuple[Appointment, Weighed]] = {}
    refused: dict[str, Refused] = {}
    for one in members:
        if one.status is AppointmentStatus.SCHEDULED and one.span.start_at > command.now:
            try:
                off[one.id] = (one, weigh(conn, rules, command, one, wish))
            except Refused as refusal:
                refused[one.id] = refusal
    return _Sorted(off, refused)


def _carry_out(
    conn: Connection,
    command: Command,
    rules: PracticeRules,
    off: Mapping[str, tuple[Appointment, Weighed]],
    wish: Cancellation,
) -> Outcome:
    changed = [
        replace(
            one,
            status=AppointmentStatus.LATE_CANCELLED if weighed.late else AppointmentStatus.CANCELLED,
            pending=None,
        )
        for one, weighed in off.values()
    ]
    done = write(conn, command, "cancelled", changed)
    record_changes.answer_missing(conn, done, command.now)
    requests.withdraw(conn, done, command.now, command.actor)
    plan_changes.end_confirmations(conn, done, command.now)
    for one in changed:
        late = {"late": True} if one.status is AppointmentStatus.LATE_CANCELLED else {}
        note(conn, command, "appointment-cancelled", f"appointment:{one.id}", late)
    outcome = _record(conn, command, rules, off, wish)
    code = next(iter(off.values()))[1].reason
    told = {"reason": code.code} if code is not None else {}
    tell(conn, command, "appointment-cancelled", changed, rebook=outcome.rebook, **told)
    return replace(outcome, appointments=tuple(done))


def _record(
    conn: Connection,
    command: Command,
    rules: PracticeRules,
    off: Mapping[str, tuple[Appointment, Weighed]],
    wish: Cancellation,
) -> Outcome:
    """Write down what the cancellation came to: once for the command what was said, for each session what it costs."""
    charges = [charge_cancelled(conn, rules, command, one, (weighed, wish.waive_fee)) for one, weighed in off.values()]
    blocks = [block_old_time(conn, command, rules, one) for one, _ in off.values()] if wish.block else []
    first, weighed = next(iter(off.values()))
    known = records.appointments_by_ids(conn, [first.id])[first.id]
    change = PlanChange(
        id=f"{first.id}/{known.version}",
        appointment=first.id,
        provider=first.provider,
        act="cancel",
        at=command.now,
        by=command.actor,
        reason=command.reason,
        caused_by=weighed.caused_by,
        late=any(each.late for _, each in off.values()),
        client_aware=wish.client_aware,
        suggest_others=wish.suggest_others,
        answers=dict(wish.answers),
    )
    plan_changes.record(conn, [change])
    return Outcome(
        fees=tuple(each.fee.id for each in charges if each.fee is not None),
        refunds=tuple(each.refund.id for each in charges if each.refund is not None),
        packages=tuple(each.package for each in charges if each.package is not None),
        blocks=tuple(blocks),
        rebook=weighed.reason is None or weighed.reason.rebook,
        resources=tuple((one.text, one.url) for one in (weighed.reason.resources if weighed.reason else ())),
    )


def _end(conn: Connection, command: Command, series: Series, stay: list[Appointment]) -> None:
    """End the series after the last slot of a session that stands, so that nothing grows after it."""
    standing = [one.original_start for one in stay if one.status.shows_in_calendars and one.original_start is not None]
    cut = max(standing) + timedelta(seconds=1) if standing else series.span.start_at
    ended = end_series(series, cut)
    record_changes.put_series(
        conn,
        replace(ended, version=series.version + 1),
        now=command.now,
        actor=command.actor,
        action="ended",
        reason=command.reason,
        note=command.note,
    )
    note(conn, command, "series-ended", f"series:{series.id}", {"sessions_left": len(standing)})
