"""Every promise and every known failure names tests, and they exist; the page says the same."""

from __future__ import annotations

import pytest

from tests.reliability.table import PAGE, Proof, missing, page, proofs

FAILURES = 18


@pytest.mark.parametrize("proof", proofs(), ids=lambda one: one.id)
def test_its_tests_exist(proof: Proof) -> None:
    assert proof.tests
    assert list(missing(proof)) == []


def test_none_is_left_out() -> None:
    ids = [one.id for one in proofs()]
    assert len(ids) == len(set(ids))
    assert {f"I{number}" for number in range(1, 9)} <= set(ids)
    assert {f"F-{number}" for number in range(1, FAILURES + 1)} <= set(ids)


def test_a_test_that_is_gone_is_noticed() -> None:
    gone = Proof("promise", "X", "made up", ("story:none", "conformance:test_none", "tests/conftest.py::test_none"))
    assert list(missing(gone)) == list(gone.tests)


def test_the_page_says_the_same() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()
