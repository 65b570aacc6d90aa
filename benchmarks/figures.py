"""Where results go: as JSON to `benchmarks/results`, and from there into the marked places of the pages, never by hand.

A page has a place for a section between `<!-- figures: NAME/SECTION -->` and `<!-- end of figures -->`. Each section
says when and under what load it was measured; measuring one again leaves the others as they are.
"""

from __future__ import annotations

import json
import os
import platform
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RESULTS = Path("benchmarks/results")
PAGES = Path("docs")
CHARTS = PAGES / "charts"
_PLACE = re.compile(r"(<!-- figures: ([\w-]+)/([\w-]+) -->\n).*?(<!-- end of figures -->)", re.DOTALL)

Cell = str | int | float


@dataclass
class Section:
    """One table in the making."""

    columns: Sequence[str]
    rows: list[list[Cell]] = field(default_factory=list)

    def add(self, *cells: Cell) -> None:
        """A row, shown at once, too."""
        assert len(cells) == len(self.columns), cells
        self.rows.append(list(cells))
        print(_line([shown(cell) for cell in cells]), flush=True)


@contextmanager
def section(name: str, key: str, *columns: str) -> Iterator[Section]:
    """Measure a section; at the end of the block it is kept, and every page that has a place for it is written anew."""
    taken = Section(columns)
    before = os.getloadavg()[0]
    print(f"\n{name}/{key}\n{_line(columns)}", flush=True)
    yield taken
    loads = [round(before, 1), round(os.getloadavg()[0], 1)]
    known = results(name)
    known[key] = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "machine": f"{_cpu_name()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "load": loads,
        "columns": list(columns),
        "rows": taken.rows,
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(known, indent=1) + "\n")
    write_pages()


def results(name: str) -> dict[str, Any]:
    """What was measured so far under a name, by section."""
    file = RESULTS / f"{name}.json"
    return dict(json.loads(file.read_text())) if file.exists() else {}


def write_pages() -> None:
    """Put every section that there is into its places."""
    for page in sorted(PAGES.glob("*.md")):
        before = page.read_text()
        if (after := with_figures(before)) != before:
            page.write_text(after)


def with_figures(text: str) -> str:
    """A page's text with the figures as they were measured last."""
    return _PLACE.sub(lambda place: place[1] + _table(place[2], place[3]) + place[4], text)


def _table(name: str, key: str) -> str:
    one = results(name).get(key)
    if one is None:
        return "\nNot measured.\n\n"
    right = [all(isinstance(row[place], int | float) for row in one["rows"]) for place in range(len(one["columns"]))]
    lines = [_line(one["columns"]), _line(["--:" if is_right else "---" for is_right in right])]
    lines += [_line([shown(cell) for cell in row]) for row in one["rows"]]
    load = " to ".join(f"{value:g}" for value in one["load"])
    return "\n" + "\n".join(lines) + f"\n\nMeasured on {one['date']}: {one['machine']}; load {load}.\n\n"


def shown(cell: Cell) -> str:
    """A cell as the table has it: three figures that count."""
    if isinstance(cell, float):
        return f"{cell:,.0f}" if abs(cell) >= 100 else f"{cell:.3g}"
    return f"{cell:,}" if isinstance(cell, int) else cell


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cpu_name() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def chart(name: str, title: str, bars: dict[str, float]) -> None:
    """Draw one series of bars."""
    import pygal  # noqa: PLC0415 - the sides of a comparison use this module, too

    style = pygal.style.CleanStyle(font_family="sans-serif")
    drawn = pygal.HorizontalBar(
        show_legend=False, title=title, style=style, print_values=True, width=800, height=60 + 45 * len(bars), js=[]
    )
    drawn.x_labels = list(bars)
    drawn.add("", [float(shown(value).replace(",", "")) for value in bars.values()])
    CHARTS.mkdir(parents=True, exist_ok=True)
    text = re.sub(r"<!--.*?-->", "", drawn.render(is_unicode=True), flags=re.DOTALL)
    (CHARTS / f"{name}.svg").write_text(text)
