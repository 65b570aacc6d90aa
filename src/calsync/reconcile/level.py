"""Where an occurrence that differs was edited: through its series as a whole, or on its own. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from calsync.domain.event import Appearance, Event
from calsync.domain.recurrence import slots_between


class Level(StrEnum):
    """Where an occurrence was edited: through its event as a whole, or on its own inside a series."""

    MASTER = "master"
    OVERRIDE = "override"


class Levels:
    """Tells whether a difference came through the series as a whole or was made on one occurrence."""

    def __init__(self, agreed: Event, observed: Event) -> None:
        self._both = agreed.recurrence is not None and observed.recurrence is not None
        self._agreed, self._observed = _pattern_only(agreed), _pattern_only(observed)
        self._added = frozenset(agreed.recurrence.added if agreed.recurrence else ())
        self._own_added = frozenset(observed.recurrence.added if observed.recurrence else ())
        self._touched = frozenset(override.original_start for override in (*agreed.overrides, *observed.overrides))

    def of(self, key: datetime, own: Appearance | None) -> Level:
        """Tell where an occurrence that differs was edited; `own` None: it is no longer shown."""
        if not self._both:
            return Level.MASTER
        if key in self._added:
            return Level.OVERRIDE
        before = slots_between(self._agreed, key, key).get(key)
        after = slots_between(self._observed, key, key).get(key)
        if before is None or after is None or not before.same_time_as(after):
            return Level.MASTER
        # The rule still has the slot as it was: so it was excluded or overridden, or the master's own looks changed.
        return Level.OVERRIDE if own is None or key in self._touched else Level.MASTER

    def of_extra(self, key: datetime) -> Level:
        """Tell where an occurrence that nothing explains comes from."""
        alone = self._both and (key in self._own_added or key in self._touched)
        return Level.OVERRIDE if alone else Level.MASTER


def _pattern_only(event: Event) -> Event:
    """Return the event as its rule alone would have it."""
    if event.recurrence is None:
        return event
    return replace(event, recurrence=replace(event.recurrence, excluded=()), overrides=())
