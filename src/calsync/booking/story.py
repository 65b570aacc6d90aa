"""One appointment's story in plain sentences: what is booked, what calendars showed, what waits, and for whom.

Reads the books only, and names people by their ids. The claim's answer itself is the gate's (`calsync claims check`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from calsync.domain.appointment import Appointment, Subject, SubjectKind
from calsync.domain.drift import Drift, DriftKind, Resolution
from calsync.domain.event import Appearance
from calsync.domain.span import Span, wall_time
from calsync.store import (
    clearances,
    drifts,
    evidence,
    filings,
    links,
    money,
    observations,
    owed_writes,
    packages,
    records,
    statements,
)
from calsync.store.known import known_appointment
from calsync.store.record_batch import subject_of
from calsync.store.records import HistoryRow

_ACTIONS: Final = {
    "booked": "booked",
    "imported": "taken over from a file",
    "materialised": "made as part of its series",
    "rescheduled": "moved",
    "cancelled": "cancelled",
    "completed": "recorded as held",
    "no-show": "recorded as a no-show",
    "corrected": "corrected",
    "reinstated": "reinstated",
    "asked-to-reschedule": "put to the client for another time",
}
_EDITS: Final = {
    DriftKind.MOVED: "was moved",
    DriftKind.RESIZED: "was made longer or shorter",
    DriftKind.DELETED: "was deleted",
    DriftKind.CANCELLED: "was cancelled",
    DriftKind.DUPLICATED: "was copied",
    DriftKind.RELOCATED: "was moved to another calendar",
    DriftKind.DECLINED: "was declined",
    DriftKind.UNREADABLE: "could not be understood any more",
    DriftKind.RETITLED: "got another title",
    DriftKind.MADE_PUBLIC: "was made public",
}
_ENDS: Final = {
    Resolution.OPEN: "This is still open",
    Resolution.REVERTED: "It was put back to the booked time; nobody has said yet which time is right",
    Resolution.ACKNOWLEDGED: "A person has answered it",
    Resolution.WITHDRAWN: "It was undone by whoever did it",
    Resolution.ADOPTED: "It is what the record says now",
    Resolution.RECORD_CORRECTED: "The record was corrected accordingly",
    Resolution.SUPERSEDED: "A later change of the record took its place",
    Resolution.IGNORED: "It does not matter for the session",
}


@dataclass(frozen=True, slots=True)
class Story:
    """The sentences, in the order in which a person wants them.

    `sent` are those of them that tell of clearances and filed claims, `waiting` what waits for somebody.
    """

    appointment: str
    sentences: tuple[str, ...]
    sent: tuple[str, ...]
    waiting: tuple[str, ...]


def tell_story(conn: Connection, appointment_id: str, now: datetime) -> Story:
    """Return one appointment's story as of `now`; `NotFoundError` if there is none."""
    one = known_appointment(conn, appointment_id)
    sent, waiting = _sent(conn, one), _waiting(conn, one)
    sentences = [
        _booked(conn, one),
        *_history(conn, one),
        *_money(conn, one),
        *_calendars(conn, one),
        *_edits(conn, one),
        *_reads(conn, one, now),
        *_words(conn, one),
        *sent,
        *(f"Waiting: {each}" for each in waiting),
    ]
    return Story(one.id, tuple(sentences), tuple(sent), tuple(waiting))


def _booked(conn: Connection, one: Appointment) -> str:
    series = records.series(conn, one.series) if one.series else None
    place = f", one of series {series.id} ({series.rule})" if series else ""
    facts = records.appointment_facts(conn, [one.id])[one.id]
    by = f", recorded by {facts.completed_by}" if facts.completed_by else ""
    people = f"provider {one.provider} with client {one.client}"
    return f"{_when(one.span)}: session {one.id} of {people}{place}. It is {one.status}{by}."


def _history(conn: Connection, one: Appointment) -> list[str]:
    return [_change(row, one.span.zone) for row in records.history(conn, SubjectKind.APPOINTMENT, one.id)]


def change_words(row: HistoryRow) -> str:
    """What was done to a record: `moved from … to …`, by the wall clock of its zone."""
    said = _ACTIONS.get(row.action, f"changed ({row.action})")
    before, after = row.before or {}, row.after or {}
    moved = before.get("start") and before.get("start") != after.get("start")
    return f"{said} from {_read(before['start'])} to {_read(after['start'])}" if moved else said


def _change(row: HistoryRow, zone: str) -> str:
    why = f", because: {row.reason}" if row.reason else ""
    return f"{_at(row.at, zone)}: {change_words(row)} by {row.actor}{why}."


def _money(conn: Connection, one: Appointment) -> list[str]:
    """What was decided about money: calsync only keeps it."""
    told = []
    if money.payment(conn, one.id) is not None:
        told.append("The client has paid for it.")
    for fee in money.fees_of(conn, [one.id]).get(one.id, []):
        what = f"The fee of {fee.amount} {fee.currency} ({fee.kind.replace('-', ' ')})"
        by = fee.changed_by or fee.by
        told.append(f"{what} was waived by {by}." if fee.state == "waived" else f"{what} is owed by the client.")
    told += [
        f"{refund.by} decided {'to refund it' if refund.decision == 'yes' else 'not to refund it'}."
        for refund in money.refunds(conn, one.id)
    ]
    if (used := packages.used_by(conn, one.id)) is not None:
        told.append(f"It uses a session of package {used.package}.")
    return told


