"""Every broken variant is caught by the check that is written beside it; the canary proves that the alarm rings."""

from __future__ import annotations

from functools import cache

import pytest

from tests.mutants.broken import CANARY, ROOT, Mutant, mutants, replaced
from tests.mutants.forks import findings
from tests.mutants.table import THE_LIST, number_of

ALL = mutants()
KILLED = [one for one in ALL if one.survives is None]


@pytest.mark.parametrize("mutant", ALL, ids=lambda one: one.name)
def test_its_patch_still_applies(mutant: Mutant) -> None:
    assert replaced(mutant, ROOT / "src")


@cache
def found() -> dict[str, str | None]:
    """What failed with each of them: all are run in one go."""
    return findings(KILLED)


def test_every_mutant_says_how_it_is_caught_or_why_it_survives() -> None:
    assert CANARY in {one.name for one in ALL}
    assert [one.name for one in ALL if (one.check is None) == (one.survives is None)] == []


def test_every_number_of_the_list_has_its_patches() -> None:
    assert sorted({number_of(one) for one in ALL}) == [0, *THE_LIST]
    assert len(THE_LIST) == 40


@pytest.mark.parametrize("mutant", KILLED, ids=lambda one: one.name)
def test_it_is_caught(mutant: Mutant) -> None:
    assert found()[mutant.name] == mutant.check
