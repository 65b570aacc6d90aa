"""Whether a provider's time is free for sessions; asked inside the transaction that takes it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import Connection

from calsync.booking.rulebook import PracticeRules
from calsync.domain.appointment import Appointment
from calsync.errors import Problem, Refused
from calsync.store import booked_time
from calsync.store.booked_time import Taken


def check_free(
    conn: Connection,
    rules: PracticeRules,
    wanted: Sequence[Appointment],
    leaving: Collection[str] = (),
    *,
    only_look: bool = False,
) -> None:
    """Refuse (code `overlaps`) sessions that would stand in the time of others of their provider, or of a block.

    Every clash is named. `leaving` are appointments that give up their present time in the same command. Sessions of
    one group may share their time. `only_look`: lock nothing, for whoever does not take the time.
    """
    sessions = sorted(wanted, key=lambda one: one.span.start_at)
    if rules.double_booking or not sessions:
        return
    start = sessions[0].span.start_at
    end = max(one.span.end_at for one in sessions)
    moving = {one.id for one in sessions} | set(leaving)
    between = booked_time.seen_between if only_look else booked_time.taken_between
    taken = [one for one in between(conn, sessions[0].provider, start, end) if one.id not in moving]
    problems = [_clash(one, other) for one in sessions for other in taken if _meet(one, other)]
    if problems:
        raise Refused(problems, code="overlaps")


def _meet(one: Appointment, other: Taken) -> bool:
    if one.session is not None and one.session == other.session:
        return False
    return other.start_at < one.span.end_at and other.end_at > one.span.start_at


def _clash(one: Appointment, other: Taken) -> Problem:
    word = "session" if other.kind == "appointment" else "out-of-office block"
    when = f"{one.span.start:%a %d %b %Y, %H:%M}-{one.span.end:%H:%M}"
    return Problem(f"it overlaps {word} {other.id}", when, "Choose another time, or change that one first")
