"""Charts as plain SVG: drawn by pygal, then stripped of everything that is not a shape or a word.

What is left has no script, no style of its own, no address and no date, so that it may stand in a page whose content
security policy allows neither, and reads the same whenever it is drawn. `chart.css` gives it its looks, in the light,
in the dark and in print; each chart says its numbers to whoever cannot see it.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Final
from xml.etree import ElementTree as ET

from calsync.errors import UserError

_SVG: Final = "{http://www.w3.org/2000/svg}"
_KEPT_TAGS: Final = frozenset({"svg", "g", "rect", "text", "path", "line"})
_KEPT: Final = frozenset(
    {
        "viewBox",
        "class",
        "x",
        "y",
        "rx",
        "ry",
        "width",
        "height",
        "d",
        "transform",
        "text-anchor",
        "x1",
        "y1",
        "x2",
        "y2",
    }
)
_LABEL: Final = 24
_ROW: Final = 30


def bars(title: str, counts: Mapping[str, int]) -> str:
    """A row for each name, as long as its count; the markup of one `<svg>`. Nothing to show gives an empty text."""
    if not any(counts.values()):
        return ""
    pygal = _library()
    chart = pygal.HorizontalBar(
        **_PLAIN,
        print_values=False,
        width=460,
        height=_ROW * len(counts) + 20,
        margin_left=6,
        margin_top=4,
        margin_bottom=8,
        margin_right=24,
        show_x_labels=False,
        show_x_guides=False,
        truncate_label=-1,
        style=_style(pygal),
    )
    names = list(counts)[::-1]
    chart.x_labels = [f"{_short(name)}: {counts[name]}" for name in names]
    chart.add("", [counts[name] for name in names])
    return _drawn(chart, title, counts)


def columns(title: str, counts: Mapping[str, int]) -> str:
    """A column for each step, in the order given: how something is spread, or went on from day to day."""
    if not any(counts.values()):
        return ""
    pygal = _library()
    chart = pygal.Bar(
        **_PLAIN,
        print_values=True,
        print_values_position="top",
        print_zeroes=False,
        width=460,
        height=250,
        margin=6,
        margin_top=18,
        margin_bottom=34,
        margin_right=30,
        show_y_labels=False,
        show_y_guides=False,
        show_x_guides=False,
        x_label_rotation=50,
        truncate_label=-1,
        style=_style(pygal),
    )
    chart.x_labels = list(counts)
    chart.add("", list(counts.values()))
    return _drawn(chart, title, counts)


def stylesheet() -> str:
    """What charts look like, for whoever shows them."""
    return files("calsync.reports").joinpath("templates", "chart.css").read_text(encoding="utf-8")


_PLAIN: Final[dict[str, Any]] = {
    "js": (),
    "css": (),
    "show_legend": False,
    "no_prefix": True,
    "explicit_size": False,
    "disable_xml_declaration": True,
    "spacing": 6,
}


def _library() -> Any:
    try:
        import pygal  # noqa: PLC0415 - only who wants charts needs the extra
    except ImportError:
        what = "charts cannot be drawn: their library is not installed"
        raise UserError.of(what, remedy="Install calsync with the extra: calsync[report]") from None
    return pygal


def _style(pygal: Any) -> Any:
    # Only sizes, which the library computes its layout with; colours are the stylesheet's.
    return pygal.style.Style(label_font_size=13, major_label_font_size=13, value_font_size=13)


def _short(name: str) -> str:
    return name if len(name) <= _LABEL else f"{name[: _LABEL - 1]}…"


def _drawn(chart: Any, title: str, counts: Mapping[str, int]) -> str:
    drawn = ET.fromstring(chart.render(is_unicode=True))  # noqa: S314 - drawn by ourselves, a line above
    clean = _cleaned(drawn)
    assert clean is not None
    clean.set("class", "chart")
    clean.set("role", "img")
    told = ", ".join(f"{name} {count}" for name, count in counts.items())
    clean.set("aria-label", f"{title}: {told}")
    return ET.tostring(clean, encoding="unicode")


def _cleaned(element: ET.Element) -> ET.Element | None:
    tag = element.tag.removeprefix(_SVG)
    words = set(element.get("class", "").split())
    if tag not in _KEPT_TAGS or words & {"tooltip-overlay", "tooltip", "titles"}:
        return None
    kept = ET.Element(tag, {name: value for name, value in element.attrib.items() if name in _KEPT})
    if tag == "text":
        kept.text = element.text
    for child in element:
        clean = _cleaned(child)
        if clean is not None:
            kept.append(clean)
    return kept if len(kept) or tag != "g" else None
