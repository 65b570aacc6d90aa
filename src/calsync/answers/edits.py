"""`drifts resolve`: a person answers one drift, or everything that one edit did (R-10).

The answer ends the drift. What was seen becomes the accepted state, so the calendar is left as it is; only `restore`
writes to it by itself, and `reschedule` and corrected times follow from the record. Everything that an answer does is
one transaction: statement, record, drift, hold, owed write, claim and audit row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from calsync.answers.records import correct_time, move_by_the_rules, take_off
from calsync.answers.restoring import is_let_be, owe_restore
from calsync.answers.words import NEEDS_NOTE, Answer, Desk, Given, Word
from calsync.domain.appointment import Subject
from calsync.domain.drift import Drift, Phase, Resolution
from calsync.errors import NotFoundError, Problem, Refused
from calsync.store import (
    asks,
    audit,
    claims,
    drifts,
    edits,
    evidence,
    holds,
    links,
    outbox,
    owed_writes,
    records,
    statements,
    subject_changes,
)
from calsync.store.statements import StatementRow

_ANSWERABLE = frozenset({Resolution.OPEN, Resolution.REVERTED})
_ENDS_AS = {
    Answer.STANDS: Resolution.ACKNOWLEDGED,
    Answer.DID_NOT_TAKE_PLACE: Resolution.ACKNOWLEDGED,
    Answer.DISMISS: Resolution.IGNORED,
    Answer.RESCHEDULE: Resolution.RECORD_CORRECTED,
}
_SAYS = {
    Answer.RESTORE: "as-booked",
    Answer.STANDS: "as-booked",
    Answer.TOOK_PLACE: "took-place",
    Answer.DID_NOT_TAKE_PLACE: "did-not-take-place",
}


@dataclass(frozen=True, slots=True)
class Settled:
    """What an answer came to: the drifts that it answered, and those of the same edit that still wait for one."""

    edit: str
    answered: tuple[str, ...]
    waiting: tuple[str, ...]


def resolve_drift(desk: Desk, drift_id: str, word: Word) -> Settled:
    """Answer one drift.

    Raises NotFoundError, and Refused (nothing changed) where it is settled already, a note or a start is missing, or a
    practice's rule says no.
    """
    with desk.database.transaction() as conn:
        return settle_drift(conn, desk, drift_id, word)


def resolve_edit(desk: Desk, edit_id: str, word: Word) -> Settled:
    """Answer every drift of an edit that still waits for an answer; otherwise like `resolve_drift`."""
    with desk.database.transaction() as conn:
        return settle_edit(conn, desk, edit_id, word)


def settle_drift(conn: Connection, desk: Desk, drift_id: str, word: Word) -> Settled:
    """`resolve_drift` within the caller's transaction."""
    one = drifts.get(conn, drift_id)
    if one is None:
        raise NotFoundError("drift", drift_id)
    edits.lock(conn, one.edit)
    return _answer(conn, Given(desk, word, desk.clock.now()), one.edit, [drift_id])


def settle_edit(conn: Connection, desk: Desk, edit_id: str, word: Word) -> Settled:
    """`resolve_edit` within the caller's transaction."""
    if not edits.lock(conn, edit_id):
        raise NotFoundError("edit", edit_id)
    return _answer(conn, Given(desk, word, desk.clock.now()), edit_id, None)


def _answer(conn: Connection, given: Given, edit: str, wanted: list[str] | None) -> Settled:
    # Read after the edit is locked, so that of two people who answer at once the second is told so.
    all_of_edit = drifts.of_edit(conn, edit)
    waiting = [one for one in all_of_edit if _waits(conn, one)]
    chosen = [one for one in waiting if wanted is None or one.id in wanted]
    _check(given, edit, chosen, wanted)
    answered = _carry_out(conn, given, chosen)
    left = [one for one in waiting if one.id not in {each.id for each in answered}]
    if not left:
        for kind in ("edit-reverted", "edit-after-start"):
            outbox.withdraw(conn, f"{kind}:{edit}", given.now)
    return Settled(edit, tuple(one.id for one in answered), tuple(one.id for one in left))


def _waits(conn: Connection, one: Drift) -> bool:
    """Whether nobody has answered yet. One that was answered with `restore` stays open until the calendar has it."""
    if one.resolution not in _ANSWERABLE:
        return False
    told = drifts.answers(conn, [one.id]).get(one.id)
    return told is None or told.resolved_by is None


