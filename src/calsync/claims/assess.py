"""`assess`: the whole gate. Pure: the same case, moment and policy give the same answer, byte for byte.

Every reading of "when was this session, and did it take place?" is collected; a reading is struck out only by
something of a higher rank; what is left must be one date, or the claim is held. All reasons are collected, not the
first one only. The rules and their numbers are those of the claims sheet, 11.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from calsync.claims.answer import Advisory, Answer, EvidenceItem
from calsync.claims.books import not_billable, place, ruled, weigh_dates, weigh_question, weigh_record, weigh_siblings
from calsync.claims.calendars import CalendarsJudge
from calsync.claims.case import Case, Record
from calsync.claims.drifts import Answers, Question, harmless_moves, weigh_drifts
from calsync.claims.evidence import of_sent, with_inputs
from calsync.claims.findings import Bench, Finding, Findings
from calsync.claims.log import weigh_log
from calsync.claims.minutes import weigh_minutes
from calsync.claims.policy import ClaimsPolicy
from calsync.claims.readings import Span, Times
from calsync.claims.reasons import PERHAPS_IT_TOOK_PLACE, AdvisoryCode, ReasonCode, Verdict
from calsync.claims.sessions import weigh_sessions
from calsync.claims.standing import Assessment, Standing, stand
from calsync.claims.waiting import Waiting, sentence
from calsync.claims.words import weigh_words

_OF_AN_ABSENCE = frozenset(
    {
        AdvisoryCode.DRIFT_ANSWERED_BY_LOG,
        AdvisoryCode.TIME_DIFFERS,
        AdvisoryCode.TIME_UNCONFIRMED,
        AdvisoryCode.SERIES_EDIT_COLLATERAL,
    }
)


@dataclass
class _Weighed:
    """What the rooms left behind, beside their findings."""

    findings: Findings = field(default_factory=Findings)
    times: Times | None = None
    questions: tuple[Question, ...] = ()
    shown_elsewhere: bool = False
    length: timedelta | None = None


def assess(
    case: Case, now: datetime, policy: ClaimsPolicy, asked: date | None = None, *, correction: bool = False
) -> Answer:
    """Say whether this claim may be sent, and with which date of service.

    `now` is an aware instant. `asked` is the date that somebody wants to bill, None when nobody asks for one;
    `correction` says that it is asked for as a replacement of what was filed. The answer's `date_of_service` is set
    only when it is cleared. Whatever cannot be read in the case holds.
    """
    weighed = _Weighed()
    policy = ruled(case, policy, weighed.findings)
    if case.record is None:
        item = EvidenceItem(kind="record", id=case.appointment, says="not on the books")
        facts = {"appointment": case.appointment or "of that id"}
        weighed.findings.hold(Finding(code=ReasonCode.UNKNOWN_APPOINTMENT, item=item, facts=facts))
        return _conclude(case, now, policy, weighed)
    weighed.times = place(case.record, policy, weighed.findings)
    if weighed.times is not None:
        bench = Bench(case, case.record, now, policy, weighed.times, weighed.findings)
        _weigh(bench, weighed)
        weigh_question(bench, asked, correction=correction)
    return _conclude(case, now, policy, weighed)


def _weigh(bench: Bench, weighed: _Weighed) -> None:
    """All rooms, highest rank first."""
    weigh_dates(bench)
    log = weigh_log(bench)
    answers = Answers(log, weigh_sessions(bench, log_proves=log.proves), weigh_words(bench))
    harmless = harmless_moves(bench, answers)
    end = session_end(bench, (*answers.words.spans, *(span for spans in harmless.values() for span in spans)))
    drifts = weigh_drifts(bench, answers, harmless, end)
    unexplained = CalendarsJudge(bench, end, drifts, log).weigh()
    weigh_record(bench, end, log)
    weighed.length = weigh_minutes(bench, answers)
    weigh_siblings(bench)
    weighed.questions = (*drifts.questions, *unexplained)
    weighed.shown_elsewhere = drifts.shown_elsewhere


def session_end(bench: Bench, possible: Iterable[Span]) -> datetime:
    """The latest moment at which the session can have ended (rule 7).

    By the booking, a log, an attestation, or a move that was let pass.
    """
    logged = (max(row.start, row.end) for row in bench.case.evidence)
    return max((bench.times.end, *logged, *(span.end for span in possible)))


def _conclude(case: Case, now: datetime, policy: ClaimsPolicy, weighed: _Weighed) -> Answer:
    verdict, kept = _verdict(case.record, policy, weighed.findings)
    days = weighed.times.days if weighed.times is not None else frozenset()
    found = Assessment(
        verdict=verdict,
        day=min(days) if len(days) == 1 else None,
        code=case.record.code if case.record is not None else None,
        findings=kept,
        questions=weighed.questions,
        shown_elsewhere=weighed.shown_elsewhere,
        zone=weighed.times.zone if weighed.times is not None else UTC,
    )
    standing = stand(case, found, now, policy)
    waiting = Waiting(asks=case.asks, now=now, policy=policy, standing=standing)
    reasons = waiting.reasons(kept)
    party = reasons[0].waiting_on if reasons else None
    day = found.day if verdict is Verdict.CLEARED else None
    return Answer(
        appointment=case.record.id if case.record is not None else case.appointment,
        verdict=verdict,
        state=standing.state,
        date_of_service=day,
        reasons=reasons,
        advisories=_advisories(verdict, weighed.findings),
        evidence=with_inputs(_evidence(case, standing, kept, weighed.findings), case, policy),
        recall=standing.recall,
        waiting_on=party,
        asked_at=waiting.asked_at(party),
        next_step_at=waiting.next_step_at(reasons),
        file_by=_file_by(verdict, days, policy),
        sentence=sentence(reasons, f"Cleared for {day.isoformat() if day is not None else ''}."),
        code=found.code,
        length=weighed.length,
    )


def _verdict(record: Record | None, policy: ClaimsPolicy, findings: Findings) -> tuple[Verdict, tuple[Finding, ...]]:
    """The verdict and the findings that bear it (rule 12).

    An absence needs no other reason, unless it is in doubt itself.
    """
    absence = not_billable(record, policy) if record is not None else None
    placed = not findings.codes & {ReasonCode.ZONE_UNKNOWN, ReasonCode.LOCAL_TIME_GAP}
    if absence is None or not placed:
        return (Verdict.HELD if findings.held else Verdict.CLEARED), tuple(findings.held)
    doubts = tuple(one for one in findings.held if one.code in PERHAPS_IT_TOOK_PLACE)
    return (Verdict.HELD if doubts else Verdict.NOT_BILLABLE), (absence, *doubts)


def _advisories(verdict: Verdict, findings: Findings) -> tuple[Advisory, ...]:
    relevant = (one for one in findings.advisories if verdict is not Verdict.NOT_BILLABLE or one.code in _OF_AN_ABSENCE)
    return tuple(sorted(relevant, key=lambda one: (one.code, one.text)))


def _evidence(case: Case, standing: Standing, kept: tuple[Finding, ...], findings: Findings) -> list[EvidenceItem]:
    borne_out = Findings(evidence=list(findings.evidence))
    for one in kept:
        borne_out.note(one.item, one.code)
    sent = case.filed or case.issued
    if sent is not None and standing.rule is not None:
        borne_out.note(of_sent(sent, "filed" if case.filed is not None else "issued"), standing.rule)
    return borne_out.evidence


def _file_by(verdict: Verdict, days: frozenset[date], policy: ClaimsPolicy) -> date | None:
    if verdict is not Verdict.HELD or not days or policy.timely_filing_days is None:
        return None
    return min(days) + timedelta(days=policy.timely_filing_days)
