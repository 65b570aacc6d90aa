"""The books: the record's own times and status, its siblings, and what was asked or filed (claims sheet, 11)."""

from dataclasses import replace
from datetime import date, datetime

from calsync.claims.answer import EvidenceItem
from calsync.claims.case import Case, Other, Record
from calsync.claims.evidence import of_decision, of_record, of_sent
from calsync.claims.findings import ABSENT, Bench, Finding, Findings
from calsync.claims.log import LogWord
from calsync.claims.policy import ClaimsPolicy, DateZone, Midnight
from calsync.claims.readings import Dates, Times, named_zones, spans, stored_zones, zone_named
from calsync.claims.reasons import AdvisoryCode, Party, ReasonCode, Rule

IN_BATCH = "in-batch"
BILLED = frozenset({IN_BATCH, "filed", "review", "recalled", "corrected"})
NOT_BILLED = frozenset({"not-billable", "self-pay", *ABSENT})
_SAYS_MIDNIGHT: dict[str, Midnight] = {"start": "start", "end": "end"}
_SAYS_ZONE: dict[str, DateZone] = {"record": "record", "provider": "provider", "client": "client"}


def ruled(case: Case, policy: ClaimsPolicy, findings: Findings) -> ClaimsPolicy:
    """The policy for this one case: a person's ruling on it goes before the practice's rule."""
    for one in sorted(case.decisions, key=lambda one: (one.at, one.id)):
        if one.about == ReasonCode.CROSSES_MIDNIGHT and one.says in _SAYS_MIDNIGHT:
            policy = replace(policy, midnight=_SAYS_MIDNIGHT[one.says])
            findings.note(of_decision(one), Rule.MIDNIGHT_RULE)
        elif one.about == ReasonCode.DATE_DEPENDS_ON_ZONE and one.says in _SAYS_ZONE:
            policy = replace(policy, date_zone=_SAYS_ZONE[one.says])
            findings.note(of_decision(one), Rule.ZONE_RULE)
    return policy


def place(record: Record, policy: ClaimsPolicy, findings: Findings) -> Times | None:
    """The record's times with every reading, or None with the reason why they cannot be placed."""
    named = named_zones(record, policy)
    zone = zone_named(record.zone)
    used = {whose: one for whose, name in named.items() if name is not None and (one := zone_named(name)) is not None}
    missing = [whose for whose in named if whose not in used]
    if zone is None or missing:
        why = f"{missing[0] if missing else 'record'} zone is missing or not an IANA zone"
        findings.hold(Finding(code=ReasonCode.ZONE_UNKNOWN, item=of_record(record), facts={"why": why}))
        return None
    readings = spans(record.start, record.end, zone)
    if not readings:
        facts = {"start": f"{record.start:%Y-%m-%d %H:%M}", "end": f"{record.end:%Y-%m-%d %H:%M}", "zone": record.zone}
        findings.hold(Finding(code=ReasonCode.LOCAL_TIME_GAP, item=of_record(record), facts=facts))
        return None
    return Times(zone, Dates(tuple(used.values()), policy.midnight), readings)


def weigh_dates(bench: Bench) -> None:
    """Hold when the record itself has more than one date; say which dates it can have, and which rule chose."""
    item = of_dates(bench)
    bench.findings.note(item, None)
    bench.judge_dates(bench.times.spans, "the session", item)
    if bench.policy.date_zone == "hold":
        return
    stored = stored_zones(bench.record).values()
    zones = tuple(zone for name in stored if (zone := zone_named(name)) is not None)
    if Dates(zones, bench.policy.midnight).depend_on_zone(bench.times.spans):
        bench.findings.note(item, Rule.ZONE_RULE)


def of_dates(bench: Bench) -> EvidenceItem:
    """Every date that the record can have, with the reading it comes from."""
    days = " ".join(sorted(day.isoformat() for day in bench.times.days))
    read = " ".join(f"{span.start.isoformat()}/{span.end.isoformat()}" for span in bench.times.spans)
    zones = " ".join(dict.fromkeys(zone.key for zone in bench.times.dates.zones))
    return EvidenceItem(kind="dates", id=bench.record.id, says=f"{days} from {read} in {zones}")


def weigh_record(bench: Bench, end: datetime, log: LogWord) -> None:
    """Hold unless the session is over, its attendance recorded, and no request open."""
    record, item = bench.record, of_record(bench.record)
    if bench.now < end:
        finding = Finding(
            code=ReasonCode.SESSION_NOT_OVER,
            item=item,
            facts={"end": bench.times.show(end)},
            next_at=end + bench.policy.settle,
        )
        bench.findings.hold(finding)
    elif record.status not in {"completed", *ABSENT}:
        facts = {"start": bench.times.show(record.start), "why": ""}
        bench.findings.hold(Finding(code=ReasonCode.NOT_COMPLETED, item=item, facts=facts))
    elif _was_told_too_early(bench) and not log.proves:
        why = f" since its end: the platform's table was last read {bench.times.show(record.read_at)}"
        facts = {"start": bench.times.show(record.start), "why": why}
        told = Finding(code=ReasonCode.NOT_COMPLETED, item=item, facts=facts, waiting_on=Party.SYSTEM)
        bench.findings.hold(told)
    if record.pending is not None:
        facts = {"expiry": bench.times.show(record.pending_until)}
        pending = Finding(code=ReasonCode.RESCHEDULE_PENDING, item=item, facts=facts, next_at=record.pending_until)
        bench.findings.hold(pending)


