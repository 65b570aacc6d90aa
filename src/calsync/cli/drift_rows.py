"""Edits as programs and people read them: the rows of `drifts list --json`, and one line of plain words for each."""

from __future__ import annotations

from typing import Final

from calsync.cli.times import show_span
from calsync.domain.drift import Disposition, Drift, DriftKind, Phase, Resolution
from calsync.domain.event import Appearance
from calsync.domain.span import Span
from calsync.records.json_rows import drift_row, drift_zone

__all__ = ["drift_line", "drift_row"]

_SAID: Final = {
    DriftKind.MOVED: "moved",
    DriftKind.RESIZED: "made longer or shorter",
    DriftKind.DELETED: "deleted",
    DriftKind.CANCELLED: "called off",
    DriftKind.ZONE_CHANGED: "put into another time zone",
    DriftKind.MADE_ALL_DAY: "made an all-day event",
    DriftKind.RECURRENCE_CHANGED: "made to repeat otherwise",
    DriftKind.SPLIT: "changed together with all that follow",
    DriftKind.RELOCATED: "moved to another calendar",
    DriftKind.DUPLICATED: "copied",
    DriftKind.MARKER_LOST: "saved without calsync's mark",
    DriftKind.DECLINED: "declined",
    DriftKind.NEW_TIME_PROPOSED: "given another proposed time",
    DriftKind.MARKED_FREE: "shown as free",
    DriftKind.UNREADABLE: "made unreadable",
    DriftKind.RETITLED: "given another title",
    DriftKind.MADE_PUBLIC: "made public",
}
_ENDED: Final = {
    Resolution.REVERTED: "was put back",
    Resolution.ACKNOWLEDGED: "was answered",
    Resolution.WITHDRAWN: "was undone by whoever did it",
    Resolution.ADOPTED: "is what the record says now",
    Resolution.RECORD_CORRECTED: "is what the corrected record says",
    Resolution.SUPERSEDED: "was overtaken by a change of the record",
    Resolution.IGNORED: "needs nothing",
}
_WAITS: Final = {
    Disposition.REVERT: "will be put back",
    Disposition.REVERT_AND_FLAG: "will be put back, and somebody must look",
    Disposition.FLAG: "waits for an answer",
    Disposition.WOULD_REVERT: "would be put back, but this practice only observes",
    Disposition.WOULD_FLAG: "would be asked about, but this practice only observes",
    Disposition.IGNORE: "needs nothing",
}
_PHASE: Final = {
    Phase.UPCOMING: "before the session",
    Phase.STARTED: "during the session",
    Phase.PAST: "after the session",
    Phase.CLAIMED: "after its claim was filed",
}


def drift_line(one: Drift) -> str:
    """One edit in a sentence, with the time first: people know a session by its slot."""
    what = f"session {one.appointment}" if one.appointment else f"block {one.block}" if one.block else "an event"
    when = _shown(one.expected, one) or "no time agreed"
    seen = f" to {_shown(one.observed, one)}" if one.observed is not None and _has_other_time(one) else ""
    state = _WAITS[one.disposition] if one.resolution is Resolution.OPEN else _ENDED[one.resolution]
    return f"{one.id}  {when}, {what}: {_SAID[one.kind]}{seen} in {one.calendar}, {_PHASE[one.phase]}; {state}"


def _has_other_time(one: Drift) -> bool:
    if one.expected is None or one.observed is None:
        return one.observed is not None
    return not one.observed.span.same_time_as(one.expected.span)


def _shown(seen: Appearance | None, one: Drift) -> str | None:
    if seen is None:
        return None
    if seen.span.all_day:
        return f"{seen.span.start:%a %d %b %Y}, all day"
    return show_span(Span.between(seen.span.start_at, seen.span.end_at, drift_zone(one)))
