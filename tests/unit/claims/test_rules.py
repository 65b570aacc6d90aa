"""From the configuration to the gate's policy."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from calsync.claims.policy import ClaimsPolicy
from calsync.claims.rules import GateRules, policy_of
from calsync.settings.claims import Claims
from calsync.settings.model import Settings
from calsync.settings.practice import Practice

SETTINGS = Settings(path=Path("calsync.toml"))


def test_every_key_arrives() -> None:
    claims = Claims(
        trusted_evidence=("video",),
        trusted_overlap=timedelta(minutes=11),
        evidence_tolerance=timedelta(minutes=12),
        settle=timedelta(minutes=13),
        review_silence=timedelta(days=14),
        acknowledge_reverts=False,
        require_observation_after_session=False,
        unlinked="clear",
        backfilled="clear",
        midnight="start",
        date_zone="client",
        minutes="strict",
        timely_filing_days={"aetna": 15, "default": 16},
        correction_limit_days={"aetna": 17, "default": 18},
        internal_codes=("NOSHOW",),
    )
    assert policy_of(claims, "own", "aetna") == ClaimsPolicy(
        name="own",
        settle=timedelta(minutes=13),
        trusted_evidence=frozenset({"video"}),
        trusted_overlap=timedelta(minutes=11),
        evidence_tolerance=timedelta(minutes=12),
        review_silence=timedelta(days=14),
        acknowledge_reverts=False,
        require_observation_after_session=False,
        unlinked="clear",
        backfilled="clear",
        midnight="start",
        date_zone="client",
        minutes="strict",
        timely_filing_days=15,
        correction_limit_days=17,
        internal_codes=frozenset({"NOSHOW"}),
    )
    other = policy_of(claims, "own", "another")
    assert (other.timely_filing_days, other.correction_limit_days) == (16, 18)


@pytest.mark.parametrize(("mode", "observes"), [("observe", True), ("act", False)])
def test_a_practice_follows_the_site_or_itself(mode: str, observes: bool) -> None:
    own = Practice.model_validate({"claims": {"unlinked": "clear"}, "sync": {"mode": mode}})
    rules = GateRules(SETTINGS.model_copy(update={"practices": {"own": own}}))
    assert rules.observes("own") is observes
    assert not rules.observes("nobody")
    found = {name: rules.policy(name, "insurance") for name in ("own", "nobody")}
    assert {name: one.unlinked for name, one in found.items()} == {"own": "clear", "nobody": "hold"}
    assert rules.policy("own", "insurance") is found["own"], "made once"
    assert rules.policy("own", "other") is not found["own"]
