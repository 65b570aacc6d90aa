"""Evidence items for the things that the gate looks at: ids, times and fixed words only (claims sheet, 13)."""

from collections.abc import Iterator

from calsync.claims.answer import EvidenceItem
from calsync.claims.case import Case, Decision, Drift, Observation, ReadResult, Record, Sent, SessionRow, Statement
from calsync.claims.policy import ClaimsPolicy


def of_record(record: Record) -> EvidenceItem:
    """The appointment as it is booked, with its version."""
    span = f"{record.start.isoformat()}/{record.end.isoformat()} {record.zone}"
    version = f" version {record.version}" if record.version is not None else ""
    return EvidenceItem(kind="record", id=record.id, says=f"{span} {record.status}{version}")


def of_read(read: Observation) -> EvidenceItem:
    """One attempt to read the event, or a calendar's stop."""
    if read.result is ReadResult.STOPPED:
        touched = {True: "touched", False: "not touched", None: "not known whether touched"}[read.touched]
        return EvidenceItem(kind="stop", id=read.calendar, at=read.read_at, says=touched)
    shown = f" as drift {read.drift} recorded" if read.drift is not None else ""
    version = f" version {read.version}" if read.version is not None else ""
    return EvidenceItem(kind="observation", id=read.calendar, at=read.read_at, says=f"{read.result}{shown}{version}")


def of_drift(drift: Drift) -> EvidenceItem:
    """An edit: kind, phase, what was seen, and what became of it."""
    seen = "/".join(
        one.isoformat() if one is not None else "unknown" for one in (drift.observed_start, drift.observed_end)
    )
    says = f"{drift.kind} {drift.scope} {drift.phase} {drift.resolution} {seen}"
    return EvidenceItem(kind="drift", id=drift.id, at=drift.detected_at, says=says)


def of_row(row: SessionRow) -> EvidenceItem:
    """A row of a session log."""
    who = row.who if row.who is not None else "not said who"
    return EvidenceItem(kind="session", id=row.id, at=row.start, says=f"until {row.end.isoformat()} {who}")


def of_statement(statement: Statement) -> EvidenceItem:
    """A person's word, with what was shown to them."""
    times = [one.isoformat() for one in (statement.start, statement.end, statement.date) if one is not None]
    words = [statement.by, str(statement.says), *times, "saw", *sorted(statement.saw)]
    return EvidenceItem(kind="statement", id=statement.id, at=statement.at, says=" ".join(words))


def of_decision(decision: Decision) -> EvidenceItem:
    """A person's ruling for this case."""
    says = f"{decision.by} {decision.about} {decision.says}"
    return EvidenceItem(kind="decision", id=decision.id, at=decision.at, says=says)


def of_policy(policy: ClaimsPolicy) -> EvidenceItem:
    """The policy that was applied, by name and hash."""
    return EvidenceItem(kind="policy", id=policy.name, says=f"sha256 {policy.fingerprint()}")


def of_sent(sent: Sent, kind: str) -> EvidenceItem:
    """A filed claim (`kind` "filed") or an issued clearance ("issued")."""
    return EvidenceItem(kind=kind, id=sent.id, says=f"{sent.date.isoformat()} {sent.code or 'no code'}")


def of_declaration(case: Case) -> EvidenceItem:
    """The provider row's declaration that there is no calendar."""
    since = case.provider.since.isoformat() if case.provider.since is not None else "no date"
    return EvidenceItem(kind="declaration", says=f"calendars {case.provider.calendars} since {since}")


def all_inputs(case: Case) -> Iterator[EvidenceItem]:
    """One item, without a rule, for everything in the case that can bear on the answer."""
    if case.record is not None:
        yield of_record(case.record)
    if case.provider.calendars is not None:
        yield of_declaration(case)
    yield from map(of_read, case.observations)
    yield from map(of_drift, case.drifts)
    yield from map(of_row, case.evidence)
    yield from map(of_statement, case.statements)
    yield from map(of_decision, case.decisions)
    for ask in case.asks:
        yield EvidenceItem(kind="ask", id=ask.about, at=ask.at, says=ask.who)
    for sent, kind in ((case.filed, "filed"), (case.issued, "issued")):
        if sent is not None:
            yield of_sent(sent, kind)


def with_inputs(found: list[EvidenceItem], case: Case, policy: ClaimsPolicy) -> tuple[EvidenceItem, ...]:
    """What was found, and every input that decided nothing, in one fixed order without repetitions."""
    ruled = [item for item in found if item.rule is not None]
    decided = {_what(item) for item in ruled}
    inputs = (*found, *all_inputs(case), of_policy(policy))
    idle = [item for item in inputs if _what(item) not in decided]
    return tuple(sorted({*ruled, *idle}, key=_order))


def _what(item: EvidenceItem) -> tuple[object, ...]:
    return (item.kind, item.id, item.at, item.says)


def _order(item: EvidenceItem) -> tuple[str, ...]:
    at = item.at.isoformat() if item.at is not None else ""
    return (item.kind, str(item.id), at, str(item.rule), item.says)
