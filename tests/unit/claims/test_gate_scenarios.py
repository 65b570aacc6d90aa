"""The gate's table of scenarios: each overlaid on the base case and compared with everything that it expects."""

from typing import Any

import pytest

from tests.unit.claims.cases import TABLE, judged, overlaid, rules


@pytest.mark.parametrize("scenario", TABLE["scenarios"], ids=lambda one: one["id"])
def test_answers_what_the_table_expects(scenario: dict[str, Any]) -> None:
    result = judged(overlaid(scenario["given"]))
    answer = result.to_json()
    answer["reasons"] = sorted(one["code"] for one in answer["reasons"])
    answer["advisories"] = sorted(one["code"] for one in answer["advisories"])
    expected = dict(scenario["expect"])
    assert set(expected.pop("rules", [])) <= rules(result)
    expected["reasons"], expected["advisories"] = sorted(expected["reasons"]), sorted(expected["advisories"])
    assert {key: answer[key] for key in expected} == expected


def test_every_scenario_is_there() -> None:
    assert len({one["id"] for one in TABLE["scenarios"]}) == len(TABLE["scenarios"]) == 108
