"""The rules that a history's practice goes by, and what its config says about mail."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from calsync.settings.model import Settings
from calsync.settings.practice import DEFAULT_PRACTICE, Practice
from tests.simulation.plan import Plan

_SHIPPED = Path(__file__).parents[2] / "config" / "practices"
_CONFIG = Path("calsync.toml")


def settings_for(plan: Plan) -> Settings:
    """The configuration: `policy["practice"]` names a shipped file; nothing is mailed without `policy["office"]`."""
    return _settings(plan.policy.get("practice", DEFAULT_PRACTICE), plan.policy.get("office", False))


@cache
def _settings(practice: str, office: bool) -> Settings:
    practices = {DEFAULT_PRACTICE: Practice()}
    if practice != DEFAULT_PRACTICE:
        practices[practice] = Practice.model_validate(tomllib.loads((_SHIPPED / f"{practice}.toml").read_text("utf-8")))
    if not office:
        return Settings(path=_CONFIG, practices=practices)
    tables = {
        "mail": {"sender": "calendars@example.org", "support": "support@example.org", "billing": "money@example.org"},
        "web": {"public_url": "https://calsync.example.org"},
    }
    return Settings.model_validate({"path": _CONFIG, "practices": practices, **tables})
