"""From the configuration to the gate's policy: one for each practice and payer, made once."""

from __future__ import annotations

from dataclasses import dataclass, field

from calsync.claims.policy import ClaimsPolicy
from calsync.errors import NotFoundError
from calsync.settings.claims import Claims, days_of_payer
from calsync.settings.model import Settings


@dataclass
class GateRules:
    """The gate's rules as configured. Practices without a file of their own follow `calsync.toml`."""

    settings: Settings
    _policies: dict[tuple[str, str], ClaimsPolicy] = field(default_factory=dict)

    def policy(self, practice: str, payer: str) -> ClaimsPolicy:
        """The policy for a claim of this practice to this payer."""
        key = (practice, payer)
        if key not in self._policies:
            self._policies[key] = policy_of(self._claims(practice), practice, payer)
        return self._policies[key]

    def observes(self, practice: str) -> bool:
        """Whether the practice only observes, so that the gate tells and does not hold (R-15)."""
        try:
            return self.settings.mode_for(practice) == "observe"
        except NotFoundError:
            return self.settings.sync.mode == "observe"

    def _claims(self, practice: str) -> Claims:
        try:
            return self.settings.claims_for(practice)
        except NotFoundError:
            return self.settings.claims


def policy_of(claims: Claims, practice: str, payer: str) -> ClaimsPolicy:
    """The configured keys in the gate's own form."""
    return ClaimsPolicy(
        name=practice,
        settle=claims.settle,
        trusted_evidence=frozenset(claims.trusted_evidence),
        trusted_overlap=claims.trusted_overlap,
        evidence_tolerance=claims.evidence_tolerance,
        review_silence=claims.review_silence,
        acknowledge_reverts=claims.acknowledge_reverts,
        require_observation_after_session=claims.require_observation_after_session,
        unlinked=claims.unlinked,
        backfilled=claims.backfilled,
        midnight=claims.midnight,
        date_zone=claims.date_zone,
        minutes=claims.minutes,
        timely_filing_days=days_of_payer(claims.timely_filing_days, payer),
        correction_limit_days=days_of_payer(claims.correction_limit_days, payer),
        internal_codes=frozenset(claims.internal_codes),
    )
