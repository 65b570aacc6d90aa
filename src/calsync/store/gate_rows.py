"""What the claims gate reads, in bulk and no wider than it needs: a few statements for hundreds of appointments.

Every reader takes ids and gives rows back grouped by what they belong to, oldest first; ids without rows are left out.
Called by `claims.casebook` only; everybody else has the tables' own modules.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Connection, Select, bindparam, select

from calsync.domain.appointment import Subject, SubjectKind
from calsync.domain.drift import COSMETIC
from calsync.store.gate_values import (
    AskRow,
    CalendarRow,
    ClearanceRow,
    DriftRow,
    EvidenceRow,
    FilingRow,
    LinkRow,
    NeighbourRow,
    ObservationRow,
    RecordRow,
    StatementRow,
    StopRow,
)
from calsync.store.rows import Shape, chunks
from calsync.store.schema import calendars, drifts, links, observations, stops
from calsync.store.schema_claims import asks, clearances, filings, session_evidence, statements
from calsync.store.schema_records import appointments

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")


def records(conn: Connection, ids: Iterable[str]) -> dict[str, RecordRow]:
    """Those of the appointments that are on the books, by id."""
    return {one.id: one for part in chunks(ids) for one in _RECORD.all(conn, _RECORDS, {"ids": part})}


def links_of(conn: Connection, subjects: Iterable[Subject]) -> dict[Subject, list[LinkRow]]:
    """All links of the subjects, whatever became of them."""
    by_kind: dict[SubjectKind, set[str]] = defaultdict(set)
    for subject in subjects:
        by_kind[subject.kind].add(subject.id)
    found: dict[Subject, list[LinkRow]] = defaultdict(list)
    for kind, ids in by_kind.items():
        for part in chunks(sorted(ids)):
            for one in _LINK.all(conn, _LINKS, {"the_kind": kind.value, "ids": part}):
                found[Subject(kind, one.subject)].append(one)
    return dict(found)


def calendars_of(conn: Connection, providers: Iterable[str], ids: Iterable[str] = ()) -> dict[str, CalendarRow]:
    """The providers' calendars and the ones named, removed ones as well, by id."""
    rows = [one for part in chunks(sorted(set(providers))) for one in _CALENDAR.all(conn, _CALENDARS, {"ids": part})]
    rows += [one for part in chunks(sorted(set(ids))) for one in _CALENDAR.all(conn, _NAMED, {"ids": part})]
    return {one.id: one for one in rows}


def standing_stops(conn: Connection) -> dict[str, list[StopRow]]:
    """The stops and pauses that nobody has released, by calendar."""
    return _grouped(_STOP.all(conn, _STOPS), "calendar")


def observations_of(conn: Connection, ids: Iterable[str]) -> dict[str, list[ObservationRow]]:
    """The readings of each appointment."""
    return _of_appointments(conn, _OBSERVATION, _OBSERVATIONS, ids)


def drifts_of(conn: Connection, ids: Iterable[str]) -> dict[str, list[DriftRow]]:
    """The guarded drifts of each appointment, settled ones as well."""
    return _of_appointments(conn, _DRIFT, _DRIFTS, ids)


def evidence_of(conn: Connection, ids: Iterable[str]) -> dict[str, list[EvidenceRow]]:
    """The session logs of each appointment."""
    return _of_appointments(conn, _EVIDENCE, _EVIDENCES, ids)


def statements_of(conn: Connection, ids: Iterable[str]) -> dict[str, list[StatementRow]]:
    """What people said of each appointment."""
    return _of_appointments(conn, _STATEMENT, _STATEMENTS, ids)


def asks_of(conn: Connection, ids: Iterable[str]) -> dict[str, list[AskRow]]:
    """The questions that were sent about each appointment."""
    return _of_appointments(conn, _ASK, _ASKS, ids)


def filings_of(conn: Connection, ids: Iterable[str]) -> dict[str, FilingRow]:
    """What stands filed, by appointment."""
    return {key: found[-1] for key, found in _of_appointments(conn, _FILING, _FILINGS, ids).items()}


def clearances_of(conn: Connection, ids: Iterable[str]) -> dict[str, ClearanceRow]:
    """The clearance in force, by appointment."""
    return {key: found[-1] for key, found in _of_appointments(conn, _CLEARANCE, _CLEARANCES, ids).items()}


