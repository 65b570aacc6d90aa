"""One appointment's timeline: everything that the books know about it, in the order in which it came to be known.

Each entry names the field that it shows, so that a page leaves out what somebody's role does not cover. Reads only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from calsync.booking.story import change_words
from calsync.domain.appointment import Appointment, SubjectKind
from calsync.domain.drift import Drift
from calsync.domain.link import Link
from calsync.domain.span import Span
from calsync.store import (
    audit,
    clearances,
    drifts,
    evidence,
    filings,
    links,
    observations,
    outbox,
    recalls,
    records,
    review_rows,
    statements,
    support_notes,
)
from calsync.store.owed_writes import OwedWrite
from calsync.store.record_batch import subject_of
from calsync.support.picture import Sight
from calsync.support.roles import Field
from calsync.support.words import happened, seen_text, span_text

_REVIEW: Final = {
    "edit-assigned": "Given to",
    "edit-snoozed": "Put aside until",
    "edit-waits": "Waits for",
    "edit-asked-again": "The provider is asked again",
}
_WRITES: Final = {"create": "entered", "update": "changed", "delete": "taken away"}
_ENDS: Final = {
    "owed": "is to be {what}",
    "sent": "is being {what}; the answer has not come yet",
    "done": "was {what}",
    "superseded": "was to be {what}; something later took its place",
    "rejected": "could not be {what}: the service refused",
}
_MAILS: Final = {
    "due": "waits to be sent",
    "sending": "is being sent",
    "sent": "was sent",
    "merged": "was told in another mail, or was not needed any more",
    "failed": "could not be sent",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened: when, of what sort, in one sentence, and what more there is to say."""

    at: datetime
    lane: str
    text: str
    field: Field
    detail: str = ""
    who: str = ""


@dataclass(frozen=True, slots=True)
class _Story:
    conn: Connection
    one: Appointment
    zone: str
    drifts: list[Drift]
    links: list[Link]


def load_timeline(conn: Connection, one: Appointment) -> list[Entry]:
    """Everything about the appointment, the first thing first."""
    known = drifts.of_appointments(conn, [one.id]).get(one.id, [])
    story = _Story(conn, one, one.span.zone, known, links.of_subject(conn, subject_of(one)))
    parts = (_record, _calendars, _readings, _edits, _writes, _mails, _answers, _review, _claim, _notes)
    return sorted((entry for part in parts for entry in part(story)), key=lambda entry: entry.at)


def load_sights(conn: Connection, one: Appointment) -> list[Sight]:
    """What to draw: the booked time, what each calendar last showed and was dragged to, and what the log says."""
    sights = [Sight("Booked", "booked", one.span)]
    newest: dict[str, tuple[datetime, Span | None]] = {}
    for row in observations.of_appointments(conn, [one.id]).get(one.id, []):
        span = None if row.seen is None or row.seen.cancelled else row.seen.span
        if row.calendar not in newest or newest[row.calendar][0] < row.read_at:
            newest[row.calendar] = (row.read_at, span)
    for drift in drifts.of_appointments(conn, [one.id]).get(one.id, []):
        if drift.calendar not in newest or newest[drift.calendar][0] < drift.detected_at:
            seen = None if drift.observed is None or drift.observed.cancelled else drift.observed.span
            newest[drift.calendar] = (drift.detected_at, seen)
    for calendar, (_, span) in sorted(newest.items()):
        sights.append(Sight(f"Calendar {calendar}", "seen", span))
    logged = evidence.of_appointments(conn, [one.id]).get(one.id, [])
    sights += [
        Sight(f"Log {log.source}", "log", Span.between(log.start_at, log.end_at, one.span.zone)) for log in logged
    ]
    for word in statements.of_appointments(conn, [one.id]).get(one.id, []):
        if word.start is not None:
            said = one.span.starting(word.start) if word.end is None else Span(word.start, word.end, one.span.zone)
            sights.append(Sight(f"Said by {word.by}", "said", said))
    return sights


def _record(story: _Story) -> Iterator[Entry]:
    for row in records.history(story.conn, SubjectKind.APPOINTMENT, story.one.id):
        said = change_words(row)
        text = f"{said[0].upper()}{said[1:]}."
        yield Entry(row.at, "record", text, Field.SESSION_TIMES, row.reason or "", row.actor)


def _calendars(story: _Story) -> Iterator[Entry]:
    for link in story.links:
        if link.linked_at is not None:
            yield Entry(link.linked_at, "calendar", f"Shown in calendar {link.calendar}.", Field.READINGS)


def _readings(story: _Story) -> Iterator[Entry]:
    for row in observations.of_appointments(story.conn, [story.one.id]).get(story.one.id, []):
        when = "after it ended" if row.after_end else "before it ended"
        text = f"Calendar {row.calendar} was read, {when}: {seen_text(row.seen, story.zone)}."
        yield Entry(row.read_at, "reading", text, Field.READINGS)


