"""Every sample file of the claims sheet, with exactly the answers that it expects."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.claims.batch.sample_world import SAMPLES, SampleWorld, codes

EXPECTED: dict[str, dict[str, Any]] = json.loads((SAMPLES / "expected.json").read_text())["files"]


def test_no_sample_is_without_an_answer() -> None:
    files = {one.name for one in SAMPLES.iterdir()} - {"expected.json", "appointments.csv"}
    assert files == EXPECTED.keys()


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_sample_is_answered_as_the_sheet_has_it(name: str, lite: SampleWorld) -> None:
    expected = EXPECTED[name]
    found = lite.check(name)
    if expected["file"] is not None:
        assert found == expected["file"]
        return
    assert not isinstance(found, str), found
    got = [
        {
            "claim": one.line.claim_id,
            "line": one.line.line,
            "appointment": one.line.appointment,
            "verdict": str(one.answer.verdict),
            "date_of_service": day.isoformat() if (day := one.answer.date_of_service) else None,
            "reasons": sorted(codes(one)),
        }
        for claim in found
        for one in claim.lines
    ]
    assert got == [{**one, "line": str(one["line"]), "reasons": sorted(one["reasons"])} for one in expected["lines"]]
