"""The edits of this appointment: which are answered, which wait, and what they leave possible (section 11, rule 6)."""

from dataclasses import dataclass
from datetime import datetime

from calsync.claims.case import Drift
from calsync.claims.evidence import of_drift
from calsync.claims.findings import Bench, Finding
from calsync.claims.log import LogWord
from calsync.claims.neighbours import overlaps_other
from calsync.claims.readings import Span
from calsync.claims.reads import linked_calendars, proven_before, reads_of
from calsync.claims.reasons import AdvisoryCode, ReasonCode, Rule
from calsync.claims.sessions import SessionsWord
from calsync.claims.words import Words

_CLOSED = frozenset({"acknowledged", "adopted", "superseded", "record-corrected", "ignored", "withdrawn"})
_ACCEPTED = frozenset({"acknowledged", "record-corrected", "ignored"})
"""Resolutions after which a calendar may go on showing what was seen (R-10); after the others it shows the record."""

_SHOWS_A_TIME = frozenset({"moved", "resized", "zone-changed", "made-all-day", "relocated"})


@dataclass(frozen=True)
class Question:
    """Something that a person must answer: what asks may name it by, and since when it is known (None: not known)."""

    about: frozenset[str]
    since: datetime | None


@dataclass(frozen=True)
class DriftsWord:
    """What the edits leave.

    A read that shows exactly one of `settled` is as good as one that agrees. `questions` are the edits without an
    answer, `unanswered` their ids; `shown_elsewhere`: one of them shows this very occurrence on another date, or on
    one that is not known.
    """

    settled: frozenset[str] = frozenset()
    unanswered: frozenset[str] = frozenset()
    questions: tuple[Question, ...] = ()
    shown_elsewhere: bool = False


@dataclass(frozen=True)
class Answers:
    """What the higher ranks and the other session records said before the edits are looked at."""

    log: LogWord
    sessions: SessionsWord
    words: Words


def own_drifts(bench: Bench) -> tuple[Drift, ...]:
    """The drifts of this appointment; those of any other never count."""
    return tuple(one for one in bench.case.drifts if one.appointment in (None, bench.record.id))


def harmless_moves(bench: Bench, answers: Answers) -> dict[str, tuple[Span, ...]]:
    """By drift id, the readings of every unanswered, undone move that can change neither the date nor the code."""
    candidates = (one for one in own_drifts(bench) if not _settled_by(bench, one, answers))
    return {
        one.id: bench.times.read(one.observed_start, one.observed_end) for one in candidates if _is_harmless(bench, one)
    }


def weigh_drifts(bench: Bench, answers: Answers, harmless: dict[str, tuple[Span, ...]], end: datetime) -> DriftsWord:
    """Judge every edit of this appointment; `end` is the session's latest possible end."""
    settled, waiting = set(), []
    for drift in own_drifts(bench):
        if drift.resolution in _CLOSED:
            settled |= {drift.id} if drift.resolution in _ACCEPTED else set()
        elif _answered(bench, drift, answers) or _is_collateral(bench, drift, end):
            settled.add(drift.id)
        elif not _excused(bench, drift, answers) and not _told_harmless(bench, drift, harmless):
            waiting.append(drift)
    for drift in waiting:
        _hold(bench, drift)
    return DriftsWord(
        settled=frozenset(settled),
        unanswered=frozenset(one.id for one in waiting),
        questions=tuple(Question(frozenset({one.id, _code(one)}), one.detected_at) for one in waiting),
        shown_elsewhere=any(_is_elsewhere(bench, one) for one in waiting),
    )


def _settled_by(bench: Bench, drift: Drift, answers: Answers) -> bool:
    """True when something else than its harmlessness already lets the drift go."""
    if drift.resolution in _CLOSED or answers.log.proves or answers.words.answer_to(drift) is not None:
        return True
    return not bench.policy.acknowledge_reverts or bool(answers.sessions.excuses)


def _is_harmless(bench: Bench, drift: Drift) -> bool:
    if drift.resolution != "reverted" or drift.kind not in ("moved", "resized") or drift.phase != "upcoming":
        return False
    if drift.observed_start is None or drift.observed_end is None:
        return False
    readings = bench.times.read(drift.observed_start, drift.observed_end)
    rule = bench.policy.code_rule(bench.record.code)
    too_short = rule is not None and any(rule.too_short(one.length) for one in readings)
    return bench.on_date(readings) and not too_short and not overlaps_other(bench, readings)


