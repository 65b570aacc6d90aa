"""The soak as a chart: what was sampled, each against its own middle value, over time."""

from __future__ import annotations

import re
import statistics
from collections.abc import Callable
from pathlib import Path

import pygal

from tests.endurance.soak import Sample, Told

LINES: dict[str, Callable[[Sample], float]] = {
    "memory": lambda one: one.rss_mb,
    "open files": lambda one: float(one.files),
    "write-ahead file": lambda one: one.wal_mb,
}
POINTS = 200


def draw(told: Told, path: Path) -> None:
    """Write the chart as SVG."""
    some = told.samples[:: max(1, len(told.samples) // POINTS)]
    chart = pygal.XY(
        title="A soak: each figure against its own median",
        x_title="minutes",
        stroke=True,
        show_dots=False,
        range=(0, 2),
        width=900,
        height=420,
        style=pygal.style.CleanStyle(font_family="sans-serif"),
        js=[],
        legend_at_bottom=True,
    )
    for name, value in LINES.items():
        middle = statistics.median(map(value, told.samples)) or 1.0
        chart.add(name, [(round(one.at / 60, 2), round(value(one) / middle, 3)) for one in some])
    chart.add("rows an edit", _rows_an_edit(some))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(re.sub(r"<!--.*?-->", "", chart.render(is_unicode=True), flags=re.DOTALL), encoding="utf-8")


def _rows_an_edit(some: list[Sample]) -> list[tuple[float, float]]:
    """In tenths of the time, each against the whole."""
    whole = (some[-1].rows - some[0].rows) / max(1, some[-1].drifts - some[0].drifts)
    step = max(1, len(some) // 10)
    pairs = zip(some[::step], some[step::step], strict=False)
    return [
        (round(after.at / 60, 2), round((after.rows - before.rows) / (after.drifts - before.drifts) / whole, 3))
        for before, after in pairs
        if after.drifts > before.drifts and whole
    ]
