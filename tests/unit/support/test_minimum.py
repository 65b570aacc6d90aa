"""What a role is not told is in no part of an answer."""

from __future__ import annotations

import pytest

from calsync.store.tokens import Role
from calsync.support.minimum import answer_told, record_told
from tests.unit.claims.cases import FILED, drift, judge, row

SHORT = [row("10T15:00", "10T15:37:59")]


@pytest.mark.parametrize("role", [Role.PLATFORM, Role.BILLING, Role.ADMIN])
def test_whoever_bills_is_told_all_of_it(role: Role) -> None:
    answer = judge(evidence=SHORT, filed=FILED)
    assert answer_told(role, answer) == answer
    assert record_told(role, {"id": "A-1", "code": "90834", "payer": "self"})["payer"] == "self"


def test_support_is_told_why_a_claim_waits_and_no_code() -> None:
    answer = judge(evidence=SHORT)
    told = answer_told(Role.SUPPORT, answer)
    assert "90834" in answer.sentence
    assert "90834" not in str(told.to_json())
    assert told.sentence == answer.sentence.replace("90834", "its code")
    assert [one.code for one in told.reasons] == [one.code for one in answer.reasons]


def test_support_is_told_of_no_claim_that_was_sent_and_of_no_days_but_the_edits() -> None:
    answer = judge(filed=FILED, drifts=[drift()])
    told = answer_told(Role.SUPPORT, answer)
    assert {"filed", "dates"} <= {one.kind for one in answer.evidence}
    assert {one.kind for one in told.evidence} == {one.kind for one in answer.evidence} - {"filed", "dates", "code"}
    assert (answer.recall is None, told.recall) == (False, None)
