"""The gate's table of scenarios: each overlaid on the base case and compared with everything that it expects."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from calsync.claims.assess import assess
from calsync.claims.case_json import case_from_json, instant, policy_from_json

TABLE = json.loads((Path(__file__).parent / "gate-scenarios.json").read_text(encoding="utf-8"))


def overlaid(given: dict[str, Any]) -> dict[str, Any]:
    base = TABLE["base"]
    case = {**base, **given, "policy": {**base["policy"], **given.get("policy", {})}}
    if "record" in given and given["record"] is not None:
        case["record"] = {**base["record"], **given["record"]}
    return case


@pytest.mark.parametrize("scenario", TABLE["scenarios"], ids=lambda one: one["id"])
def test_answers_what_the_table_expects(scenario: dict[str, Any]) -> None:
    data = overlaid(scenario["given"])
    asked = date.fromisoformat(data["asked"]) if data["asked"] is not None else None
    answer = assess(case_from_json(data), instant(data["now"]), policy_from_json(data["policy"]), asked).to_json()
    answer["reasons"] = sorted(one["code"] for one in answer["reasons"])
    answer["advisories"] = sorted(one["code"] for one in answer["advisories"])
    expected = dict(scenario["expect"])
    rules = {one["rule"] for one in answer["evidence"]}
    assert set(expected.pop("rules", [])) <= rules
    expected["reasons"], expected["advisories"] = sorted(expected["reasons"]), sorted(expected["advisories"])
    assert {key: answer[key] for key in expected} == expected


def test_every_scenario_is_there() -> None:
    assert len(TABLE["scenarios"]) == 108
    assert len({one["id"] for one in TABLE["scenarios"]}) == 108
