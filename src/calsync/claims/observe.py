"""Observe mode at the gate: it says what it would have held, and holds nothing that the books themselves do not (R-15).

A practice that observes learns its hold rate before the gate bites. What calendars, logs and words would have held
becomes an advisory under the reason's own code. What no gate could wave through stays: no such appointment, a session
that is not over or not recorded as held, no single date to bill, another date asked for, an original filed already.
Such an answer is no clearance: nothing is kept, and nothing is recalled later. Pure; called by `gate`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from calsync.claims.answer import Advisory, Answer
from calsync.claims.books import ruled
from calsync.claims.casebook import CaseFile
from calsync.claims.findings import Findings
from calsync.claims.readings import Dates, named_zones, spans, zone_named
from calsync.claims.reasons import ReasonCode, Verdict

_OF_THE_BOOKS = frozenset(
    {
        ReasonCode.UNKNOWN_APPOINTMENT,
        ReasonCode.ZONE_UNKNOWN,
        ReasonCode.LOCAL_TIME_GAP,
        ReasonCode.CROSSES_MIDNIGHT,
        ReasonCode.DATE_DEPENDS_ON_ZONE,
        ReasonCode.SESSION_NOT_OVER,
        ReasonCode.NOT_COMPLETED,
        ReasonCode.RESCHEDULE_PENDING,
        ReasonCode.SAME_DAY_SAME_CODE,
        ReasonCode.SESSION_ALREADY_BILLED,
        ReasonCode.SESSIONS_OVERLAP,
        ReasonCode.ALREADY_FILED,
        ReasonCode.DATE_MISMATCH,
    }
)


def as_observed(file: CaseFile, answer: Answer) -> Answer:
    """The answer of a practice that only observes."""
    if answer.verdict is not Verdict.HELD:
        return replace(answer, recall=None)
    passed = [one for one in answer.reasons if one.code not in _OF_THE_BOOKS]
    told = tuple(Advisory(one.code, f"Would be held: {one.text}") for one in passed)
    kept = tuple(one for one in answer.reasons if one.code in _OF_THE_BOOKS)
    heard = replace(answer, reasons=kept, advisories=(*told, *answer.advisories), recall=None)
    days = _days(file)
    if kept or len(days) != 1:
        return replace(heard, sentence=" ".join(one.text for one in kept) or answer.sentence)
    (day,) = days
    return replace(
        heard,
        verdict=Verdict.CLEARED,
        state="cleared" if answer.state == "held" else answer.state,
        date_of_service=day,
        waiting_on=None,
        asked_at=None,
        next_step_at=None,
        file_by=None,
        sentence=f"Observing only: the gate would have held it. {answer.sentence}",
    )


def _days(file: CaseFile) -> frozenset[date]:
    record = file.case.record
    if record is None:
        return frozenset()
    policy = ruled(file.case, file.policy, Findings())
    named = [name for name in named_zones(record, policy).values() if name is not None]
    zones = [zone for name in named if (zone := zone_named(name)) is not None]
    home = zone_named(record.zone)
    if home is None or not zones:
        return frozenset()
    return Dates(tuple(zones), policy.midnight).of(spans(record.start, record.end, home))
