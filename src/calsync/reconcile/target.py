"""The event that a write should leave behind: the record's, but with what must not be written over kept as it is. Pure.

Called by `decide` only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from calsync.domain.event import Appearance, Event, OriginalStart, Override, Recurrence
from calsync.domain.recurrence import slots_between
from calsync.reconcile.compare import same_state

Patches = Mapping[OriginalStart, Appearance | None]


def build_target(expected: Event, observed: Event | None, *, kept: Patches, wanted: Patches) -> Event:
    """Return the event to write.

    `kept`: occurrences that stay as our event now shows them, where that differs from the record. `wanted`: occurrences
    that have to change, as the record wants them. Starting from the record and patching what is kept, or from what is
    there and patching what is wanted, comes to the same inside the window; the one with fewer patches is written, so
    that a dragged series that is kept does not become a heap of overrides.
    """
    if observed is not None and len(wanted) < len(kept):
        return _patched(_with_texts(observed, expected), wanted)
    return _patched(expected, kept)


def _with_texts(observed: Event, expected: Event) -> Event:
    """Return what is there with our texts: the title of the master and of each override, place and description."""
    title = expected.master.title
    return replace(
        observed,
        uid=expected.uid,
        master=replace(observed.master, title=title),
        overrides=tuple(replace(one, appearance=replace(one.appearance, title=title)) for one in observed.overrides),
        location=expected.location,
        description=expected.description,
    )


def _patched(event: Event, patches: Patches) -> Event:
    for key, appearance in patches.items():
        event = _patch(event, key, appearance)
    return event


def _patch(event: Event, key: OriginalStart, appearance: Appearance | None) -> Event:
    if event.recurrence is None:
        # The one occurrence there is. That it should be absent is said by writing no event at all.
        is_it = key is None or key == event.master.span.start_at
        if appearance is None:
            return event
        if is_it:
            return replace(event, master=appearance)
        event = replace(event, recurrence=Recurrence(""))
    at = key if key is not None else event.master.span.start_at
    recurrence = event.recurrence or Recurrence("")
    overrides = {one.original_start: one for one in event.overrides if one.original_start != at}
    excluded = tuple(one for one in recurrence.excluded if one != at)
    added = recurrence.added
    if appearance is None:
        added = tuple(one for one in added if one != at)
        excluded = (*excluded, at)
    else:
        bare = replace(event, recurrence=replace(recurrence, excluded=excluded), overrides=())
        slot = slots_between(bare, at, at).get(at)
        if slot is None:
            added = (*added, at)
        shown = replace(event.master, span=slot) if slot is not None else None
        if shown is None or not same_state(shown, appearance) or shown.title != appearance.title:
            overrides[at] = Override(at, appearance)
    return replace(
        event,
        recurrence=replace(recurrence, added=_in_order(added), excluded=_in_order(excluded)),
        overrides=tuple(overrides[one] for one in sorted(overrides)),
    )


def _in_order(instants: tuple[datetime, ...]) -> tuple[datetime, ...]:
    return tuple(sorted(set(instants)))
