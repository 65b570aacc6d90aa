"""What differs between services, declared by the connector and obeyed by the worker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from calsync.domain.event import Event


def holds_every_series(_event: Event) -> str | None:
    """None: nothing is refused."""
    return None


@dataclass(frozen=True, slots=True)
class Traits:
    """Facts about one service. Counts are items, not bytes."""

    push: bool = False  # can it tell us of changes?
    read_batch: int = 50  # events read by id in one request
    write_batch: int = 1  # events written in one request
    feed_proves: bool = False  # is "the feed says nothing changed" proof that an event is as it was?
    makes_calendars: bool = False  # can it make a dedicated calendar?
    series: bool = True  # can it hold recurring events?
    busy: bool = False  # can it report busy spans?
    keeps_uids: bool = False  # is an event under our name with another UID, and without our marker, not ours any more?
    unheld: Callable[[Event], str | None] = holds_every_series  # why this series cannot be one event, as a stable word

    def why_apart(self, event: Event) -> str | None:
        """Why the sessions of a series are mirrored as single events here; None: the series is one event."""
        if not event.is_series:
            return None
        return self.unheld(event) if self.series else "no-series"
