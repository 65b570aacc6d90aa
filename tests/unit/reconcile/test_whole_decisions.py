"""Every kind of edit beside every change of the record: decisions to the last word, not their outlines only."""

from __future__ import annotations

import pytest

from tests.unit.reconcile.whole_decisions import beginnings, names, stored, told


@pytest.mark.parametrize("beginning", beginnings())
def test_every_decision_is_the_one_that_is_kept(beginning: str) -> None:
    found = told(beginning)
    differing = {name: (stored().get(name), one) for name, one in found.items() if stored().get(name) != one}
    assert differing == {}, "look at the difference; `python -m tests.unit.reconcile.whole_decisions` keeps it"


def test_no_history_is_kept_that_is_not_told() -> None:
    assert set(stored()) == names()
