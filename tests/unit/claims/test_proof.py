"""The proof page to the last cell: every table of a session that was edited, answered, filed and recalled."""

from __future__ import annotations

from tests.unit.claims.proof_page import STORED, page


def test_the_page_is_the_one_that_is_kept() -> None:
    assert page().splitlines() == STORED.read_text(encoding="utf-8").splitlines(), (
        "look at the difference; `python -m tests.unit.claims.proof_page` keeps it"
    )
