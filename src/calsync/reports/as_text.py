"""A report for people: what is in step, what was changed, what waits for whom."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from calsync.reports.as_json import causes_by_provider
from calsync.reports.build import BusyTime, Report
from calsync.reports.lengths import Distribution

TOP = 10


def report_text(report: Report) -> str:
    """The report on one screen; what is zero is left out where it says nothing."""
    scope = report.scope
    whose = f" for {scope.provider}" if scope.provider else ""
    lines = [
        f"Reconciliation{whose}, {scope.since:%a %d %b %Y} to {scope.until:%a %d %b %Y} (UTC)",
        "",
        f"Sessions: {report.appointments}{_inside(report.by_status)}",
        f"In step with calendars: {report.in_step} of {report.standing}",
        f"Calendars: {_listed(report.calendars) or 'none'}",
        "",
        f"Edits made in calendars: {report.edits}, touching {report.drifts} sessions or blocks",
        *_block("what", report.by_kind),
        *_block("when", report.by_phase),
        *_block("done about it", report.by_disposition),
        *_block("ended as", report.by_resolution),
        *_block("by provider", report.by_provider),
        f"Time until seen, at most: {_spread(report.time_to_detect)}",
        f"Time until settled: {_spread(report.time_to_resolve)}",
        *_block("in how long", Counter(dict(report.time_to_resolve.buckets)), in_order=True),
        f"Waiting for an answer: {report.open}",
        "",
        f"Claims held: {report.held} of {report.checked} sessions that are over{_rate(report)}",
        *_block("why", report.held_by_reason),
        *_block("waiting for", report.held_by_waiting_on),
        f"Recalls: {report.recalls}{_inside(report.recalls_by_action)}, {report.recalls_open} open",
        f"Holds that were right: {_share(report.hold_precision)}",
        f"Time from session to claim: {_spread(report.time_to_claim, 'nothing filed yet')}",
        *_whose(report),
    ]
    overlapping = report.conflicts - report.busy_conflicts
    if overlapping:
        lines.append(f"Sessions that overlap another of the same provider: {overlapping}")
    if report.busy_conflicts:
        lines.append(f"Sessions at a time at which a calendar shows their provider busy: {report.busy_conflicts}")
        lines += [f"  {session}: calendar {calendar}" for session, (calendar, _, _) in _first(report.busy_sessions)]
    lines += _of_the_book(report)
    if report.open or report.held:
        lines += ["", "Next: `calsync drifts list --open`, and `calsync claims check ID` for what a claim waits for."]
    return "\n".join(lines) + "\n"


def _of_the_book(report: Report) -> list[str]:
    """What the practices' own rules want a person to look at."""
    told = [
        f"  {one.provider}: {one.changes} changes of plans, {one.unconfirmed} bookings left unconfirmed; "
        f"at most {one.limit} are all right"
        for one in report.reviews[:TOP]
    ]
    lines = ["Providers who upset plans too often:", *told] if told else []
    for what, sessions in (
        ("Bookings whose provider has not confirmed them in time", report.unconfirmed),
        ("Clients to whom another provider is to be suggested, by session", report.suggestions),
    ):
        lines += [f"{what}: {len(sessions)} ({', '.join(sessions[:TOP])})"] if sessions else []
    return lines


def _first(sessions: dict[str, BusyTime]) -> list[tuple[str, BusyTime]]:
    return list(sessions.items())[:TOP]


def _block(title: str, counts: Counter[str], *, in_order: bool = False) -> list[str]:
    shown = {name: count for name, count in (counts.items() if in_order else counts.most_common()) if count}
    return [f"  {title}: {_listed(shown)}"] if shown else []


def _rate(report: Report) -> str:
    return "" if report.hold_rate is None else f" ({report.hold_rate:.1%})"


def _whose(report: Report) -> list[str]:
    """The few providers behind most of it: there the cause can be mended."""
    found = causes_by_provider(report)
    if not found:
        return []
    lines = [f"  {provider}: {held} held, {_listed(kinds) or 'no edits'}" for provider, kinds, held in found[:TOP]]
    more = [f"  and {len(found) - TOP} more providers"] if len(found) > TOP else []
    return ["", "Where it comes from:", *lines, *more]


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items())


def _inside(counts: Counter[str]) -> str:
    return f" ({_listed(dict(counts.most_common()))})" if counts else ""


def _spread(one: Distribution, none: str = "nothing settled yet") -> str:
    if one.median is None or one.p90 is None or one.longest is None:
        return none
    within = f"half within {length_text(one.median)}, nine of ten within {length_text(one.p90)}"
    return f"{within}, the longest {length_text(one.longest)}"


def length_text(length: timedelta) -> str:
    """`90 s`, `12 min`, `5 h`, `3 d`: as exact as anybody needs it."""
    seconds = int(length.total_seconds())
    for size, word in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {word}"
    return f"{seconds} s"


def _share(share: float | None) -> str:
    return "none settled yet" if share is None else f"{share:.0%}"
