"""A report as CSV: one number a row, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

from calsync.reports.as_json import report_data
from calsync.reports.build import Report

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def report_csv(report: Report) -> str:
    """Columns `section`, `name`, `value`. A cell that a spreadsheet would take for a formula gets a quote before it."""
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(("section", "name", "value"))
    for path, value in _leaves(report_data(report)):
        section, _, name = path.partition(".")
        writer.writerow([safe_cell(section), safe_cell(name), safe_cell(value)])
    return target.getvalue()


def safe_cell(value: object) -> str:
    """The text of a cell, never taken for a formula."""
    text = "" if value is None else str(value)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return "'" + text if text.startswith(_FORMULA) and not is_number else text


def _leaves(data: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, object]]:
    for key, value in data.items():
        name = f"{path}.{key}" if path else str(key)
        if isinstance(value, Mapping):
            yield from _leaves(value, name)
        else:
            yield name, value
