"""From the books to what a calendar should show: expected event, slots and session ends. Reads only."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from calsync.domain.appointment import Appointment, Subject, SubjectKind
from calsync.domain.event import Event, OriginalStart
from calsync.domain.link import Link
from calsync.reconcile.case import Slot
from calsync.reconcile.expect import Privacy, expect_appointment, expect_block, expect_series, title_for
from calsync.store import clients, filings, records


@dataclass(frozen=True, slots=True)
class Session:
    """One appointment behind a subject, with its booked start and end (aware UTC)."""

    appointment: str
    original_start: OriginalStart
    start_at: datetime
    end_at: datetime


@dataclass(frozen=True, slots=True)
class SubjectFacts:
    """What the books say about one subject. `last_end` None: endless. `sessions`: those that calendars should show."""

    subject: Subject
    expected: Event | None
    slots: Mapping[OriginalStart, Slot]
    sessions: tuple[Session, ...]
    last_end: datetime | None
    first_start: datetime | None

    def read_due_after(self, read_at: datetime, settle: timedelta) -> datetime | None:
        """When the first session end that a read begun at `read_at` does not cover wants its own read (R-19)."""
        return min((s.end_at + settle for s in self.sessions if s.end_at + settle > read_at), default=None)

    def ended_by(self, at: datetime, settle: timedelta) -> bool:
        """Whether some session was over by then, so that a read would count for it."""
        return any(session.end_at + settle <= at for session in self.sessions)


@dataclass(frozen=True, slots=True)
class Showing:
    """Where a subject is to be shown: in whose calendar, under which UID, with how much of the client in the title."""

    provider: str
    uid: str
    privacy: str
    apart: bool = False  # the series cannot be one event here: each of its sessions is an event of its own


def shown_by(link: Link, privacy: str) -> Showing:
    """How a link on the books shows its subject: a session of a series that has a link of its own is shown apart."""
    return Showing(link.provider, link.uid, privacy, apart=link.subject.kind is SubjectKind.APPOINTMENT)


@dataclass(frozen=True, slots=True)
class AtHand:
    """Single appointments that were fetched together, and those of them for which something stands filed."""

    appointments: Mapping[str, Appointment]
    filed: frozenset[str]


def fetch(conn: Connection, subjects: Iterable[Subject]) -> AtHand:
    """Fetch the single appointments among these subjects; series and blocks are fetched one by one."""
    ids = [subject.id for subject in subjects if subject.kind is SubjectKind.APPOINTMENT]
    return AtHand(records.appointments_by_ids(conn, ids), frozenset(filings.filed_among(conn, ids)))


def facts_of(conn: Connection, subject: Subject, showing: Showing, *, at_hand: AtHand | None = None) -> SubjectFacts:
    """Return the facts of one subject; an unknown one, and one that moved to another provider, is not expected here.

    `at_hand`: what was fetched of it already.
    """
    if subject.kind is SubjectKind.SERIES:
        return _series_facts(conn, subject, showing)
    if subject.kind is SubjectKind.BLOCK:
        return _block_facts(conn, subject, showing)
    return _appointment_facts(conn, subject, showing, at_hand or fetch(conn, [subject]))


def _nothing(subject: Subject) -> SubjectFacts:
    return SubjectFacts(subject, None, {}, (), None, None)


def _appointment_facts(conn: Connection, subject: Subject, showing: Showing, at_hand: AtHand) -> SubjectFacts:
    appointment = at_hand.appointments.get(subject.id)
    if appointment is None or appointment.provider != showing.provider:
        return _nothing(subject)
    if appointment.series is not None:
        if not showing.apart:
            # An appointment that became part of a series is shown by the series' event.
            return _nothing(subject)
        appointment = replace(appointment, series=None, original_start=None)
    title = _title(conn, showing.privacy, appointment.id, appointment.client)
    expected = expect_appointment(appointment, title=title, uid=showing.uid)
    return SubjectFacts(
        subject,
        expected,
        _slots([appointment], at_hand.filed),
        _sessions([appointment]),
        appointment.span.end_at,
        appointment.span.start_at,
    )


def _series_facts(conn: Connection, subject: Subject, showing: Showing) -> SubjectFacts:
    series = records.series(conn, subject.id)
    if series is None or series.provider != showing.provider or showing.apart:
        return _nothing(subject)
    appointments = records.appointments_of_series(conn, subject.id)
    expected = expect_series(
        series, appointments, title=_title(conn, showing.privacy, series.id, series.client), uid=showing.uid
    )
    endless = "COUNT=" not in series.rule.upper() and "UNTIL=" not in series.rule.upper()
    last_end = None if endless else max((a.span.end_at for a in appointments), default=series.span.end_at)
    filed = filings.filed_among(conn, [one.id for one in appointments])
    return SubjectFacts(
        subject, expected, _slots(appointments, filed), _sessions(appointments), last_end, series.span.start_at
    )


def _block_facts(conn: Connection, subject: Subject, showing: Showing) -> SubjectFacts:
    block = records.block(conn, subject.id)
    if block is None or block.provider != showing.provider:
        return _nothing(subject)
    slots: dict[OriginalStart, Slot] = {None: Slot(appointment=None)}
    return SubjectFacts(
        subject, expect_block(block, uid=showing.uid), slots, (), block.span.end_at, block.span.start_at
    )


def _slots(appointments: Iterable[Appointment], filed: Collection[str]) -> dict[OriginalStart, Slot]:
    return {a.original_start: Slot(appointment=a.id, claimed=a.id in filed) for a in appointments}


def _sessions(appointments: Iterable[Appointment]) -> tuple[Session, ...]:
    return tuple(
        Session(a.id, a.original_start, a.span.start_at, a.span.end_at)
        for a in appointments
        if a.status.shows_in_calendars
    )


def _title(conn: Connection, privacy: str, number: str, client: str) -> str:
    # The name is fetched only where the practice's privacy setting asks for one.
    person = clients.get(conn, client) if privacy != Privacy.ID else None
    first, _, last = person.name.rpartition(" ") if person is not None else ("", "", "")
    return title_for(Privacy(privacy), number=number, first_name=first or last, last_name=last if first else "")
