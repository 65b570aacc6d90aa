"""Edits as programs and people read them: the rows of `drifts list --json`, and one line of plain words for each."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from calsync.cli.times import show_span
from calsync.domain.drift import Disposition, Drift, DriftKind, Phase, Resolution
from calsync.domain.event import Appearance
from calsync.domain.span import Span, zone_named
from calsync.store.drifts import DriftAnswer

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


def drift_row(one: Drift, answer: DriftAnswer | None = None) -> dict[str, Any]:
    """One row of `drifts list --json` (face.md, Data); times carry the offset of the session's zone."""
    zone = _zone(one)
    row: dict[str, Any] = {
        "id": one.id,
        "edit": one.edit,
        "appointment": one.appointment,
        "block": one.block,
        "series": one.series,
        "original_start": _at(one.original_start, zone),
        "provider": one.provider,
        "calendar": one.calendar,
        "kind": one.kind.value,
        "phase": one.phase.value,
        "expected_start": _start(one.expected, zone),
        "expected_end": _end(one.expected, zone),
        "observed_start": _start(one.observed, zone),
        "observed_end": _end(one.observed, zone),
        "detected_at": _at(one.detected_at, zone),
        "scope": one.scope.value,
        "mixed": one.mixed,
        "disposition": one.disposition.value,
        "resolution": one.resolution.value,
        "resolved_at": _at(one.resolved_at, zone),
    }
    if answer is not None:
        row |= {
            "accepted": one.accepted,
            "reverted_at": _at(answer.reverted_at, zone),
            "resolved_by": answer.resolved_by,
            "note": answer.note,
            "history": [_start(seen, zone) for seen in one.history],
        }
    return row


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


def _zone(one: Drift) -> str:
    known = one.expected or one.observed
    return "UTC" if known is None else known.span.zone


def _shown(seen: Appearance | None, one: Drift) -> str | None:
    if seen is None:
        return None
    if seen.span.all_day:
        return f"{seen.span.start:%a %d %b %Y}, all day"
    return show_span(Span.between(seen.span.start_at, seen.span.end_at, _zone(one)))


def _start(seen: Appearance | None, zone: str) -> str | None:
    return None if seen is None else _at(seen.span.start_at, zone)


def _end(seen: Appearance | None, zone: str) -> str | None:
    return None if seen is None else _at(seen.span.end_at, zone)


def _at(at: datetime | None, zone: str) -> str | None:
    return None if at is None else at.astimezone(zone_named(zone)).isoformat()
