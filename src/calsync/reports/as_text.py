"""A report for people: what is in step, what was changed, what waits for whom."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from calsync.reports.build import Distribution, Report


def report_text(report: Report) -> str:
    """The report on one screen; what is zero is left out where it says nothing."""
    scope = report.scope
    whose = f" for {scope.provider}" if scope.provider else ""
    standing = report.appointments - sum(report.by_status[word] for word in ("cancelled", "late-cancelled"))
    lines = [
        f"Reconciliation{whose}, {scope.since:%a %d %b %Y} to {scope.until:%a %d %b %Y} (UTC)",
        "",
        f"Sessions: {report.appointments}{_inside(report.by_status)}",
        f"In step with calendars: {report.in_step} of {standing}",
        f"Calendars: {_listed(report.calendars) or 'none'}",
        "",
        f"Edits made in calendars: {report.drifts}",
        *_block("what", report.by_kind),
        *_block("when", report.by_phase),
        *_block("done about it", report.by_disposition),
        *_block("ended as", report.by_resolution),
        *_block("by provider", report.by_provider),
        f"Time until seen, at most: {_spread(report.time_to_detect)}",
        f"Time until settled: {_spread(report.time_to_resolve)}",
        f"Waiting for an answer: {report.open}",
        "",
        f"Claims held: {report.held} of {report.checked} sessions that are over",
        *_block("why", report.held_by_reason),
        *_block("waiting for", report.held_by_waiting_on),
        f"Recalls: {report.recalls}{_inside(report.recalls_by_action)}, {report.recalls_open} open",
        f"Holds that were right: {_share(report.hold_precision)}",
    ]
    if report.conflicts:
        lines.append(f"Sessions that overlap another of the same provider: {report.conflicts}")
    if report.open or report.held:
        lines += ["", "Next: `calsync drifts list --open`, and `calsync claims check ID` for what a claim waits for."]
    return "\n".join(lines) + "\n"


def _block(title: str, counts: Counter[str]) -> list[str]:
    return [f"  {title}: {_listed(dict(counts.most_common()))}"] if counts else []


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items())


def _inside(counts: Counter[str]) -> str:
    return f" ({_listed(dict(counts.most_common()))})" if counts else ""


def _spread(one: Distribution) -> str:
    if one.median is None or one.longest is None:
        return "nothing settled yet"
    return f"half within {_length(one.median)}, the longest {_length(one.longest)}"


def _length(length: timedelta) -> str:
    seconds = int(length.total_seconds())
    for size, word in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {word}"
    return f"{seconds} s"


def _share(share: float | None) -> str:
    return "none settled yet" if share is None else f"{share:.0%}"
