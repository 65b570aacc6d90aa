"""What deciding may know about one link at one moment, as frozen values. The worker gathers it; none of it decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from calsync.domain.drift import Disposition, Drift, DriftKind, Phase
from calsync.domain.event import Appearance, Event, OriginalStart
from calsync.domain.link import Link
from calsync.domain.marker import Marker
from calsync.domain.span import Window


@dataclass(frozen=True, slots=True)
class Slot:
    """The record side of one occurrence: its appointment (None for a block) and whether its claim is filed."""

    appointment: str | None
    claimed: bool = False


@dataclass(frozen=True, slots=True)
class SeenNow:
    """The event was read in this pass. `marker` is verified and of this link, or None when it was lost."""

    version: str
    event: Event
    marker: Marker | None = None


@dataclass(frozen=True, slots=True)
class ConfirmedAbsent:
    """Two signals agree that the event is gone. `elsewhere`: another calendar of the account that has it."""

    elsewhere: str | None = None


@dataclass(frozen=True, slots=True)
class NothingNew:
    """The feed said nothing about it: as last observed, as far as known."""


@dataclass(frozen=True, slots=True)
class UnreadableNow:
    """It is there and cannot be understood. `reason` is a rule's name."""

    version: str | None
    reason: str


Sight = SeenNow | ConfirmedAbsent | NothingNew | UnreadableNow


@dataclass(frozen=True, slots=True)
class Copy:
    """An event under another remote id that carries this link's genuine marker (duplicated, or the rest of a split).

    `told`: it was there before just as it is now, so whatever it shows was recorded then. `unreadable`: it stands, and
    cannot be understood any more; `event` is what it showed before.
    """

    remote_id: str
    version: str
    event: Event
    marker: Marker | None = None  # verified; needed where the copy turns out to be the event under another name
    told: bool = False
    unreadable: bool = False


@dataclass(frozen=True, slots=True)
class SentWrite:
    """A write of ours whose answer is not known. `event` None: a removal. `content`: its marker's hash.

    `restores`: original starts that a person said are to be put back by it, whatever policy says of their edits.
    """

    key: str
    event: Event | None
    content: str | None
    restores: tuple[OriginalStart, ...] = ()
    version: str | None = None  # of the event that it was decided on
    given_up: bool = False  # not found before; should it arrive after all, it stands just as it went out


@dataclass(frozen=True, slots=True)
class PastRevert:
    """One edit of this link that was put back: where, when, and what had been seen (R-12)."""

    original_start: OriginalStart
    at: datetime
    observed: Appearance | None


@dataclass(frozen=True, slots=True)
class LinkCase:
    """One link, whole. `expected` is the event the record calls for; None when nothing should be there.

    `drifts` are this link's open ones and, per occurrence, the latest answered one whose seen state is accepted (R-10).
    """

    link: Link
    expected: Event | None
    slots: Mapping[OriginalStart, Slot]
    sight: Sight
    copies: tuple[Copy, ...] = ()
    sent: tuple[SentWrite, ...] = ()
    drifts: tuple[Drift, ...] = ()
    reverts: tuple[PastRevert, ...] = ()
    conflict: bool = False  # decided again after a write of ours met another version
    # Remote ids of copies on open drifts that a read has confirmed gone; one that is in neither list is not known.
    gone_copies: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class DecisionPolicy:
    """A practice's rules for edits. `dispositions` lacks no (kind, phase) pair; durations are elapsed time."""

    dispositions: Mapping[tuple[DriftKind, Phase], Disposition]
    observe_only: bool = False
    settle: timedelta = timedelta(seconds=90)
    revert_limit: int = 3
    revert_limit_period: timedelta = timedelta(hours=24)
    stampede_share: float = 0.2
    stampede_min: int = 5
    stampede_period: timedelta = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Moment:
    """When and over which window a decision is made. `now` is aware UTC."""

    now: datetime
    window: Window


@dataclass(frozen=True, slots=True)
class RecentChange:
    """A link that vanished or changed wholly before this pass, within the stampede's period or still unresolved.

    `starts`: expected starts (aware UTC) that vanished, for the one-week rule (R-13); empty for a change.
    """

    link: str
    vanished: bool
    starts: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class CalendarFacts:
    """What the brakes must know about the calendar as a whole."""

    calendar: str
    zone: str
    upcoming_links: int
    recent: tuple[RecentChange, ...] = field(default=())
    released: str | None = None  # "edits" or "restore": a person released the stop for this pass
