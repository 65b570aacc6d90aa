"""The keys of `[claims]` that the gate obeys, with the product's defaults (claims sheet, 16)."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from functools import cached_property
from typing import Literal

from calsync.claims.codes import CodeRule, CodeTable, shipped_codes

Midnight = Literal["hold", "start", "end"]
DateZone = Literal["hold", "record", "provider", "client"]


@dataclass(frozen=True, kw_only=True)
class ClaimsPolicy:
    """One practice's rules for its claims; every default keeps the gate as closed as it goes."""

    name: str = "default"
    """Which policy this is, for the evidence."""
    settle: timedelta = timedelta(minutes=2)
    """A read counts as post-session when it began later than session end + this."""
    trusted_evidence: frozenset[str] = frozenset()
    """Sources whose log may prove a session by itself."""
    trusted_overlap: timedelta = timedelta(minutes=15)
    """Least time together, in one visit, for such a proof."""
    evidence_tolerance: timedelta = timedelta(minutes=30)
    """How far a logged start may lie from the booked one; also the longest gap inside one visit."""
    review_silence: timedelta = timedelta(days=5)
    """How long a question about a filed claim may stay unanswered before billing gets a recall."""
    acknowledge_reverts: bool = True
    """False: an edit that was put back needs no answer."""
    require_observation_after_session: bool = True
    """False: a calendar that was not read after the session does not hold."""
    unlinked: Literal["hold", "clear"] = "hold"
    """What a provider without any linked calendar means."""
    backfilled: Literal["hold", "clear"] = "hold"
    """What an agreeing read is worth when the event was written only after the session had begun (R-20)."""
    midnight: Midnight = "hold"
    """Which day a session over midnight belongs to."""
    date_zone: DateZone = "hold"
    """Whose zone, as stored with the session, decides its date."""
    minutes: Literal["floor", "strict"] = "floor"
    """`strict` holds above a code's ceiling too."""
    timely_filing_days: int | None = None
    """Days from the date of service in which this claim's payer takes it; None: not known."""
    correction_limit_days: int | None = None
    """Days from the date of service in which this claim's payer takes a correction; None: not known (R-33)."""
    internal_codes: frozenset[str] = frozenset()
    """Codes of the practice's own that are never billed."""
    codes: CodeTable = field(default_factory=shipped_codes)
    """Minutes per procedure code."""

    def code_rule(self, code: str | None) -> CodeRule | None:
        """The rule for `code`; None when the code is unknown, which means: not judged."""
        return self.codes.get(code) if code is not None else None

    def fingerprint(self) -> str:
        """SHA-256 over all keys, the same for equal policies in every process."""
        return self._fingerprint

    @cached_property
    def _fingerprint(self) -> str:
        # One policy judges thousands of claims: computed once.
        plain = {one.name: _plain(getattr(self, one.name)) for one in fields(self)}
        return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def _plain(value: object) -> object:
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, str | int | None):
        return value
    assert isinstance(value, Mapping)
    return {code: repr(rule) for code, rule in sorted(value.items())}
