"""The report's rows, from the books. Reads only; streams, so that a hundred thousand sessions need no more memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice

from sqlalchemy import Connection

from calsync.domain.drift import Drift, Resolution
from calsync.reports.build import (
    ABSENT,
    Edit,
    Report,
    Scope,
    Session,
    add_busy,
    add_edits,
    add_filings,
    add_recalls,
    add_sessions,
    add_sightings,
)
from calsync.store import busy, drifts, recalls, report_rows, statements
from calsync.store.database import Database
from calsync.store.drifts import DriftFilter
from calsync.store.report_rows import Period
from calsync.store.statements import StatementRow

_BLOCK = 500
_OTHERWISE = frozenset({"took-place", "another-day", "did-not-take-place"})


def gather(database: Database, scope: Scope) -> Report:
    """Everything that the books alone can tell; what the gate holds is added by whoever may ask it."""
    report = Report(scope)
    period = Period(scope.since, scope.until, scope.provider)
    with database.reading() as conn:
        add_sessions(report, _sessions(conn, period))
        add_edits(report, _edits(conn, scope))
        add_sightings(report, report_rows.sightings(conn, period))
        add_filings(report, report_rows.filed(conn, period))
        add_busy(report, _busy(conn, period))
        add_recalls(report, report_rows.recall_counts(conn, period), recalls.OPEN_STATES)
        report.calendars = report_rows.calendar_states(conn, scope.provider)
    return report


def sessions_over(database: Database, scope: Scope) -> Iterator[list[str]]:
    """Ids of the period's sessions that are over and may have a claim, a few hundred at a time."""
    assert scope.made_at is not None
    with database.reading() as conn:
        rows = report_rows.sessions(conn, Period(scope.since, scope.until, scope.provider))
        over = (row.id for row in rows if row.end_at <= scope.made_at and row.status not in ABSENT)
        while block := list(islice(over, _BLOCK)):
            yield block


def _sessions(conn: Connection, period: Period) -> Iterator[Session]:
    for row in report_rows.sessions(conn, period):
        yield Session(row.id, row.provider, row.start_at, row.end_at, row.status, row.in_step)


def _busy(conn: Connection, period: Period) -> Iterator[tuple[str, str, datetime, datetime]]:
    for one in busy.conflicts(conn, period.since, period.until, period.provider):
        yield one.appointment, one.calendar, one.busy_start_at, one.busy_end_at


def _edits(conn: Connection, scope: Scope) -> Iterator[Edit]:
    found = drifts.rows(conn, DriftFilter(provider=scope.provider, since=scope.since, until=scope.until))
    while block := list(islice(found, _BLOCK)):
        said = statements.of_appointments(conn, _answered(block))
        for one in block:
            words = [word for word in said.get(one.appointment or "", []) if one.id in word.saw]
            yield Edit(one, _was_otherwise(one, words))


def _was_otherwise(one: Drift, words: Sequence[StatementRow]) -> bool:
    """Whether it ended with another date, another length (and with it perhaps another code), or no session (P-12)."""
    if words:
        return any(_says_otherwise(one, word) for word in words)
    if one.resolution is not Resolution.RECORD_CORRECTED or one.expected is None:
        return False
    seen, booked = one.observed.span if one.observed is not None else None, one.expected.span
    return seen is None or (seen.local_date, seen.length) != (booked.local_date, booked.length)


def _says_otherwise(one: Drift, word: StatementRow) -> bool:
    if word.says != "took-place" or word.start is None or one.expected is None:
        return word.says in _OTHERWISE
    booked = one.expected.span
    length = word.end - word.start if word.end is not None else booked.length
    return word.start.date() != booked.local_date or length != booked.length


def _answered(block: Iterable[Drift]) -> list[str]:
    return [one.appointment for one in block if one.appointment is not None and one.resolution is not Resolution.OPEN]
