"""Every broken variant is caught by the check that is written beside it; the canary proves that the alarm rings."""

from __future__ import annotations

import pytest

from tests.mutants.broken import CANARY, Mutant, broken, mutants, shows

ALL = mutants()
KILLED = [one for one in ALL if one.survives is None]


def test_every_mutant_says_how_it_is_caught_or_why_it_survives() -> None:
    assert CANARY in {one.name for one in ALL}
    assert [one.name for one in ALL if (one.check is None) == (one.survives is None)] == []


@pytest.mark.parametrize("mutant", KILLED, ids=lambda one: one.name)
def test_it_is_caught(mutant: Mutant) -> None:
    with broken(mutant) as source:
        assert shows(mutant, source) == mutant.check
