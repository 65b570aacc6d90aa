"""The words for out-of-band edits: kinds, phases, dispositions, resolutions. Never decides anything."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from calsync.domain.event import Appearance, OriginalStart


class DriftKind(StrEnum):
    """What an out-of-band edit did to one occurrence (DESIGN 5)."""

    MOVED = "moved"
    RESIZED = "resized"
    DELETED = "deleted"
    CANCELLED = "cancelled"
    ZONE_CHANGED = "zone-changed"
    MADE_ALL_DAY = "made-all-day"
    RECURRENCE_CHANGED = "recurrence-changed"
    SPLIT = "split"
    RELOCATED = "relocated"
    DUPLICATED = "duplicated"
    MARKER_LOST = "marker-lost"
    DECLINED = "declined"
    NEW_TIME_PROPOSED = "new-time-proposed"
    MARKED_FREE = "marked-free"
    UNREADABLE = "unreadable"
    RETITLED = "retitled"
    MADE_PUBLIC = "made-public"


# Start, end, existence and recurrence are guarded; the rest is cosmetic and by default the user's own business.
COSMETIC = frozenset({DriftKind.RETITLED, DriftKind.MARKED_FREE, DriftKind.MARKER_LOST, DriftKind.MADE_PUBLIC})
# What is noted of an event as a whole, whatever its occurrences show: no such note says or accepts anything of them.
NOTES = frozenset({DriftKind.MARKER_LOST, DriftKind.MADE_PUBLIC})


class Phase(StrEnum):
    """Where the occurrence stood when the edit was seen."""

    UPCOMING = "upcoming"
    STARTED = "started"
    PAST = "past"
    CLAIMED = "claimed"


class Disposition(StrEnum):
    """What policy says to do with a drift; the `would-` words are observe mode's (R-15)."""

    IGNORE = "ignore"
    REVERT = "revert"
    FLAG = "flag"
    REVERT_AND_FLAG = "revert-and-flag"
    WOULD_REVERT = "would-revert"
    WOULD_FLAG = "would-flag"

    @property
    def reverts(self) -> bool:
        """Whether the calendar is written back."""
        return self in (Disposition.REVERT, Disposition.REVERT_AND_FLAG)


class Resolution(StrEnum):
    """How a drift ended. `OPEN` has no end yet; the gate treats any unknown word as open."""

    OPEN = "open"
    REVERTED = "reverted"
    ACKNOWLEDGED = "acknowledged"
    WITHDRAWN = "withdrawn"
    ADOPTED = "adopted"
    RECORD_CORRECTED = "record-corrected"
    SUPERSEDED = "superseded"
    IGNORED = "ignored"


class Scope(StrEnum):
    """Whether one occurrence was edited on its own or through its series."""

    OCCURRENCE = "occurrence"
    SERIES = "series"


@dataclass(frozen=True, slots=True)
class Drift:
    """One out-of-band difference on one occurrence, as recorded. Identity: link, original start, episode (R-3)."""

    id: str
    edit: str
    link: str
    calendar: str
    provider: str
    appointment: str | None
    block: str | None
    series: str | None
    original_start: OriginalStart
    episode: int
    kind: DriftKind
    phase: Phase
    expected: Appearance | None
    observed: Appearance | None
    scope: Scope
    mixed: bool
    disposition: Disposition
    resolution: Resolution
    detected_at: datetime
    changed_at: datetime  # when `observed` last changed: settle counts from here
    resolved_at: datetime | None = None
    # True once a person answered or ended it in a way that makes what was seen the accepted state.
    accepted: bool = False
    copy_id: str | None = None  # remote id of a copy with our marker (duplicated, split)
    history: tuple[Appearance | None, ...] = field(default=())
    resolved_by: str | None = None

    @property
    def is_asked_back(self) -> bool:
        """Whether a person said that it is to be put back, and the calendar has not confirmed that yet."""
        return self.resolution is Resolution.OPEN and self.resolved_by is not None
