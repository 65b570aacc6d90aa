"""Is an event that carries our marker still ours? A person may make one of ours, or a copy, into another. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from calsync.domain.drift import Disposition
from calsync.domain.event import Appearance, Event

_ASKED = {
    Disposition.REVERT: Disposition.FLAG,
    Disposition.REVERT_AND_FLAG: Disposition.FLAG,
    Disposition.WOULD_REVERT: Disposition.WOULD_FLAG,
}


def is_her_own(seen: Appearance, ours: Sequence[Event | None], beside: Iterable[Appearance | None]) -> bool:
    """Tell whether what a copy shows is a person's own: a title that none of our events has, and another time.

    `beside`: what we show or want where the copy belongs. No title is no sign: programs leave it out.
    """
    titles = {shown.title for event in ours if event is not None for shown in appearances(event)}
    moved = not any(shown is not None and seen.span.same_time_as(shown.span) for shown in beside)
    return moved and bool(seen.title) and seen.title not in titles


def is_wholly_her_own(copy: Event, ours: Sequence[Event | None]) -> bool:
    """Tell whether all that a copy shows is a person's own, next to our events; next to none of them nothing is."""
    beside = [shown for event in ours if event is not None for shown in appearances(event)]
    return bool(beside) and all(is_her_own(shown, ours, beside) for shown in appearances(copy))


def left_to_her(disposition: Disposition) -> Disposition:
    """Return what becomes of an event that is to be taken away by its owner's word only."""
    return _ASKED.get(disposition, disposition)


def appearances(event: Event) -> tuple[Appearance, ...]:
    """What an event shows: as a whole, and of single occurrences."""
    return (event.master, *(one.appearance for one in event.overrides))
