"""The event that a write should leave behind: the record's, but with what must not be written over kept as it is. Pure.

Called by `decide` only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from calsync.domain.event import Appearance, Event, OriginalStart, Override, Recurrence
from calsync.domain.recurrence import slots_between
from calsync.reconcile.shown import same_state

Patches = Mapping[OriginalStart, Appearance | None]


def build_target(expected: Event, *, kept: Patches) -> Event:
    """Return the event to write: the record's, with the occurrences in `kept` as our event shows them now.

    Always built from the record, so that its original starts stay those by which the baseline is compared; a dragged
    series that is kept becomes that many overrides.
    """
    return _patched(expected, kept)


def _patched(event: Event, patches: Patches) -> Event:
    for key, appearance in patches.items():
        event = _patch(event, key, appearance)
    return event


def _patch(event: Event, key: OriginalStart, appearance: Appearance | None) -> Event:
    recurrence = event.recurrence
    if recurrence is None:
        # The one occurrence there is. That it should be absent is said by writing no event at all.
        is_it = key is None or key == event.master.span.start_at
        if appearance is None:
            return event
        if is_it:
            return replace(event, master=appearance)
        recurrence = Recurrence("")
    at = key if key is not None else event.master.span.start_at
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