def _answered(bench: Bench, drift: Drift, answers: Answers) -> bool:
    if answers.words.answer_to(drift) is not None:
        bench.findings.note(of_drift(drift), Rule.WORD_AFTER_CONFLICT)
        return True
    if answers.log.proves:
        bench.findings.note(of_drift(drift), Rule.LOG_PROVES)
        bench.findings.advise(AdvisoryCode.DRIFT_ANSWERED_BY_LOG, drift=drift.id)
    return answers.log.proves


def _is_collateral(bench: Bench, drift: Drift, end: datetime) -> bool:
    """A past occurrence that a whole-series edit dragged along after every calendar had proven it."""
    dragged_along = drift.scope == "series" and drift.mixed and drift.phase in ("past", "claimed")
    calendars = linked_calendars(bench.case)
    if not dragged_along or drift.detected_at is None or not calendars:
        return False
    before = drift.detected_at
    if not all(proven_before(bench, reads_of(bench.case, one), end, before) for one in calendars):
        return False
    bench.findings.note(of_drift(drift), Rule.COLLATERAL)
    bench.findings.advise(AdvisoryCode.SERIES_EDIT_COLLATERAL, drift=drift.id)
    return True


def _excused(bench: Bench, drift: Drift, answers: Answers) -> bool:
    if drift.resolution != "reverted":
        return False
    if not bench.policy.acknowledge_reverts:
        bench.findings.note(of_drift(drift), Rule.REVERTS_NOT_ASKED)
        return True
    if answers.sessions.excuses:
        bench.findings.note(of_drift(drift), Rule.EVIDENCE_EXCUSES_REVERT)
    return bool(answers.sessions.excuses)


def _told_harmless(bench: Bench, drift: Drift, harmless: dict[str, tuple[Span, ...]]) -> bool:
    if drift.id not in harmless:
        return False
    bench.findings.note(of_drift(drift), Rule.SAME_DATE_MOVE)
    bench.findings.advise(AdvisoryCode.TIME_UNCONFIRMED, drift=drift.id, observed=_observed(bench, drift))
    return True


def _code(drift: Drift) -> ReasonCode:
    return ReasonCode.DRIFT_UNACKNOWLEDGED if drift.resolution == "reverted" else ReasonCode.DRIFT_OPEN


def _hold(bench: Bench, drift: Drift) -> None:
    facts = {
        "drift": drift.id,
        "calendar": drift.calendar or "a calendar",
        "observed": _observed(bench, drift),
        "detected": bench.times.show(drift.detected_at),
        "start": bench.times.show(bench.record.start),
    }
    code = _code(drift)
    bench.findings.hold(Finding(code=code, item=of_drift(drift), facts=facts, about=(drift.id,)))
    if code is ReasonCode.DRIFT_OPEN:
        _hold_shortening(bench, drift)


def _hold_shortening(bench: Bench, drift: Drift) -> None:
    """Even if the edit turns out to be on the same day, it would leave too few minutes.

    Billing should know both at once.
    """
    rule = bench.policy.code_rule(bench.record.code)
    lengths = [one.length for one in bench.times.read(drift.observed_start, drift.observed_end)]
    if rule is None or rule.floor is None or not lengths:
        return
    shortest = min(lengths)
    if shortest < bench.times.shortest and rule.too_short(shortest):
        facts = {
            "minutes": int(shortest.total_seconds() // 60),
            "basis": f"edit {drift.id}",
            "code": bench.record.code,
            "floor": int(rule.floor.total_seconds() // 60),
        }
        below = ReasonCode.MINUTES_BELOW_CODE
        bench.findings.hold(Finding(code=below, item=of_drift(drift), facts=facts, about=(drift.id,), from_drift=True))


def _is_elsewhere(bench: Bench, drift: Drift) -> bool:
    readings = bench.times.read(drift.observed_start, drift.observed_end)
    return drift.scope != "series" and drift.kind in _SHOWS_A_TIME and not bench.on_date(readings)


def _observed(bench: Bench, drift: Drift) -> str:
    return f"{drift.kind} {bench.times.show(drift.observed_start)}" if drift.observed_start is not None else drift.kind
