"""Cells that a spreadsheet would run, in whatever is written as CSV."""

from __future__ import annotations

import csv
import io

import pytest

from calsync.reports.as_csv import safe_cell


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r"])
def test_a_cell_that_begins_like_a_formula_is_a_text(first: str) -> None:
    target = io.StringIO()
    csv.writer(target).writerow([safe_cell(f"{first}cmd()"), safe_cell("Ash"), safe_cell(-3)])
    assert next(csv.reader(io.StringIO(target.getvalue(), newline=""))) == [f"'{first}cmd()", "Ash", "-3"]
