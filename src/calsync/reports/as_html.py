"""A report as one page that needs no network: for a browser, a printer, an archive.

`report_html` gives a whole file with its own style; `report_body` the part inside, for a page that brings one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from calsync.reports import charts
from calsync.reports.as_json import causes_by_provider
from calsync.reports.as_text import TOP, length_text
from calsync.reports.build import Report
from calsync.reports.lengths import Distribution


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing with its title, and the numbers behind it."""

    title: str
    drawing: str
    rows: tuple[tuple[str, int], ...]


def report_html(report: Report) -> str:
    """The whole report as one HTML file: no script, no outside reference, good in print."""
    style = _environment().get_template("report.css").render() + charts.stylesheet()
    return _environment().get_template("report.html.j2").render(style=style, **_facts(report))


def report_body(report: Report) -> str:
    """The report as markup without a head, for a page with a stylesheet of its own."""
    return _environment().get_template("report-body.html.j2").render(_facts(report))


def _facts(report: Report) -> dict[str, object]:
    found = causes_by_provider(report)
    listed = [
        (provider, ", ".join(f"{count} {kind}" for kind, count in kinds.items()), held)
        for provider, kinds, held in found[:TOP]
    ]
    return {
        "report": report,
        "figures": _figures(report),
        "edits": [one for one in _edits(report) if one.drawing],
        "holds": [one for one in _holds(report) if one.drawing],
        "causes": listed,
        "more_causes": max(0, len(found) - TOP),
        "concentration": _concentration(report),
    }


def _figures(report: Report) -> list[tuple[str, str, str]]:
    return [
        ("Sessions", str(report.appointments), _told(dict(report.by_status.most_common()))),
        ("In step with calendars", _share(report.in_step, report.standing), f"{report.in_step} of {report.standing}"),
        ("Edits in calendars", str(report.edits), f"touching {report.drifts} sessions or blocks"),
        ("Waiting for an answer", str(report.open), "sessions whose edit nobody has answered"),
        (
            "Claims held",
            _share(report.held, report.checked),
            f"{report.held} of {report.checked} sessions that are over",
        ),
        ("Holds that were right", _precision(report), f"{report.holds_right} of {report.holds_settled} settled"),
        ("Recalls", str(report.recalls), f"{report.recalls_open} open"),
        ("Overlapping sessions", str(report.conflicts), "with another one, or with busy time in a calendar"),
        ("Calendars", str(sum(report.calendars.values())), _told(report.calendars)),
        ("Seen within", _half(report.time_to_detect), _longest(report.time_to_detect)),
        ("Settled within", _half(report.time_to_resolve), _longest(report.time_to_resolve)),
        ("Session to claim", _half(report.time_to_claim), _longest(report.time_to_claim)),
    ]


def _edits(report: Report) -> list[Chart]:
    return [
        _bars("What was done", report.by_kind),
        _bars("When it was done", report.by_phase),
        _bars("What calsync did about it", report.by_disposition),
        _bars("How it ended", report.by_resolution),
        _columns("Time until it was seen, at most", report.time_to_detect),
        _columns("Time until it was settled", report.time_to_resolve),
    ]


def _holds(report: Report) -> list[Chart]:
    return [
        _bars("Why claims are held", report.held_by_reason),
        _bars("Whom they wait for", report.held_by_waiting_on),
        _columns("Time from session to claim", report.time_to_claim),
    ]


def _bars(title: str, counts: Mapping[str, int]) -> Chart:
    shown = dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
    return Chart(title, charts.bars(title, shown), tuple(shown.items()))


def _columns(title: str, spread: Distribution) -> Chart:
    shown = dict(spread.buckets)
    return Chart(title, charts.columns(title, shown), tuple(shown.items()))


def _concentration(report: Report) -> str:
    """How much of it the first few providers cause: where a talk mends most."""
    held = sorted(report.held_by_provider.values(), reverse=True)
    if len(held) < 4:
        return ""
    return f"3 providers cause {sum(held[:3]) / sum(held):.0%} of the held claims."


def _told(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items())


def _share(part: int, whole: int) -> str:
    return "none yet" if whole == 0 else f"{part / whole:.1%}"


def _precision(report: Report) -> str:
    return "none settled" if report.hold_precision is None else f"{report.hold_precision:.0%}"


def _half(one: Distribution) -> str:
    return "-" if one.median is None else length_text(one.median)


def _longest(one: Distribution) -> str:
    if one.p90 is None or one.longest is None:
        return "nothing to measure yet"
    return f"half of them; nine of ten within {length_text(one.p90)}, the longest {length_text(one.longest)}"


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("calsync.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
