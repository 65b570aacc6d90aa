"""The bench at which one case is judged, and what is found there."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from calsync.claims.answer import Advisory, EvidenceItem
from calsync.claims.case import Case, Record
from calsync.claims.policy import ClaimsPolicy
from calsync.claims.readings import Span, Times
from calsync.claims.reasons import ADVISORIES, REASONS, AdvisoryCode, Party, ReasonCode, Rule

ABSENT = {
    "cancelled": ReasonCode.CANCELLED,
    "late-cancelled": ReasonCode.LATE_CANCELLED,
    "no-show": ReasonCode.NO_SHOW,
}
"""Statuses that say that no session took place."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One reason against clearing, and what it was found in.

    `facts` fill the code's sentence. `about` are the drifts it concerns; `next_at` is when it may go away by itself;
    `from_drift`: it rests on an edit alone, though its code does not say so. `waiting_on` overrides whom it waits on.
    """

    code: ReasonCode
    item: EvidenceItem
    facts: Mapping[str, object] = field(default_factory=dict)
    about: tuple[str, ...] = ()
    next_at: datetime | None = None
    from_drift: bool = False
    waiting_on: Party | None = None

    @property
    def text(self) -> str:
        """The sentence for people."""
        return REASONS[self.code].sentence.format(**self.facts)

    @property
    def party(self) -> Party:
        """Who must act."""
        return self.waiting_on or REASONS[self.code].waiting_on


@dataclass
class Findings:
    """Everything found so far; the rooms add to it and never take away."""

    held: list[Finding] = field(default_factory=list)
    advisories: list[Advisory] = field(default_factory=list)
    evidence: list[EvidenceItem] = field(default_factory=list)

    def hold(self, finding: Finding) -> None:
        """Keep a reason; its evidence follows it into the answer under the reason's code."""
        self.held.append(finding)

    def advise(self, code: AdvisoryCode, /, **facts: object) -> None:
        """Keep an advisory, once per sentence."""
        advisory = Advisory(code, ADVISORIES[code].format(**facts))
        if advisory not in self.advisories:
            self.advisories.append(advisory)

    def note(self, item: EvidenceItem, rule: str | None) -> None:
        """Keep evidence, under the rule that it decided."""
        self.evidence.append(replace(item, rule=None if rule is None else str(rule)))

    @property
    def codes(self) -> frozenset[ReasonCode]:
        """The codes found so far."""
        return frozenset(one.code for one in self.held)


@dataclass(frozen=True)
class Bench:
    """One case with its times placed, the moment of judging, the policy, and the findings so far."""

    case: Case
    record: Record
    now: datetime
    policy: ClaimsPolicy
    times: Times
    findings: Findings

    @property
    def absent(self) -> bool:
        """True when the record says that no session took place."""
        return self.record.status in ABSENT

    def on_date(self, readings: tuple[Span, ...]) -> bool:
        """True when every reading, in every zone in use, lies on dates that the record can have."""
        return bool(readings) and self.times.dates.of(readings) <= self.times.days

    def off_date(self, readings: tuple[Span, ...]) -> bool:
        """True when no reading lies on a date that the record can have."""
        return not self.times.dates.of(readings) & self.times.days

    def span(self, span: Span) -> str:
        """A span for people."""
        return f"{self.times.show(span.start)} to {self.times.show(span.end)}"

    def judge_dates(self, readings: tuple[Span, ...], what: str, item: EvidenceItem) -> None:
        """Hold when the readings of `what` have more than one date and no rule of the practice chooses."""
        days = ", ".join(sorted(day.isoformat() for day in self.times.dates.of(readings)))
        facts = {"what": what, "dates": days}
        if self.times.dates.cross_midnight(readings):
            if self.policy.midnight == "hold":
                self.findings.hold(Finding(code=ReasonCode.CROSSES_MIDNIGHT, item=item, facts=facts))
            else:
                self.findings.note(item, Rule.MIDNIGHT_RULE)
        if self.times.dates.depend_on_zone(readings):
            self.findings.hold(Finding(code=ReasonCode.DATE_DEPENDS_ON_ZONE, item=item, facts=facts))
