"""A mass change that was meant: the coming sessions whose events vanished are cancelled, on the word of two people.

One proposes, another agrees; until then nothing changes. Each session is cancelled by the practice's rules, as if
somebody did it one by one, and clients get the mail that they would get then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from calsync.answers.calendars import release_stop
from calsync.answers.words import Desk
from calsync.booking import commands
from calsync.booking.commands import Cancellation, Command, Outcome, Rulebook
from calsync.domain.appointment import Appointment, AppointmentStatus, SubjectKind
from calsync.errors import Problem, Refused
from calsync.store import audit, links, records, stops
from calsync.store.known import calendar_in_use
from calsync.store.records import AppointmentFilter
from calsync.store.stops import StopRow

_PROPOSED: Final = "cancelling"
"""Where a stop's evidence keeps who proposed to cancel, when and why."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """That somebody wants the vanished sessions cancelled. `at`: an instant as text."""

    by: str
    at: str
    note: str


@dataclass(frozen=True, slots=True)
class CalledOff:
    """What came of it: the sessions that are cancelled, and those that a rule protects, each with the reason."""

    cancelled: tuple[str, ...]
    left: dict[str, str]


def proposal_of(stop: StopRow) -> Proposal | None:
    """The standing proposal to cancel what vanished, if there is one."""
    told = stop.evidence.get(_PROPOSED)
    return Proposal(**told) if told is not None else None


def to_cancel(conn: Connection, stop: StopRow, now: datetime) -> list[Appointment]:
    """The sessions that would be cancelled: those to come, and still booked, of each event that vanished."""
    found: list[Appointment] = []
    for subject in (link.subject for link in links.by_ids(conn, _vanished(stop))):
        if subject.kind is SubjectKind.SERIES:
            found += records.appointments_of_series(conn, subject.id)
        elif subject.kind is SubjectKind.APPOINTMENT:
            found += records.appointments(conn, AppointmentFilter(ids=(subject.id,)))
    return [one for one in found if one.status is AppointmentStatus.SCHEDULED and one.span.start_at > now]


def propose(desk: Desk, calendar: str, *, by: str, note: str) -> None:
    """Ask for the vanished sessions to be cancelled; somebody else has to agree.

    Refused where no mass change stops the calendar, or nothing that is still to come vanished in it.
    """
    now = desk.clock.now()
    with desk.database.transaction() as conn:
        stop = _standing(conn, calendar)
        if not to_cancel(conn, stop, now):
            raise Refused([Problem("no session that is still to come vanished there", f"calendar {calendar}")])
        told = {"by": by, "at": now.isoformat(), "note": note}
        stops.set_evidence(conn, stop.id, {**stop.evidence, _PROPOSED: told})
        _note(conn, desk, "cancelling-proposed", calendar, by=by, detail={"note": note})


def take_back(desk: Desk, calendar: str, *, by: str) -> None:
    """The proposal is off; refused where there is none."""
    with desk.database.transaction() as conn:
        stop = _standing(conn, calendar)
        _proposed(stop)
        kept = {name: value for name, value in stop.evidence.items() if name != _PROPOSED}
        stops.set_evidence(conn, stop.id, kept)
        _note(conn, desk, "cancelling-taken-back", calendar, by=by, detail={})


def agree(desk: Desk, calendar: str, *, by: str, note: str, reason: str | None = None) -> CalledOff:
    """Cancel them, and record what else changed there as people's edits.

    `reason`: as the practice wants it of any other cancellation; left out, the note is the reason. Refused to whoever
    proposed it, and whole where the rules protect every one of the sessions; where they protect some, those are left
    and named.
    """
    now = desk.clock.now()
    with desk.database.transaction() as conn:
        stop = _standing(conn, calendar)
        if _proposed(stop).by == by:
            remedy = "Ask a colleague to look at it and to agree"
            raise Refused([Problem("who proposed it cannot agree to it", f"calendar {calendar}", remedy)])
        command = Command(
            actor=by,
            now=now,
            reason=reason or note,
            note=note,
            rulebook=Rulebook.of_settings(desk.settings),
        )
        done = _cancel_all(conn, command, to_cancel(conn, stop, now))
        row = calendar_in_use(conn, calendar)
        release_stop(conn, desk, row, "edits", by=by, detail={"note": note, "cancelled": len(done.cancelled)})
        return done


def _cancel_all(conn: Connection, command: Command, sessions: Sequence[Appointment]) -> CalledOff:
    cancelled: list[str] = []
    left: dict[str, str] = {}
    refusal: Refused | None = None
    for one in _one_each(sessions):
        try:
            outcome = _cancel(conn, command, one)
        except Refused as problem:
            refusal = problem
            left[one.id] = str(problem)
            continue
        cancelled += outcome.appointments
        left |= outcome.refused
    if not cancelled and refusal is not None:
        raise refusal
    return CalledOff(tuple(cancelled), left)


def _one_each(sessions: Sequence[Appointment]) -> list[Appointment]:
    """The first session of each series, and every single one."""
    first: dict[str, Appointment] = {}
    for one in sorted(sessions, key=lambda each: each.span.start_at):
        first.setdefault(f"series {one.series}" if one.series is not None else one.id, one)
    return list(first.values())


def _cancel(conn: Connection, command: Command, one: Appointment) -> Outcome:
    if one.series is not None:
        return commands.cancel_series(conn, command, one.series, Cancellation(scope="all-upcoming"))
    return commands.cancel(conn, command, one.id)


def _vanished(stop: StopRow) -> list[str]:
    return [str(one) for one in stop.evidence.get("vanished", stop.evidence.get("links", ()))]


def _standing(conn: Connection, calendar: str) -> StopRow:
    stop = stops.standing(conn, calendar_in_use(conn, calendar).id)
    if stop is None or stop.kind != "stampede":
        raise Refused([Problem("no mass change stops it", f"calendar {calendar}", "Look at the calendar again")])
    return stop


def _proposed(stop: StopRow) -> Proposal:
    found = proposal_of(stop)
    if found is None:
        raise Refused([Problem("nobody proposes to cancel them now", f"calendar {stop.calendar}", "Look again")])
    return found


def _note(conn: Connection, desk: Desk, what: str, calendar: str, *, by: str, detail: dict[str, object]) -> None:
    audit.append(conn, at=desk.clock.now(), actor=by, what=what, subject=f"calendar:{calendar}", detail=detail)
