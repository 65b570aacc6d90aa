"""The planner check by numbers: three thousand cases here, as many as one likes by `./dev planner`."""

from __future__ import annotations

import pytest

from tests.properties.planner_cases import MOST_ROUNDS, Shuffled, broken, rounds_of

CASES = 3000
PARTS = 4


@pytest.mark.parametrize("part", range(PARTS))
def test_every_case_settles_on_the_record_in_five_rounds(part: int) -> None:
    size = CASES // PARTS
    assert broken(range(part * size, (part + 1) * size)) == []


def test_the_check_bites(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Shuffled, "_write_if_unchanged", lambda self, write: None)
    assert len(broken(range(40))) > 10


def test_some_cases_take_several_rounds() -> None:
    rounds = {rounds_of(number) for number in range(120)}
    assert {0, 1, 2} <= rounds
    assert max(rounds) <= MOST_ROUNDS
