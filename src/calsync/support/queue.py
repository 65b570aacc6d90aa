"""The review queue: one row for each edit that waits for a person, the one with the gravest consequence first.

Gravest: a claim waits, and little time is left to file it. Then sessions that are about to begin, then age. Reads only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from itertools import islice
from typing import Final

from sqlalchemy import Connection

from calsync.answers.review import seen_mark
from calsync.claims.gate import Gate
from calsync.claims.reasons import Verdict
from calsync.domain.drift import Drift, Phase
from calsync.domain.span import wall_time
from calsync.store import asks, calendars, drifts, edits, providers
from calsync.store.asks import AskRow
from calsync.store.edits import EditRow
from calsync.store.providers import ProviderRow
from calsync.store.review_rows import Waiting, is_waiting, waiting_edits
from calsync.support import words

_ASSESSED: Final = 600
"""Sessions whose claims one look asks the gate about; what lies beyond is ordered by age."""


class View(StrEnum):
    """Which part of the queue."""

    WAITING = "todo"
    MINE = "mine"
    FREE = "free"
    RESTING = "resting"
    OBSERVED = "observed"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody wants to look at. `me` is the name of who looks."""

    view: View = View.WAITING
    me: str = ""
    provider: str | None = None
    calendar: str | None = None
    phase: Phase | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOfEdit:
    """One session or block that the edit touched."""

    drift: str
    appointment: str | None
    booked: str
    happened: str
    standing: str
    phase: Phase
    is_past: bool
    waits: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimOfEdit:
    """What the gate says about the claims that wait: the most urgent one's sentence and date."""

    waiting: int
    file_by: date | None
    days_left: int | None
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRow:
    """One edit. `seen` changes whenever the edit does, so that nobody answers what they have not looked at."""

    edit: str
    provider: str
    provider_name: str
    zone: str
    calendar: str
    service: str
    detected_at: datetime
    sessions: tuple[SessionOfEdit, ...]
    claim: ClaimOfEdit | None
    asked_at: datetime | None
    next_at: datetime | None
    assigned: str | None
    snoozed_until: datetime | None
    waiting_for: str | None
    is_resting: bool
    next_start: datetime | None
    seen: str


def load_queue(gate: Gate, wanted: Wanted) -> list[QueueRow]:
    """The rows of one view, gravest first."""
    now = gate.clock.now()
    with gate.database.reading() as conn:
        observed = wanted.view is View.OBSERVED
        found = waiting_edits(conn, Waiting(wanted.provider, wanted.calendar, observed=observed))
        rows = _rows(conn, [one for one in found if _is_in_view(one, wanted, now)], now)
    rows = [one for one in rows if wanted.phase is None or any(each.phase is wanted.phase for each in one.sessions)]
    return sorted(_with_claims(gate, rows), key=lambda row: _gravity(row, now))


def load_edit(gate: Gate, edit: str) -> QueueRow | None:
    """One edit as the queue shows it, settled or not; None if there is none."""
    now = gate.clock.now()
    with gate.database.reading() as conn:
        known = edits.get(conn, edit)
        rows = _rows(conn, [known], now) if known is not None else []
    return next(iter(_with_claims(gate, rows)), None)


def _is_in_view(edit: EditRow, wanted: Wanted, now: datetime) -> bool:
    resting = _is_resting(edit, now)
    return {
        View.WAITING: not resting and edit.assigned in (None, wanted.me),
        View.MINE: edit.assigned == wanted.me,
        View.FREE: not resting and edit.assigned is None,
        View.RESTING: resting,
        View.OBSERVED: True,
        View.ALL: True,
    }[wanted.view]


def _is_resting(edit: EditRow, now: datetime) -> bool:
    return edit.snoozed_until is not None and now < edit.snoozed_until