def _edits(story: _Story) -> Iterator[Entry]:
    for one in story.drifts:
        text = f"In calendar {one.calendar} it was {happened(one, story.zone)}."
        earlier = [seen_text(seen, story.zone) for seen in one.history]
        detail = f"Before that it showed: {', '.join(earlier)}." if earlier else ""
        yield Entry(one.detected_at, "edit", text, Field.EDITS, detail)


def _writes(story: _Story) -> Iterator[Entry]:
    for write in review_rows.writes_of(story.conn, [link.id for link in story.links]):
        if write.reverts and story.one.original_start not in write.reverts:
            continue
        yield Entry(_when(write), "write", _write(write), Field.WRITES, write.reason or "")


def _write(write: OwedWrite) -> str:
    what = _WRITES.get(write.kind.value, "written")
    if write.reverts and write.kind.value != "delete":
        what = "put back"
    ended = _ENDS.get(write.state, "is to be {what}").format(what=what)
    return f"In calendar {write.calendar} its event {ended}."


def _when(write: OwedWrite) -> datetime:
    return write.settled_at or write.sent_at or write.created_at


def _mails(story: _Story) -> Iterator[Entry]:
    """Mails and opened links about the appointment's edits; others of the same person are nobody's business here."""
    wanted = {one.edit for one in story.drifts}
    if not wanted:
        return
    since = min(one.detected_at for one in story.drifts)
    recipient = f"provider:{story.one.provider}"
    for item in outbox.of_recipient(story.conn, recipient, since):
        if item.payload.get("edit") in wanted:
            at = item.sent_at or item.created_at
            text = f"A mail to the provider about it {_MAILS.get(item.state, item.state)}."
            yield Entry(at, "mail", text, Field.MAILS, item.last_error or "")
    for link in review_rows.links_of(story.conn, recipient, since):
        if link.payload.get("edit") not in wanted:
            continue
        if link.opened_at is not None:
            yield Entry(link.opened_at, "mail", "The provider opened the mail's link.", Field.MAILS)
        if link.used_at is not None:
            yield Entry(link.used_at, "mail", "The provider answered with the mail's link.", Field.MAILS)


def _answers(story: _Story) -> Iterator[Entry]:
    told = drifts.answers(story.conn, [one.id for one in story.drifts])
    for one in story.drifts:
        answer = told.get(one.id)
        if answer is None:
            continue
        if answer.reverted_at is not None:
            yield Entry(
                answer.reverted_at, "write", f"Calendar {one.calendar} shows the booked time again.", Field.EDITS
            )
        if one.resolved_at is not None and answer.resolved_by is not None:
            said = "put it back" if one.resolution.value == "reverted" else one.resolution.value.replace("-", " ")
            yield Entry(
                one.resolved_at, "answer", f"Answered: {said}.", Field.EDITS, answer.note or "", answer.resolved_by
            )
    for word in statements.of_appointments(story.conn, [story.one.id]).get(story.one.id, []):
        when = f", from {word.start:%a %d %b %Y, %H:%M}" if word.start is not None else ""
        text = f"Said: {word.says.replace('-', ' ')}{when}."
        yield Entry(word.at, "answer", text, Field.EDITS, word.note or "", word.by)


def _review(story: _Story) -> Iterator[Entry]:
    for edit in sorted({one.edit for one in story.drifts}):
        for row in audit.rows(story.conn, f"edit:{edit}"):
            if row.what in _REVIEW:
                to = row.detail.get("to") or row.detail.get("for") or row.detail.get("until") or ""
                text = f"{_REVIEW[row.what]} {to}".strip() or "Given back"
                yield Entry(row.at, "review", f"{text}.", Field.EDITS, who=row.actor)


def _claim(story: _Story) -> Iterator[Entry]:
    ids = [story.one.id]
    for log in evidence.of_appointments(story.conn, ids).get(story.one.id, []):
        span = span_text(Span.between(log.start_at, log.end_at, story.zone), story.zone)
        who = log.who or "nobody is named"
        yield Entry(log.received_at, "log", f"The log {log.source} shows {span}; present: {who}.", Field.READINGS)
    for one in clearances.of_appointments(story.conn, ids).get(story.one.id, []):
        yield Entry(one.at, "claim", f"Its claim was cleared with date {one.date}.", Field.FILINGS)
        if one.ended_at is not None:
            yield Entry(one.ended_at, "claim", "That clearance was withdrawn.", Field.FILINGS)
    for filed in filings.of_appointments(story.conn, ids).get(story.one.id, []):
        text = f"Its claim was filed with date {filed.date}."
        yield Entry(filed.filed_at, "claim", text, Field.FILINGS, f"now {filed.state}", filed.filed_by)
    for recall in recalls.of_appointments(story.conn, ids).get(story.one.id, []):
        text = f"Its filed claim must be looked at: {recall.action}."
        yield Entry(recall.detected_at, "claim", text, Field.FILINGS, f"now {recall.state}")


def _notes(story: _Story) -> Iterator[Entry]:
    for note in support_notes.of_appointments(story.conn, [story.one.id]).get(story.one.id, []):
        text = "A call." if note.how == "call" else "A note."
        yield Entry(note.at, "note", text, Field.NOTES, note.text, note.by)
