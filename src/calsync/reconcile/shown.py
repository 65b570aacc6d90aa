"""What is seen of an event, occurrence by occurrence; when two show the same, and how their difference is called.

It is found out in `compare`, and for a series that was cut in two in `split`. `relocated` is recognised by `elsewhere`:
the event is gone, and the account's other calendars were asked. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from calsync.domain.drift import DriftKind
from calsync.domain.event import Appearance, OriginalStart
from calsync.reconcile.case import Copy
from calsync.reconcile.level import Level


@dataclass(frozen=True, slots=True)
class Shown:
    """One occurrence as seen. `own`: in the link's own event; `seen`: anywhere, so also in the rest of a split.

    `copy_id`: remote id of the copy that shows it after a split. `relabelled`: the series was put into another zone.
    `headless`: of the series only single changes are left.
    """

    own: Appearance | None
    seen: Appearance | None
    level: Level = Level.MASTER
    copy_id: str | None = None
    relabelled: bool = False
    headless: bool = False


@dataclass(frozen=True, slots=True)
class Duplicate:
    """An occurrence that a copy shows once more, beside our own."""

    original_start: OriginalStart
    copy: Copy
    seen: Appearance


@dataclass(frozen=True, slots=True)
class Told:
    """What standing drifts say of this event, so that it is not read another way once something else changes.

    `rests`: by remote id of the rest of a split, what it showed for which occurrence. `beside`: remote ids of copies
    that are no such rest. `added`: what our event showed besides all that was agreed, by its own start. `extra`: by
    remote id of a copy, what it showed beside ours, and for which occurrence.
    """

    rests: Mapping[str, Mapping[OriginalStart, Appearance | None]] = field(default_factory=dict)
    beside: frozenset[str] = frozenset()
    added: Mapping[OriginalStart, Appearance | None] = field(default_factory=dict)
    extra: Mapping[str, Mapping[OriginalStart, Appearance | None]] = field(default_factory=dict)


NOTHING_TOLD = Told()


@dataclass(frozen=True, slots=True)
class View:
    """All that can be seen of one event inside a window, keyed by the original starts of the agreed event.

    `beyond`: what the rest of a split shows besides that lies near no session of ours, by its own start.
    """

    agreed: dict[OriginalStart, Appearance]
    shown: dict[OriginalStart, Shown]
    duplicates: tuple[Duplicate, ...] = ()
    beyond: tuple[Duplicate, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference on one occurrence. `expected` None: nothing was agreed; `observed` None: nothing is there."""

    original_start: OriginalStart
    kind: DriftKind
    expected: Appearance | None
    observed: Appearance | None
    level: Level
    copy_id: str | None = None


def same_state(one: Appearance | None, other: Appearance | None) -> bool:
    """Tell whether two appearances agree in what is guarded: both off, or both on at the same time."""
    off_one, off_other = one is None or one.cancelled, other is None or other.cancelled
    if one is None or other is None or off_one or off_other:
        return off_one and off_other
    return one.span.same_time_as(other.span)


def kind_of(expected: Appearance | None, observed: Appearance | None) -> DriftKind | None:
    """Name the gravest difference between an agreed and a seen appearance; None if nothing of weight differs."""
    if not same_state(expected, observed):
        return _guarded_kind(expected, observed)
    if expected is None or observed is None or observed.cancelled:
        return None
    if observed.answer == "declined" != expected.answer:
        return DriftKind.DECLINED
    if observed.proposed is not None and observed.proposed != expected.proposed:
        return DriftKind.NEW_TIME_PROPOSED
    if observed.busy != expected.busy:
        return DriftKind.MARKED_FREE
    return DriftKind.RETITLED if observed.title != expected.title else None


def shown_kind(agreed: Appearance | None, shown: Shown, *, elsewhere: str | None = None) -> DriftKind | None:
    """Name the difference of an occurrence, with what only the whole event can tell: split and relocated."""
    if shown.copy_id is not None:
        return DriftKind.SPLIT
    kind = kind_of(agreed, shown.seen)
    if kind is DriftKind.DELETED and elsewhere is not None:
        return DriftKind.RELOCATED
    if kind is DriftKind.DELETED and shown.headless:
        return DriftKind.RECURRENCE_CHANGED
    if kind in (DriftKind.MOVED, DriftKind.RESIZED) and shown.relabelled:
        return DriftKind.ZONE_CHANGED
    return kind


def sort_key(key: OriginalStart) -> tuple[bool, float]:
    """Order original starts by time, the one of a single event first."""
    return (key is not None, key.timestamp() if key is not None else 0.0)


def _guarded_kind(expected: Appearance | None, observed: Appearance | None) -> DriftKind:
    if observed is None:
        return DriftKind.DELETED
    if expected is None or expected.cancelled:
        return DriftKind.RECURRENCE_CHANGED
    if observed.cancelled:
        return DriftKind.CANCELLED
    before, after = expected.span, observed.span
    if before.all_day != after.all_day:
        return DriftKind.MADE_ALL_DAY
    if before.zone != after.zone and (before.start, before.end) == (after.start, after.end):
        return DriftKind.ZONE_CHANGED
    return DriftKind.RESIZED if before.start_at == after.start_at else DriftKind.MOVED
