"""What an assessment means for a claim that already went out: its state, and what to recall (claims sheet, 12).

Filed claims are asked about before they are recalled; clearances that were issued and not known as filed are stopped
at once. Versions of a recall, its withdrawal and its closing belong to whoever keeps them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from calsync.claims.answer import Recall
from calsync.claims.case import Ask, Case, Sent
from calsync.claims.drifts import Question
from calsync.claims.findings import Finding
from calsync.claims.policy import ClaimsPolicy
from calsync.claims.reasons import ANSWERS_ONLY_WHAT_WAS_ASKED, QUESTIONS, Rule, Verdict

_RUN_OUT = datetime.min.replace(tzinfo=UTC)
_BEFORE_THE_LIMIT = timedelta(days=3)


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """What was found about the session itself; `day` is its one date, None if there is not exactly one."""

    verdict: Verdict
    day: date | None
    code: str | None
    findings: tuple[Finding, ...]
    questions: tuple[Question, ...] = ()
    shown_elsewhere: bool = False
    zone: tzinfo = UTC

    @property
    def reasons(self) -> tuple[Finding, ...]:
        """The findings that are about the session, not about what was asked."""
        return tuple(one for one in self.findings if one.code not in ANSWERS_ONLY_WHAT_WAS_ASKED)

    def is_as(self, sent: Sent) -> bool:
        """True when nothing stands against the session and it has the date, and the code if known, that were sent."""
        other_code = self.code is not None and sent.code is not None and self.code != sent.code
        return not self.reasons and self.day == sent.date and not other_code


@dataclass(frozen=True)
class Standing:
    """The claim's state, what to recall, the rule that chose, and when a question about a filed claim runs out."""

    state: str
    recall: Recall | None = None
    rule: Rule | None = None
    review_ends: datetime | None = None


def stand(case: Case, found: Assessment, now: datetime, policy: ClaimsPolicy) -> Standing:
    """Where the claim stands after this assessment."""
    if case.filed is not None:
        return _filed(case, case.filed, found, now, policy)
    if case.issued is not None and not found.is_as(case.issued):
        new = None if found.reasons else found.day
        return Standing(str(found.verdict), Recall("stop", case.issued.date, new), Rule.RECALL_AT_ONCE)
    return Standing(str(found.verdict))


def _filed(case: Case, filed: Sent, found: Assessment, now: datetime, policy: ClaimsPolicy) -> Standing:
    if found.is_as(filed):
        return Standing("filed")
    if not found.reasons:
        return _recalled("replace", filed, found.day)
    if found.verdict is Verdict.NOT_BILLABLE:
        return _recalled("void", filed, None)
    if found.shown_elsewhere or filed.against_gate or not _is_question(found.reasons):
        return _recalled("review", filed, None)
    ends = min((_runs_out(one, case.asks, filed, found.zone, policy) for one in found.questions), default=_RUN_OUT)
    if now >= ends:
        return _recalled("review", filed, None, Rule.SILENCE)
    return Standing("review", None, Rule.ASK_FIRST, ends)


def _recalled(action: str, filed: Sent, new: date | None, rule: Rule = Rule.RECALL_AT_ONCE) -> Standing:
    return Standing("recalled", Recall(action, filed.date, new), rule)


def _is_question(reasons: Sequence[Finding]) -> bool:
    """True when everything that was found is something that a person may simply answer."""
    return all(one.code in QUESTIONS or one.from_drift for one in reasons)


def first_ask(asks: Sequence[Ask], about: frozenset[str]) -> datetime | None:
    """When the first question about any of `about` was sent."""
    return min((one.at for one in asks if one.about in about), default=None)


def _runs_out(question: Question, asks: Sequence[Ask], filed: Sent, zone: tzinfo, policy: ClaimsPolicy) -> datetime:
    """When silence ends, counted from the first question, else from the discovery.

    Never later than 3 days before the payer's limit.
    """
    since = first_ask(asks, question.about) or question.since
    if since is None:
        return _RUN_OUT
    ends = since + policy.review_silence
    if policy.correction_limit_days is None:
        return ends
    last_day = filed.date + timedelta(days=policy.correction_limit_days)
    return min(ends, datetime.combine(last_day, time(), tzinfo=zone).astimezone(UTC) - _BEFORE_THE_LIMIT)
