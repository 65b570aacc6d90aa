"""Every broken variant is caught by the check that is written beside it; the canary proves that the alarm rings."""

from __future__ import annotations

import pytest

from tests.mutants.broken import CANARY, Mutant, broken, mutants, simulate

ALL = mutants()
KILLED = [one for one in ALL if one.seed is not None]
# Broken variants whose killing seed is still to be hunted (`./dev mutants --hunt`). This number may only fall.
TO_BE_HUNTED = 18


def test_every_mutant_says_how_it_is_caught_or_waits_for_its_hunt() -> None:
    assert CANARY in {one.name for one in ALL}
    assert [one.name for one in ALL if one.seed is not None and one.survives is not None] == []
    assert len([one for one in ALL if one.seed is None and one.survives is None]) <= TO_BE_HUNTED


@pytest.mark.parametrize("mutant", KILLED, ids=lambda one: one.name)
def test_it_is_caught(mutant: Mutant) -> None:
    assert mutant.seed is not None
    with broken(mutant) as source:
        failures = simulate(source, mutant.seed)
    assert [(seed, check) for seed, check, _ in failures] == [(mutant.seed, mutant.check)]