def _was_told_too_early(bench: Bench) -> bool:
    """Whether what is known of attendance was read before the session's end, and its platform never asked since.

    A table that cannot be read, or must not be until somebody has looked, may say otherwise by now.
    """
    record = bench.record
    if record.status != "completed" or record.completed_by_person or record.read_at is None:
        return False
    return record.read_at <= bench.times.end


def not_billable(record: Record, policy: ClaimsPolicy) -> Finding | None:
    """Why no insured service took place by the record's own word, or None."""
    code = ABSENT.get(record.status)
    if code is None and "self" in (record.payer, record.kind.removesuffix("-pay")):
        code = ReasonCode.SELF_PAY
    if code is None and record.code in policy.internal_codes:
        code = ReasonCode.INTERNAL_CODE
    return None if code is None else Finding(code=code, item=of_record(record), facts={"why": code})


def weigh_siblings(bench: Bench) -> None:
    """Other appointments that a payer would take this claim for a duplicate of."""
    for other in bench.case.others:
        if _is_duplicate(bench, other):
            logged = bench.times.show(other.start) if other.start is not None else "time unknown"
            _hold_sibling(bench, ReasonCode.SAME_DAY_SAME_CODE, other, logged)
        elif _overlaps(bench, other) and _is_billed_beside(bench, other):
            _hold_sibling(bench, ReasonCode.SESSIONS_OVERLAP, other, bench.times.show(other.start))
        if _is_billed_already(bench, other):
            _hold_sibling(bench, ReasonCode.SESSION_ALREADY_BILLED, other)
        if _overlaps(bench, other):
            facts = {"other": other.id, "logged": bench.times.show(other.start)}
            bench.findings.advise(AdvisoryCode.OVERLAPPING_SESSION, **facts)


def _hold_sibling(bench: Bench, code: ReasonCode, other: Other, logged: str = "") -> None:
    item = EvidenceItem(kind="record", id=other.id, says=other.state)
    bench.findings.hold(Finding(code=code, item=item, facts={"other": other.id, "logged": logged}))


def _is_duplicate(bench: Bench, other: Other) -> bool:
    record = bench.record
    if record.code is None or other.state in NOT_BILLED or _is_distinct(bench, other):
        return False
    same = (other.provider, other.client) == (record.provider, record.client)
    same = same and record.code in {other.code, *other.cleared_codes}
    return same and bool(_days(bench, other) & bench.times.days)


def _is_distinct(bench: Bench, other: Other) -> bool:
    about = ReasonCode.SAME_DAY_SAME_CODE
    ruling = next((one for one in bench.case.decisions if one.about == about and one.says == other.id), None)
    return ruling is not None


def _days(bench: Bench, other: Other) -> frozenset[date]:
    if other.date is not None:
        return frozenset({other.date})
    return bench.times.dates.of(bench.times.read(other.start, other.end))


def _overlaps(bench: Bench, other: Other) -> bool:
    """Whether the same provider has another session at the same time, and no group or couple explains it (P-14)."""
    record = bench.record
    code = bench.policy.code_rule(record.code)
    together = (record.session is not None and record.session == other.session) or (code and code.per_client)
    if together or bench.absent or other.provider != record.provider or other.state in NOT_BILLED:
        return False
    theirs = bench.times.read(other.start, other.end)
    return any(span.overlaps(one) for span in bench.times.spans for one in theirs)


def _is_billed_beside(bench: Bench, other: Other) -> bool:
    """Whether both would be billed, and nobody has said that both took place (P-14); what went out stays out."""
    return other.state in BILLED and bench.case.filed is None and not _is_distinct(bench, other)


def _is_billed_already(bench: Bench, other: Other) -> bool:
    rule = bench.policy.code_rule(bench.record.code)
    if bench.record.session is None or (rule is not None and rule.per_client):
        return False
    return other.session == bench.record.session and other.state in BILLED


def weigh_question(bench: Bench, asked: date | None, *, correction: bool) -> None:
    """Hold when the date asked for is not the session's, or an original was filed already."""
    days = ", ".join(sorted(day.isoformat() for day in bench.times.days))
    if asked is not None and asked not in bench.times.days:
        item = EvidenceItem(kind="dates", id=bench.record.id, says=f"asked {asked.isoformat()}, verified {days}")
        facts = {"asked": asked.isoformat(), "date": days}
        bench.findings.hold(Finding(code=ReasonCode.DATE_MISMATCH, item=item, facts=facts))
    filed = bench.case.filed
    if asked is not None and filed is not None and not correction:
        facts = {"date": filed.date.isoformat(), "filed": filed.id}
        bench.findings.hold(Finding(code=ReasonCode.ALREADY_FILED, item=of_sent(filed, "filed"), facts=facts))
