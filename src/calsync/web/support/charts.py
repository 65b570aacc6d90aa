"""Charts on pages: drawn where their library is installed, and told as numbers everywhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from calsync.errors import UserError
from calsync.reports import charts


@dataclass(frozen=True, slots=True)
class Drawn:
    """A title, the drawing's markup (ours, without anything active) and the numbers behind it."""

    title: str
    drawing: str
    rows: tuple[tuple[str, int], ...]


def bars(title: str, counts: Mapping[str, int]) -> Drawn:
    """A row for each name."""
    return _drawn(charts.bars, title, counts)


def columns(title: str, counts: Mapping[str, int]) -> Drawn:
    """A column for each step."""
    return _drawn(charts.columns, title, counts)


def _drawn(draw: Callable[[str, Mapping[str, int]], str], title: str, counts: Mapping[str, int]) -> Drawn:
    try:
        drawing = draw(title, counts)
    except UserError:
        # Without the extra `report` the numbers still stand there.
        drawing = "<span></span>" if any(counts.values()) else ""
    return Drawn(title, drawing, tuple(counts.items()))