def _rows(conn: Connection, found: list[EditRow], now: datetime) -> list[QueueRow]:
    """The rows of these edits, read in a few statements however many they are."""
    people = providers.by_ids(conn, {one.provider for one in found})
    services = {one: _service(conn, one) for one in {edit.calendar for edit in found}}
    known = drifts.of_edits(conn, [one.id for one in found])
    every = [drift for of_edit in known.values() for drift in of_edit]
    answered = {one.id: one.resolved_by for one in drifts.answers(conn, [one.id for one in every]).values()}
    asked = asks.of_appointments(conn, [one.appointment for one in every if one.appointment is not None])
    rows = []
    for edit in found:
        ours = known.get(edit.id, [])
        questions = [ask for drift in ours for ask in asked.get(drift.appointment or "", []) if ask.answered_at is None]
        told = _Told(edit, ours, answered, people.get(edit.provider), services[edit.calendar], questions)
        rows.append(_row(told, now))
    return [row for row in rows if row.sessions]


def _service(conn: Connection, calendar: str) -> str:
    known = calendars.get(conn, calendar)
    return known.connector if known is not None else ""


@dataclass(frozen=True, slots=True)
class _Told:
    """What the books tell about one edit."""

    edit: EditRow
    drifts: list[Drift]
    answered: Mapping[str, str | None]
    whose: ProviderRow | None
    service: str
    asked: list[AskRow]


def _row(told: _Told, now: datetime) -> QueueRow:
    edit, known, whose = told.edit, told.drifts, told.whose
    zone = words.known_zone(whose.zone if whose is not None else "UTC")
    ours = [one for one in told.asked if one.about in {drift.id for drift in known}]
    sessions = tuple(_session(one, zone, now, waits=is_waiting(one, told.answered.get(one.id))) for one in known)
    coming = [one.expected.span.start_at for one in known if one.expected is not None]
    return QueueRow(
        edit=edit.id,
        provider=edit.provider,
        provider_name=whose.name if whose is not None else "",
        zone=zone,
        calendar=edit.calendar,
        service=told.service,
        detected_at=edit.detected_at,
        sessions=sessions,
        claim=None,
        asked_at=min((one.at for one in ours), default=None),
        next_at=min((one.next_at for one in ours if one.next_at is not None), default=None),
        assigned=edit.assigned,
        snoozed_until=edit.snoozed_until,
        waiting_for=edit.waiting_for,
        is_resting=_is_resting(edit, now),
        next_start=min((at for at in coming if at >= now), default=None),
        seen=seen_mark(known),
    )


def _session(drift: Drift, zone: str, now: datetime, *, waits: bool) -> SessionOfEdit:
    ended = drift.expected is not None and drift.expected.span.end_at <= now
    return SessionOfEdit(
        drift=drift.id,
        appointment=drift.appointment,
        booked=words.booked(drift, zone),
        happened=words.happened(drift, zone),
        standing=words.standing(drift),
        phase=drift.phase,
        is_past=ended,
        waits=waits,
    )


def _with_claims(gate: Gate, rows: list[QueueRow]) -> list[QueueRow]:
    """The rows with what the gate says about their sessions that are over."""
    over = (one.appointment for row in rows for one in row.sessions if one.waits and one.is_past and one.appointment)
    held = {
        one.file.appointment: one.answer
        for one in gate.look(islice(over, _ASSESSED))
        if one.answer.verdict is Verdict.HELD
    }
    told = []
    for row in rows:
        waiting = [held[one.appointment] for one in row.sessions if one.appointment in held and one.waits]
        if not waiting:
            told.append(row)
            continue
        first = min(waiting, key=lambda answer: answer.file_by or date.max)
        today = wall_time(gate.clock.now(), row.zone).date()
        left = None if first.file_by is None else (first.file_by - today).days
        claim = ClaimOfEdit(waiting=len(waiting), file_by=first.file_by, days_left=left, sentence=first.sentence)
        told.append(replace(row, claim=claim))
    return told


def _gravity(row: QueueRow, now: datetime) -> tuple[object, ...]:
    """Smaller is graver."""
    claim = row.claim
    days = claim.days_left if claim is not None and claim.days_left is not None else 10_000
    until = (row.next_start - now).total_seconds() if row.next_start is not None else float("inf")
    return (claim is None, days, until, row.detected_at, row.edit)