def _calendars(conn: Connection, one: Appointment) -> list[str]:
    subject = subject_of(one)
    found = links.of_subject(conn, subject)
    if subject.kind is SubjectKind.SERIES:
        # Some services cannot hold its series, and show its sessions one by one.
        found += links.of_subject(conn, Subject(SubjectKind.APPOINTMENT, one.id))
    if not found:
        return ["No calendar shows it."]
    owed = owed_writes.owed_of_links(conn, [link.id for link in found])
    told = []
    for link in found:
        since = f"since {_at(link.linked_at, one.span.zone)}" if link.linked_at else "but it has not been written yet"
        waits = " A change is still to be written there." if owed.get(link.id) else ""
        series = " (as part of its series)" if link.subject.kind is SubjectKind.SERIES else ""
        state = "was shown" if link.state == "retired" else "is shown"
        told.append(f"It {state} in calendar {link.calendar}{series} {since}.{waits}")
    return told


def _edits(conn: Connection, one: Appointment) -> list[str]:
    found = drifts.of_appointments(conn, [one.id]).get(one.id, [])
    answers = drifts.answers(conn, [drift.id for drift in found])
    told = []
    for drift in sorted(found, key=lambda each: each.detected_at):
        answer = answers.get(drift.id)
        by = f" by {answer.resolved_by}" if answer is not None and answer.resolved_by else ""
        told.append(f"{_edit(drift, one.span.zone)} {_ENDS[drift.resolution]}{by}.")
    return told


def _edit(drift: Drift, zone: str) -> str:
    what = _EDITS.get(drift.kind, "was changed")
    seen = f" to {_when(drift.observed.span)}" if drift.observed is not None and drift.kind in _TIMED else ""
    return f"{_at(drift.detected_at, zone)}: in calendar {drift.calendar} it {what}{seen}."


_TIMED: Final = (DriftKind.MOVED, DriftKind.RESIZED, DriftKind.ZONE_CHANGED, DriftKind.MADE_ALL_DAY, DriftKind.SPLIT)


def _reads(conn: Connection, one: Appointment, now: datetime) -> list[str]:
    newest: dict[str, tuple[datetime, Appearance | None]] = {}
    for row in observations.of_appointments(conn, [one.id]).get(one.id, []):
        if row.calendar not in newest or newest[row.calendar][0] < row.read_at:
            newest[row.calendar] = (row.read_at, row.seen)
    told = []
    for calendar, (at, seen) in sorted(newest.items()):
        shown = "it was not there" if seen is None else f"it showed {_when(seen.span)}"
        late = "after the session's end" if at > one.span.end_at else "before the session's end"
        told.append(f"{_at(at, one.span.zone)}: calendar {calendar} was read, {late}, and {shown}.")
    if not told and one.span.end_at <= now:
        told.append("No calendar has been read for it since it ended.")
    return told


def _words(conn: Connection, one: Appointment) -> list[str]:
    told = []
    for word in statements.of_appointments(conn, [one.id]).get(one.id, []):
        when = f" from {word.start:%a %d %b %Y, %H:%M}" if word.start else ""
        told.append(f"{_at(word.at, one.span.zone)}: {word.by} said: {word.says.replace('-', ' ')}{when}.")
    for row in evidence.of_appointments(conn, [one.id]).get(one.id, []):
        span = Span.between(row.start_at, row.end_at, one.span.zone)
        told.append(f"The log {row.source} shows {_when(span)}, present: {row.who or 'not said'}.")
    return told


def _sent(conn: Connection, one: Appointment) -> list[str]:
    told: list[str] = []
    for clearance in clearances.of_appointments(conn, [one.id]).get(one.id, []):
        ended = f", withdrawn {_at(clearance.ended_at, one.span.zone)}" if clearance.ended_at else ""
        told.append(f"{_at(clearance.at, one.span.zone)}: its claim was cleared with date {clearance.date}{ended}.")
    told += [
        f"{_at(filing.filed_at, one.span.zone)}: its claim was filed with date {filing.date} ({filing.state})."
        for filing in filings.of_appointments(conn, [one.id]).get(one.id, [])
    ]
    return told


def _waiting(conn: Connection, one: Appointment) -> list[str]:
    facts = records.appointment_facts(conn, [one.id])[one.id]
    found = []
    if facts.missing_since is not None:
        found.append("its row disappeared from the imported file; a person must say whether it still stands.")
    if one.pending:
        until = f" until {_at(facts.pending_until, one.span.zone)}" if facts.pending_until else ""
        found.append(f"the client was asked to choose another time and has not answered yet{until}.")
    open_edits = [
        drift
        for drift in drifts.of_appointments(conn, [one.id]).get(one.id, [])
        if drift.resolution in (Resolution.OPEN, Resolution.REVERTED)
    ]
    if open_edits:
        found.append("somebody must say which time is right; until then its claim may be held.")
    return found


def _when(span: Span) -> str:
    return f"{span.start:%a %d %b %Y, %H:%M}-{span.end:%H:%M} ({span.zone})"


def _at(at: datetime | None, zone: str) -> str:
    return "" if at is None else f"{wall_time(at, zone):%a %d %b %Y, %H:%M}"


def _read(wall: object) -> str:
    return f"{datetime.fromisoformat(str(wall).removesuffix('+1')):%a %d %b %Y, %H:%M}"
