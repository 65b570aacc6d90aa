"""Every kind of fault happens in the histories of a test run, or is shown by the test that is named for it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.simulation.command import PAGE
from tests.simulation.faults import CRASHES, KINDS, Kind, meetings, render, table

ROOT = Path(__file__).parents[2]
ELSEWHERE = [one for one in KINDS if one.test]


def test_the_list_is_long_enough_and_names_nothing_twice() -> None:
    assert len({one.name for one in KINDS}) == len(KINDS)
    assert len(KINDS) - len(ELSEWHERE) >= 48


@pytest.mark.parametrize("kind", ELSEWHERE, ids=lambda one: one.name)
def test_what_no_history_has_is_shown_by_a_test_that_exists(kind: Kind) -> None:
    path, _, name = kind.test.partition("::")
    assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8")


def test_a_meeting_is_in_the_same_round_or_the_next() -> None:
    crash = min(CRASHES)
    assert meetings([(1, "lag"), (2, crash), (4, "shuffled"), (3, "emptied")]) == {"lag": 1, crash: 1, "emptied": 1}


def test_the_table_has_a_line_for_each() -> None:
    told = render(table(Counter(lag=1234), Counter(lag=56)), 1000)
    assert "| feed lags | 1,234 | 56 | |" in told
    assert told.count("\n|") == len(KINDS) + 2


def test_the_page_has_a_line_for_each() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [one.name for one in KINDS if f"| {one.name} |" not in page] == []
