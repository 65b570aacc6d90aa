"""The cases of many appointments, read from the books in a few statements for hundreds at a time. Reads only.

Called by `gate`, for `claims check`, the worker's re-assessments and the reports alike, so that all of them judge the
same case.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from itertools import pairwise

from sqlalchemy import Connection

from calsync.claims.case import Ask, Case, Other
from calsync.claims.case_calendars import CalendarRows, calendars_of_case
from calsync.claims.case_rows import (
    ABSENT,
    decisions_of,
    drift_of,
    filed_of,
    issued_of,
    provider_of,
    record_of,
    session_of,
    span_of,
    statement_of,
)
from calsync.claims.policy import ClaimsPolicy
from calsync.claims.rules import GateRules
from calsync.domain.appointment import Subject
from calsync.store import claim_decisions, gate_lookups, gate_rows, providers, record_sources
from calsync.store.claim_decisions import DecisionRow
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
from calsync.store.providers import ProviderRow

NEAR = timedelta(hours=48)
"""Appointments of the same client that start within this are looked at as possible neighbours."""

_BLOCK = 500


@dataclass(frozen=True, slots=True)
class CaseFile:
    """One case, with the policy it is judged by and the rows that an answer is kept against.

    `observes`: the practice only observes. `clearance` is the one in force, `filing` what stands filed. `format` is how
    the session was held, as the record has it; `recalls_at` when billing is told of recalls, on the session's clock.
    """

    appointment: str
    case: Case
    policy: ClaimsPolicy
    observes: bool = False
    clearance: ClearanceRow | None = None
    filing: FilingRow | None = None
    format: str | None = None
    recalls_at: time = time(17, 30)


def open_cases(conn: Connection, ids: Iterable[str], rules: GateRules, now: datetime) -> Iterator[CaseFile]:
    """The case of every id, known or not; grouped by client, not in the order asked for."""
    wanted = list(dict.fromkeys(ids))
    known = gate_rows.records(conn, wanted)
    for one in wanted:
        if one not in known:
            policy = rules.policy("default", "insurance")
            yield CaseFile(one, Case(record=None, appointment=one), policy, rules.observes("default"))
    # Neighbours are looked up by client: with clients together, no row is read twice.
    ordered = sorted(known.values(), key=lambda row: (row.client, row.start_at))
    providers_known = providers.by_ids(conn, {row.provider for row in ordered})
    table_read_at = _table_read_at(conn, rules)
    for start in range(0, len(ordered), _BLOCK):
        block = _Block.read(conn, ordered[start : start + _BLOCK], providers_known)
        yield from replace(block, table_read_at=table_read_at).cases(rules, now)


def _table_read_at(conn: Connection, rules: GateRules) -> datetime | None:
    """When the platform's table was last read; None where records come in other ways."""
    if not rules.settings.records.is_elsewhere:
        return None
    return record_sources.get(conn, record_sources.SQL_TABLE).read_at


