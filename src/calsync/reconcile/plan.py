"""What a pass intends, as frozen data: can be printed, limited, stored, run. Made by `decide`, run by the worker."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from calsync.domain.drift import Disposition, DriftKind, Phase, Resolution, Scope
from calsync.domain.event import Appearance, Event, OriginalStart
from calsync.domain.write import Cause, WriteKind


@dataclass(frozen=True, slots=True)
class FoundDrift:
    """A drift to record: a new episode on one occurrence.

    `ended` is set when it is settled by being recorded (a cosmetic one that policy ignores, or one that the record's
    own change overtook). One that ends as `ignored` is accepted: what was seen stays.
    """

    original_start: OriginalStart
    appointment: str | None
    kind: DriftKind
    phase: Phase
    expected: Appearance | None
    observed: Appearance | None
    scope: Scope
    mixed: bool
    disposition: Disposition
    ended: Resolution | None = None
    copy_id: str | None = None


@dataclass(frozen=True, slots=True)
class DriftChange:
    """A change to a drift on the books: what is seen now, and how it ended if it did.

    `copy_id`: the rest of a split that shows it now; None leaves what is on the books.
    """

    drift: str
    observed: Appearance | None
    kind: DriftKind
    disposition: Disposition
    ended: Resolution | None = None
    copy_id: str | None = None


@dataclass(frozen=True, slots=True)
class WantedWrite:
    """A write to owe. `target` None: removal. `version`: the version it is decided on (None for a create).

    `reverts` are the original starts whose open drifts this write puts back; `not_before` aware UTC (settle, R-11).
    """

    kind: WriteKind
    remote_id: str
    target: Event | None
    version: str | None
    cause: Cause
    not_before: datetime
    reverts: tuple[OriginalStart, ...] = ()
    new_generation: bool = False  # the service refuses the old id: create under the next generation


@dataclass(frozen=True, slots=True)
class Adopt:
    """Take what is there as agreed: the calendar shows what the record calls for (or a write of ours that arrived)."""

    version: str | None
    baseline: Event | None
    content: str | None = None  # hash of the write that turned out to have arrived


class SightKind(StrEnum):
    """What one occurrence showed when its event was read."""

    SHOWN = "shown"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Sighting:
    """What was seen of one appointment's occurrence; `appearance` None: it was not there."""

    original_start: OriginalStart
    appointment: str | None
    appearance: Appearance | None


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do about one link. Every field may be empty; `cell` names the row of the three-way table."""

    link: str
    cell: str
    found: tuple[FoundDrift, ...] = ()
    changed: tuple[DriftChange, ...] = ()
    writes: tuple[WantedWrite, ...] = ()
    adopt: Adopt | None = None
    # What to remember as last observed: `remember` with None clears it; `absent` that it was confirmed missing.
    looked: bool = False
    version_seen: str | None = None
    remember: Event | None = None
    absent: bool = False
    sightings: tuple[Sighting, ...] = ()
    # For the brakes: did the whole link vanish or change, and which upcoming starts (aware UTC) did it take along?
    vanished: bool = False
    changed_wholly: bool = False
    starts: tuple[datetime, ...] = ()
    # All of that was recorded before, and stands as it was: no news to stop for.
    told_before: bool = False
    # The link's event lives under this remote id from now on (its own is gone, and a copy took its place).
    renamed: str | None = None
    # Somebody looked at the mass change that this was part of, and said that nobody meant it: no question is left.
    restored: bool = False


@dataclass(frozen=True, slots=True)
class Suspect:
    """A link that a stop is about, with the occurrences that vanished or changed."""

    link: str
    vanished: bool
    original_starts: tuple[OriginalStart, ...]


@dataclass(frozen=True, slots=True)
class Stampede:
    """Why a calendar must be stopped: numbers for a person to judge by (R-13)."""

    calendar: str
    changed: int
    upcoming: int
    share: float
    limit_count: int
    limit_share: float
    suspects: tuple[Suspect, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """One pass over one calendar: either a stop, or decisions, sorted by link id."""

    calendar: str
    decisions: tuple[Decision, ...] = ()
    stampede: Stampede | None = None