def neighbours(
    conn: Connection, clients: Iterable[str], since: datetime, until: datetime
) -> dict[str, list[NeighbourRow]]:
    """The clients' appointments that start from `since` to `until`, by client."""
    rows = [
        one
        for part in chunks(sorted(set(clients)))
        for one in NEIGHBOUR.all(conn, _NEIGHBOURS, {"ids": part, "since": since, "until": until})
    ]
    return _grouped(rows, "client")


def sharing(conn: Connection, sessions: Iterable[str]) -> dict[str, list[NeighbourRow]]:
    """The appointments that share one of these sessions (couples, groups), by session."""
    rows = [one for part in chunks(sorted(set(sessions))) for one in NEIGHBOUR.all(conn, _SHARING, {"ids": part})]
    return _grouped(rows, "session")


def _of_appointments(
    conn: Connection, shape: Shape[T], statement: Select[Any], ids: Iterable[str]
) -> dict[str, list[T]]:
    return _grouped((one for part in chunks(ids) for one in shape.all(conn, statement, {"ids": part})), "appointment")


def _grouped(rows: Iterable[T], name: str) -> dict[str, list[T]]:
    found: dict[str, list[T]] = defaultdict(list)
    for one in rows:
        found[getattr(one, name)].append(one)
    return dict(found)


def _date(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


_IDS: Any = bindparam("ids", expanding=True)
_RECORD = Shape(appointments, RecordRow)
_LINK = Shape(links, LinkRow)
_CALENDAR = Shape(calendars, CalendarRow)
_STOP = Shape(stops, StopRow, touched=frozenset)
_OBSERVATION = Shape(observations, ObservationRow)
_DRIFT = Shape(drifts, DriftRow)
_EVIDENCE = Shape(session_evidence, EvidenceRow)
_STATEMENT = Shape(statements, StatementRow, saw=tuple, date=_date)
_ASK = Shape(asks, AskRow)
_FILING = Shape(filings, FilingRow, date=_date)
_CLEARANCE = Shape(clearances, ClearanceRow, date=_date)
NEIGHBOUR = Shape(appointments, NeighbourRow)

_RECORDS = select(*_RECORD.columns).where(appointments.c.id.in_(_IDS))
_LINKS = (
    select(*_LINK.columns)
    .where(links.c.subject_kind == bindparam("the_kind"), links.c.subject.in_(_IDS))
    .order_by(links.c.calendar, links.c.generation)
)
_CALENDARS = select(*_CALENDAR.columns).where(calendars.c.provider.in_(_IDS)).order_by(calendars.c.id)
_NAMED = select(*_CALENDAR.columns).where(calendars.c.id.in_(_IDS))
_STOPS = select(*_STOP.columns).where(stops.c.released_at.is_(None)).order_by(stops.c.started_at)
_OBSERVATIONS = select(*_OBSERVATION.columns).where(observations.c.appointment.in_(_IDS)).order_by(observations.c.seq)
_DRIFTS = (
    select(*_DRIFT.columns)
    .where(drifts.c.appointment.in_(_IDS), drifts.c.kind.not_in([kind.value for kind in sorted(COSMETIC)]))
    .order_by(drifts.c.detected_at, drifts.c.id)
)
_EVIDENCES = (
    select(*_EVIDENCE.columns)
    .where(session_evidence.c.appointment.in_(_IDS))
    .order_by(session_evidence.c.start_at, session_evidence.c.id)
)
_STATEMENTS = (
    select(*_STATEMENT.columns).where(statements.c.appointment.in_(_IDS)).order_by(statements.c.at, statements.c.id)
)
_ASKS = select(*_ASK.columns).where(asks.c.appointment.in_(_IDS)).order_by(asks.c.at, asks.c.id)
_FILINGS = (
    select(*_FILING.columns)
    .where(filings.c.appointment.in_(_IDS), filings.c.ended_at.is_(None))
    .order_by(filings.c.filed_at, filings.c.id)
)
_CLEARANCES = (
    select(*_CLEARANCE.columns)
    .where(clearances.c.appointment.in_(_IDS), clearances.c.ended_at.is_(None))
    .order_by(clearances.c.at, clearances.c.id)
)
_a = appointments.c
_NEIGHBOURS = (
    select(*NEIGHBOUR.columns)
    .where(
        _a.client.in_(_IDS),
        _a.start_at >= bindparam("since", type_=_a.start_at.type),
        _a.start_at <= bindparam("until", type_=_a.start_at.type),
    )
    .order_by(_a.start_at, _a.id)
)
_SHARING = select(*NEIGHBOUR.columns).where(_a.session.in_(_IDS)).order_by(_a.start_at, _a.id)
