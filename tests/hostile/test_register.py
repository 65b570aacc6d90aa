"""No row is missing, every test that is named exists, and every file is used."""

from __future__ import annotations

import pytest

from tests.hostile.register import ROWS, Entry, entries, inputs, missing


def test_no_row_is_missing_or_there_twice() -> None:
    assert [one.number for one in entries() if one.number] == list(range(1, ROWS + 1))


@pytest.mark.parametrize("entry", entries(), ids=lambda one: f"{one.number}-{one.what}")
def test_what_a_row_names_is_there(entry: Entry) -> None:
    assert entry.proof
    assert list(missing(entry)) == []


def test_every_file_is_used_and_once() -> None:
    named = [file for one in entries() for file in one.files]
    assert len(named) == len(set(named))
    assert set(named) == inputs()


def test_a_test_or_a_file_that_is_gone_is_noticed() -> None:
    gone = Entry(1, "", "", ("ics/none.ics",), ("tests/conftest.py::test_none", "tests/none.py::test_x", "tests"))
    assert list(missing(gone)) == [*gone.proof, *gone.files]
