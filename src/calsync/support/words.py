"""What happened to a session, in plain words: for the queue, the timeline and the texts for tickets. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from calsync.domain.drift import Disposition, Drift, DriftKind, Phase, Resolution
from calsync.domain.event import Appearance
from calsync.domain.span import Span, ZoneUnknown, wall_time
from calsync.notices.wording import short_moment, short_span

_WITHOUT_TIME: Final = {
    DriftKind.DELETED: "deleted",
    DriftKind.CANCELLED: "marked as cancelled",
    DriftKind.MADE_ALL_DAY: "turned into a whole day",
    DriftKind.RECURRENCE_CHANGED: "made to repeat otherwise",
    DriftKind.RELOCATED: "moved to another calendar",
    DriftKind.DUPLICATED: "copied",
    DriftKind.DECLINED: "declined",
    DriftKind.UNREADABLE: "changed in a way that cannot be read",
    DriftKind.RETITLED: "given another title",
    DriftKind.MARKED_FREE: "shown as free time",
    DriftKind.MADE_PUBLIC: "made public",
    DriftKind.MARKER_LOST: "saved anew by another program",
}
_WITH_TIME: Final = {
    DriftKind.RESIZED: "made longer or shorter: now",
    DriftKind.ZONE_CHANGED: "put into another time zone: now",
    DriftKind.NEW_TIME_PROPOSED: "given a proposal for",
    DriftKind.SPLIT: "changed together with all that follow: now",
}
_ENDED: Final = {
    Resolution.REVERTED: "put back",
    Resolution.ACKNOWLEDGED: "answered",
    Resolution.WITHDRAWN: "undone by whoever did it",
    Resolution.ADOPTED: "what the record says now",
    Resolution.RECORD_CORRECTED: "the record was corrected",
    Resolution.SUPERSEDED: "overtaken by a change of the record",
    Resolution.IGNORED: "needs nothing",
}
_WAITS: Final = {
    Disposition.REVERT: "is being put back",
    Disposition.REVERT_AND_FLAG: "is being put back",
    Disposition.FLAG: "left as it is",
    Disposition.WOULD_REVERT: "left as it is: this practice only observes",
    Disposition.WOULD_FLAG: "left as it is: this practice only observes",
    Disposition.IGNORE: "needs nothing",
}
PHASES: Final = {
    Phase.UPCOMING: "before the session",
    Phase.STARTED: "while it ran",
    Phase.PAST: "after the session",
    Phase.CLAIMED: "after its claim was filed",
}


def booked(drift: Drift, zone: str) -> str:
    """When the session is booked: `Tue 24 Nov, 10:00-10:50`."""
    return span_text(drift.expected.span, zone) if drift.expected is not None else "no time booked"


def happened(drift: Drift, zone: str) -> str:
    """What was done to it, to follow "was": `moved to Tue 24 Nov, 14:00-14:50`."""
    if drift.kind in _WITHOUT_TIME or drift.observed is None:
        return _WITHOUT_TIME.get(drift.kind, "deleted")
    seen = drift.observed.proposed or drift.observed.span
    return f"{_WITH_TIME.get(drift.kind, 'moved to')} {span_text(seen, zone)}"


def standing(drift: Drift) -> str:
    """What became of it: `put back, nobody has said which time is right`."""
    if drift.resolution is Resolution.OPEN:
        return _WAITS[drift.disposition]
    if drift.resolution is Resolution.REVERTED:
        return "put back; nobody has said yet which time is right"
    return _ENDED[drift.resolution]


def seen_text(seen: Appearance | None, zone: str) -> str:
    """What a calendar showed: a time, or that it was not there."""
    if seen is None:
        return "not there"
    return span_text(seen.span, zone) + (" (called off)" if seen.cancelled else "")


def span_text(span: Span, zone: str) -> str:
    """`Tue 24 Nov, 10:00-10:50`, as clocks in the zone show it."""
    return short_span(span, known_zone(zone))


def moment_text(at: datetime | None, zone: str) -> str:
    """`Tue 24 Nov, 10:00`; nothing for None."""
    return "" if at is None else short_moment(at, known_zone(zone))


def known_zone(zone: str) -> str:
    """The zone, or UTC for one that this machine does not know."""
    try:
        wall_time(_ANY, zone)
    except ZoneUnknown:
        return "UTC"
    return zone


_ANY: Final = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