@dataclass(frozen=True, slots=True)
class _Block:
    """Everything that was read about one block of appointments."""

    records: Sequence[RecordRow]
    providers: dict[str, ProviderRow]
    links: dict[Subject, list[LinkRow]]
    calendars: dict[str, list[CalendarRow]]
    calendars_by_id: dict[str, CalendarRow]
    stops: dict[str, list[StopRow]]
    observations: dict[str, list[ObservationRow]]
    drifts: dict[str, list[DriftRow]]
    evidence: dict[str, list[EvidenceRow]]
    statements: dict[str, list[StatementRow]]
    asks: dict[str, list[AskRow]]
    filings: dict[str, FilingRow]
    clearances: dict[str, ClearanceRow]
    decisions: dict[str, list[DecisionRow]]
    neighbours: dict[str, list[NeighbourRow]]
    sharing: dict[str, list[NeighbourRow]]
    overlapping: dict[str, list[NeighbourRow]]
    cleared_codes: dict[str, frozenset[str]]
    times_since: dict[str, datetime]
    table_read_at: datetime | None = None

    @classmethod
    def read(cls, conn: Connection, records: Sequence[RecordRow], known: dict[str, ProviderRow]) -> _Block:
        """Read it all, a handful of statements however many appointments there are."""
        ids = [row.id for row in records]
        links = gate_rows.links_of(conn, {subject for row in records for subject in row.subjects})
        named = {link.calendar for found in links.values() for link in found}
        calendars = gate_rows.calendars_of(conn, {row.provider for row in records}, named)
        of_provider: dict[str, list[CalendarRow]] = defaultdict(list)
        for calendar in calendars.values():
            of_provider[calendar.provider].append(calendar)
        neighbours = gate_rows.neighbours(
            conn,
            {row.client for row in records},
            min(row.start_at for row in records) - NEAR,
            max(row.start_at for row in records) + NEAR,
        )
        sharing = gate_rows.sharing(conn, {row.session for row in records if row.session is not None})
        overlapping = gate_lookups.overlapping(conn, ids)
        observations = gate_rows.observations_of(conn, ids)
        groups = (*neighbours.values(), *sharing.values(), *overlapping.values())
        beside = {one.id for group in groups for one in group}
        return cls(
            records=records,
            providers=known,
            links=links,
            calendars=dict(of_provider),
            calendars_by_id=calendars,
            stops=gate_rows.standing_stops(conn),
            observations=observations,
            drifts=gate_rows.drifts_of(conn, ids),
            evidence=gate_rows.evidence_of(conn, ids),
            statements=gate_rows.statements_of(conn, ids),
            asks=gate_rows.asks_of(conn, ids),
            filings=gate_rows.filings_of(conn, sorted(beside | set(ids))),
            clearances=gate_rows.clearances_of(conn, ids),
            decisions=claim_decisions.of_appointments(conn, ids),
            neighbours=neighbours,
            sharing=sharing,
            overlapping=overlapping,
            cleared_codes=gate_lookups.codes_cleared(conn, _of_one_client(neighbours)),
            times_since=gate_lookups.times_since(conn, [row.id for row in records if _written_late(row, observations)]),
        )

    def cases(self, rules: GateRules, now: datetime) -> Iterator[CaseFile]:
        """Every case of the block."""
        for row in self.records:
            provider = self.providers.get(row.provider)
            practice = provider.practice if provider is not None else "default"
            yield CaseFile(
                appointment=row.id,
                case=self._case(row, provider, rules, now),
                policy=rules.policy(practice, row.payer),
                observes=rules.observes(practice),
                clearance=self.clearances.get(row.id),
                filing=self.filings.get(row.id),
                format=row.format,
                recalls_at=rules.settings.claims.recalls_at,
            )

    def _case(self, row: RecordRow, provider: ProviderRow | None, rules: GateRules, now: datetime) -> Case:
        drifts = self.drifts.get(row.id, [])
        span = span_of(row)
        observations, next_reads = (
            ((), ())
            if span is None
            else calendars_of_case(
                self._calendar_rows(row, drifts), span, now=now, window_past=rules.settings.sync.window_past
            )
        )
        filing, clearance = self.filings.get(row.id), self.clearances.get(row.id)
        return Case(
            record=record_of(row, self.times_since.get(row.id), self._read_at(row)),
            provider=provider_of(provider),
            drifts=tuple(drift_of(one, row.zone) for one in drifts),
            observations=observations,
            next_reads=next_reads,
            evidence=tuple(map(session_of, self.evidence.get(row.id, []))),
            statements=tuple(map(statement_of, self.statements.get(row.id, []))),
            others=tuple(self._others(row)),
            asks=tuple(
                Ask(about=one.about, who=one.who, at=one.at, next_at=one.next_at) for one in self.asks.get(row.id, [])
            ),
            decisions=decisions_of(row, self.decisions.get(row.id, [])),
            filed=None if filing is None else filed_of(filing),
            issued=None if clearance is None or filing is not None else issued_of(clearance),
        )

    def _read_at(self, row: RecordRow) -> datetime | None:
        return self.table_read_at if row.origin == record_sources.OF_SQL_TABLE else None

    def _calendar_rows(self, row: RecordRow, drifts: Sequence[DriftRow]) -> CalendarRows:
        links = [link for subject in row.subjects for link in self.links.get(subject, []) if _counts(row, link)]
        calendars = {one.id: one for one in self.calendars.get(row.provider, [])}
        calendars |= {link.calendar: self.calendars_by_id[link.calendar] for link in links if self._knows(link)}
        return CalendarRows(row, calendars, links, self.observations.get(row.id, []), drifts, self.stops)

    def _knows(self, link: LinkRow) -> bool:
        return link.calendar in self.calendars_by_id

    def _others(self, row: RecordRow) -> Iterator[Other]:
        near = [one for one in self.neighbours.get(row.client, []) if abs(one.start_at - row.start_at) <= NEAR]
        shared = self.sharing.get(row.session, []) if row.session is not None else []
        beside = self.overlapping.get(row.id, [])
        for one in {other.id: other for other in (*near, *shared, *beside) if other.id != row.id}.values():
            yield Other(
                id=one.id,
                provider=one.provider,
                client=one.client,
                code=self._code(one),
                state=self._state(one),
                session=one.session,
                start=one.start_at,
                end=one.end_at,
                cleared_codes=self.cleared_codes.get(one.id, frozenset()),
            )

    def _code(self, other: NeighbourRow) -> str | None:
        """The code that a payer knows it by: the one that was filed, else the planned one."""
        filing = self.filings.get(other.id)
        return (filing.code if filing is not None else None) or other.code

    def _state(self, other: NeighbourRow) -> str:
        filing = self.filings.get(other.id)
        if filing is not None:
            return filing.state
        if other.status in ABSENT:
            return other.status
        return "self-pay" if other.payer == "self" else "held"


def _counts(row: RecordRow, link: LinkRow) -> bool:
    """A link of the session's own ends when its series takes over: from then on it says nothing of the session."""
    own = row.series is not None and link.subject == row.id
    return not own or link.ended_at is None or link.ended_at > row.end_at


def _of_one_client(neighbours: dict[str, list[NeighbourRow]]) -> Iterator[str]:
    """Those that have another session of their client near them; each group stands in the order of time."""
    for group in neighbours.values():
        for one, following in pairwise(group):
            if following.start_at - one.start_at <= NEAR:
                yield from (one.id, following.id)


def _written_late(row: RecordRow, seen: dict[str, list[ObservationRow]]) -> bool:
    """Whether we wrote to its event after it had begun: then it matters since when it has had its times."""
    return any(one.written_at is not None and one.written_at >= row.start_at for one in seen.get(row.id, ()))
