"""Rows of the books as the gate reads them: what is stored, in the words of a case. Pure; called by `casebook`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from calsync.claims.case import Decision, Drift, Presence, Provider, Record, Says, Sent, SessionRow, Statement
from calsync.domain.event import Appearance
from calsync.domain.span import Span, ZoneUnknown, zone_named
from calsync.store.claim_decisions import DecisionRow
from calsync.store.gate_values import ClearanceRow, DriftRow, EvidenceRow, FilingRow, RecordRow, StatementRow
from calsync.store.providers import ProviderRow

ABSENT = frozenset({"cancelled", "late-cancelled", "no-show"})
"""States of an appointment that nobody can have held."""

_NOBODY = frozenset({None, "import", "system"})


def span_of(row: RecordRow) -> Span | None:
    """The record's times, where they can be placed; where they cannot, the gate says why."""
    try:
        return Span(row.start, row.end, row.zone)
    except ValueError:
        return None


def record_of(row: RecordRow, times_since: datetime | None = None, read_at: datetime | None = None) -> Record:
    """The record as the gate judges it; `times_since` and `read_at` as there."""
    # A record that is missing from its source may be anything by now: whether it took place must be said anew.
    status = "missing" if row.missing_since is not None and row.status not in ABSENT else row.status
    return Record(
        id=row.id,
        provider=row.provider,
        client=row.client,
        start=row.start,
        end=row.end,
        zone=row.zone,
        kind=row.kind,
        status=status,
        code=row.code,
        pending=row.pending,
        pending_until=row.pending_until,
        session=row.session,
        series=row.series,
        client_zone=row.client_zone,
        provider_zone=row.provider_zone,
        payer=row.payer,
        completed_by_person=row.completed_by not in _NOBODY,
        version=str(row.version),
        times_since=times_since,
        read_at=read_at,
    )


def provider_of(row: ProviderRow | None) -> Provider:
    """What is said of the provider's calendars; nothing where they are not known."""
    if row is None:
        return Provider()
    return Provider(calendars=row.calendars, reason=row.calendars_reason, since=row.calendars_since)


def drift_of(row: DriftRow, zone: str) -> Drift:
    """What was seen, in the record's zone."""
    start, end = _times(row.observed, zone)
    return Drift(
        id=row.id,
        kind=row.kind,
        phase=row.phase,
        resolution=row.resolution,
        calendar=row.calendar,
        appointment=row.appointment,
        scope=row.scope,
        mixed=row.mixed,
        detected_at=row.detected_at,
        changed_at=row.changed_at,
        observed_start=start,
        observed_end=end,
    )


def _times(seen: Appearance | None, zone: str) -> tuple[datetime | None, datetime | None]:
    """What was seen, with its offset in the record's zone; a whole day is the same midnights wherever one is."""
    if seen is None:
        return None, None
    if seen.span.all_day:
        return seen.span.start, seen.span.end
    try:
        there = zone_named(zone)
    except ZoneUnknown:
        return seen.span.start_at, seen.span.end_at
    return seen.span.start_at.astimezone(there), seen.span.end_at.astimezone(there)


def session_of(row: EvidenceRow) -> SessionRow:
    """A row of a session log; who was there, where that is a word that is known."""
    who = Presence(row.who) if row.who in set(Presence) else None
    return SessionRow(id=row.id, start=row.start_at, end=row.end_at, source=row.source, who=who)


def statement_of(row: StatementRow) -> Statement:
    """What a person said."""
    return Statement(
        id=row.id,
        by=row.by,
        at=row.at,
        says=Says(row.says),
        saw=frozenset(row.saw),
        start=row.start,
        end=row.end,
        date=row.date,
    )


def decisions_of(row: RecordRow, known: Iterable[DecisionRow]) -> tuple[Decision, ...]:
    """The rulings that were made about the times that the record still has."""
    times = (row.start, row.end, row.zone)
    return tuple(
        Decision(id=one.id, by=one.by, at=one.at, about=one.about, says=one.says)
        for one in known
        if (one.start, one.end, one.zone) == times
    )


def filed_of(row: FilingRow) -> Sent:
    """What stands filed."""
    return Sent(id=row.id, date=row.date, code=row.code, against_gate=row.against_gate)


def issued_of(row: ClearanceRow) -> Sent | None:
    """The clearance that left, if it did."""
    return None if row.issued_at is None else Sent(id=row.id, date=row.date, code=row.code)
