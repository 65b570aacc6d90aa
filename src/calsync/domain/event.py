"""What a calendar shows: one aggregate of a master with its overrides, as in RFC 5545. Never does I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from calsync.domain.span import Span

# Which occurrence of an event: the aware UTC instant at which its recurrence put it, or None for the one
# occurrence of an event without recurrence.
OriginalStart = datetime | None


@dataclass(frozen=True, slots=True)
class Appearance:
    """How one occurrence looks: guarded (span, cancelled) and cosmetic (title, busy, answer) together."""

    span: Span
    title: str = ""
    cancelled: bool = False  # STATUS:CANCELLED: still there, but called off
    busy: bool = True  # TRANSP:OPAQUE
    answer: str = ""  # the owner's own answer, where the event has one: "", "accepted", "tentative", "declined"
    proposed: Span | None = None  # a new time that an attendee proposed


@dataclass(frozen=True, slots=True)
class Override:
    """One occurrence that differs from its master. `original_start`: aware UTC instant of the slot it replaces."""

    original_start: datetime
    appearance: Appearance


@dataclass(frozen=True, slots=True)
class Recurrence:
    """When a master repeats: `rule` is an RRULE value (RFC 5545 3.3.10) without the property name.

    `added` and `excluded` (RDATE, EXDATE) are aware UTC instants, sorted.
    """

    rule: str
    added: tuple[datetime, ...] = ()
    excluded: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """A single event, or a recurring master with its overrides (sorted by original start)."""

    uid: str
    master: Appearance
    recurrence: Recurrence | None = None
    overrides: tuple[Override, ...] = ()
    location: str = ""
    description: str = ""  # only the part that is ours
    public: bool = False  # anybody who may see the calendar may read it; what we write never is

    @property
    def is_series(self) -> bool:
        """Whether the event repeats."""
        return self.recurrence is not None

    def with_uid(self, uid: str) -> Event:
        """Return the same event under another UID."""
        return replace(self, uid=uid)


# What an event shows inside a window, per occurrence.
Occurrences = Mapping[OriginalStart, Appearance]
