"""Who acts, since when, until when, and the one sentence that says so (claims sheet, 11)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from calsync.claims.answer import Reason
from calsync.claims.case import Ask
from calsync.claims.findings import Finding
from calsync.claims.policy import ClaimsPolicy
from calsync.claims.reasons import OUT_OF_TIME, Party, ReasonCode, Rule
from calsync.claims.standing import Standing, first_ask

_PARTIES = list(Party)
_CODES = list(ReasonCode)


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """Turns findings into reasons that say who acts; `now` parts what has happened from what is to come."""

    asks: Sequence[Ask]
    now: datetime
    policy: ClaimsPolicy
    standing: Standing

    def reasons(self, findings: Iterable[Finding]) -> tuple[Reason, ...]:
        """One reason per code, in the order in which people should read them."""
        by_code: dict[ReasonCode, list[Finding]] = {}
        for one in findings:
            by_code.setdefault(one.code, []).append(one)
        reasons = (self._reason(code, found) for code, found in by_code.items())
        return tuple(sorted(reasons, key=lambda one: (_PARTIES.index(one.waiting_on), _CODES.index(one.code))))

    def asked_at(self, party: Party | None) -> datetime | None:
        """When the first question about this case was sent to `party`."""
        return min((one.at for one in self.asks if one.who == party), default=None)

    def next_step_at(self, reasons: Sequence[Reason]) -> datetime | None:
        """The next thing that happens without anyone acting."""
        if not reasons:
            return None
        party = reasons[0].waiting_on
        steps = [one.next_step_at for one in reasons if one.waiting_on is party and one.next_step_at is not None]
        if party is Party.SYSTEM:
            return max(steps, default=self.standing.review_ends)
        coming = self._coming([one for one in self.asks if one.who == party])
        ends = [self.standing.review_ends] if self.standing.review_ends is not None else []
        return min((*steps, *coming, *ends), default=None)

    def _reason(self, code: ReasonCode, found: list[Finding]) -> Reason:
        silent = self.standing.rule is Rule.SILENCE and not self._is_about_asking(code)
        party = Party.BILLING if silent else min((one.party for one in found), key=_PARTIES.index)
        about = frozenset({code, *(drift for one in found for drift in one.about)})
        asked = [one for one in self.asks if one.about in about]
        text = " ".join(sorted({one.text for one in found}))
        return Reason(
            code=code,
            text=self._out_of_time(text, asked) if silent else text,
            waiting_on=party,
            asked_at=first_ask([one for one in asked if one.who == party], about),
            next_step_at=self._next(found, [one for one in asked if one.who == party], party),
        )

    def _is_about_asking(self, code: ReasonCode) -> bool:
        return code in (ReasonCode.DATE_MISMATCH, ReasonCode.ALREADY_FILED)

    def _next(self, found: list[Finding], asked: list[Ask], party: Party) -> datetime | None:
        own = [one.next_at for one in found if one.next_at is not None]
        if party in (Party.SYSTEM, Party.NOBODY):
            return max(own, default=None)
        return min(self._coming(asked), default=None)

    def _coming(self, asks: Iterable[Ask]) -> list[datetime]:
        return [one.next_at for one in asks if one.next_at is not None and one.next_at > self.now]

    def _out_of_time(self, text: str, asked: list[Ask]) -> str:
        first = min((one.at for one in asked), default=None)
        when = f"{first:%Y-%m-%d %H:%M %Z}" if first is not None else "never"
        days = self.policy.review_silence // timedelta(days=1)
        return OUT_OF_TIME.format(asked=when, days=f"{days} days", sentence=text)


def sentence(reasons: Sequence[Reason], cleared: str) -> str:
    """The first reason's sentence and how many more there are, or `cleared`."""
    if not reasons:
        return cleared
    more = len(reasons) - 1
    return f"{reasons[0].text} And {more} more." if more else reasons[0].text