def _check(given: Given, edit: str, chosen: Sequence[Drift], wanted: list[str] | None) -> None:
    word = given.word
    where = f"drift {wanted[0]}" if wanted else f"edit {edit}"
    if not chosen:
        raise Refused([Problem("it is settled already", where, "See `calsync drifts show`")], code="already-settled")
    problems = []
    if word.answer in NEEDS_NOTE and not (word.note or "").strip():
        problems.append(Problem("this may change a date or a bill, so it needs a note", where, "Say why with --note"))
    if word.answer is Answer.TOOK_PLACE and word.start is None:
        problems.append(Problem("when it took place is not said", where, "Add --start 2026-11-24T10:00"))
    if word.answer is Answer.TOOK_PLACE and len(chosen) > 1:
        problems.append(Problem("one time cannot be that of several sessions", where, "Answer them one by one"))
    about_sessions = word.answer in (Answer.TOOK_PLACE, Answer.DID_NOT_TAKE_PLACE, Answer.RESCHEDULE)
    if about_sessions and all(one.appointment is None for one in chosen):
        problems.append(Problem("it is no session, but time blocked out", where, "Use restore, stands or dismiss"))
    if problems:
        raise Refused(problems, code="incomplete")


def _carry_out(conn: Connection, given: Given, chosen: Sequence[Drift]) -> Sequence[Drift]:
    answer = given.word.answer
    waiting = owe_restore(conn, given, chosen) if answer is Answer.RESTORE else frozenset()
    if answer is Answer.RESCHEDULE:
        chosen = [one for one in chosen if one.phase is Phase.UPCOMING and one.appointment is not None]
        move_by_the_rules(conn, given, chosen)
    if answer is Answer.DID_NOT_TAKE_PLACE:
        take_off(conn, given, [one.appointment for one in chosen if one.appointment is not None])
    for one in chosen:
        _settle(conn, given, one, waits=one.id in waiting)
    if answer is not Answer.RESTORE:
        _leave_calendars(conn, given, chosen)
    claims.touch(conn, [one.appointment for one in chosen if one.appointment is not None])
    return chosen


def _settle(conn: Connection, given: Given, one: Drift, *, waits: bool) -> None:
    word, now = given.word, given.now
    resolution = _ENDS_AS.get(word.answer, Resolution.ACKNOWLEDGED)
    if one.appointment is not None:
        # What was on the page is read before the answer's own statement joins it.
        saw = _saw(conn, one, one.appointment)
        start = end = None
        if word.answer is Answer.TOOK_PLACE:
            said = correct_time(conn, given, one.appointment)
            start, end = said.span.start, said.span.end
            resolution = Resolution.RECORD_CORRECTED if said.is_recorded else resolution
        if word.answer in _SAYS:
            statement = StatementRow(
                id=given.desk.ids.new_id("statement"),
                appointment=one.appointment,
                by=word.by,
                at=now,
                saw=saw,
                says=_SAYS[word.answer],
                start=start,
                end=end,
                note=word.note,
            )
            statements.insert(conn, statement)
        asks.answered(conn, one.appointment, one.id, now)
    if waits:
        # It ends as put back when the calendar has confirmed it; until then only the answer is known.
        drifts.answer(conn, one.id, by=word.by, note=word.note)
    else:
        left = word.answer is not Answer.RESTORE or is_let_be(one)
        accepted = one.resolution is Resolution.OPEN and left
        drifts.resolve(conn, one.id, resolution, now, by=word.by, note=word.note, accepted=accepted)
    holds.close_hold(conn, one.id, now)
    _note(conn, given, one, resolution)


def _saw(conn: Connection, one: Drift, appointment: str) -> tuple[str, ...]:
    """What somebody who answers this drift has before them: it, the session's log, and what was said before."""
    logged = [row.id for row in evidence.of_appointments(conn, [appointment]).get(appointment, [])]
    said = [row.id for row in statements.of_appointments(conn, [appointment]).get(appointment, [])]
    return (one.id, *logged, *said)


def _leave_calendars(conn: Connection, given: Given, chosen: Sequence[Drift]) -> None:
    """What was going to be put back is not any more; the next pass decides again about whatever else is open."""
    for link in links.by_ids(conn, {one.link for one in chosen if one.resolution is Resolution.OPEN}):
        owed_writes.withdraw(conn, link.id, at=given.now)
        subject_changes.mark(conn, link.provider, Subject(link.subject.kind, link.subject.id), given.now)


def _note(conn: Connection, given: Given, one: Drift, resolution: Resolution) -> None:
    word = given.word
    record = records.appointment(conn, one.appointment) if one.appointment is not None else None
    detail = {
        "answer": word.answer.value,
        "appointment": one.appointment,
        "block": one.block,
        "edit": one.edit,
        "resolution": resolution.value,
        "start": word.start,
        "end": word.end,
        "note": word.note,
        "version": record.version if record is not None else None,
    }
    told = {name: value for name, value in detail.items() if value is not None}
    audit.append(conn, at=given.now, actor=word.by, what="drift-answered", subject=f"drift:{one.id}", detail=told)
