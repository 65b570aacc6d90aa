"""An account in memory: calendars that stay while clients come and go, crashes of clients included."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from calsync.connector.errors import CalendarError, Forbidden, NotFound
from calsync.connector.protocol import Watch
from calsync.ports import Clock
from calsync.testing.fake_ports import FakeClock
from calsync.testing.memory_state import Actor, CalendarState, Change
from calsync.testing.personality import CALDAV_SYNC, Personality
from calsync.testing.weather import Weather


@dataclass(frozen=True, slots=True)
class Subscription:
    """A watch as the service keeps it."""

    watch: Watch
    calendar: str
    callback_url: str
    secret: str


class MemoryService:
    """One person's account at one service. Open a calendar of it with `MemoryCalendar(service, name)`.

    `on_request(calendar, port)` is called before each request (a simulation switches tasks there), each of `observers`
    after each change of an event. `requests` counts by port; `trouble` is raised by every request while it is set.
    """

    def __init__(
        self, personality: Personality = CALDAV_SYNC, *, clock: Clock | None = None, weather: Weather | None = None
    ) -> None:
        self.personality = personality
        self.clock: Clock = clock or FakeClock()
        self.weather = weather or Weather()
        self.calendars: dict[str, CalendarState] = {}
        self.requests: Counter[str] = Counter()
        self.watches: dict[str, Subscription] = {}  # by the watch's id
        self.pushes: list[tuple[str, str]] = []  # (watch id, calendar), in the order of the changes
        self.trouble: CalendarError | None = None
        self.observers: list[Callable[[Change], None]] = [self._push]
        self.on_request: Callable[[str, str], None] | None = None
        self._seq = 0
        self._conditional_writes = 0

    def add_calendar(self, name: str) -> CalendarState:
        """Make an empty calendar; the one that is there if the name is taken."""
        if name not in self.calendars:
            self.calendars[name] = CalendarState(name, self.personality, self.clock, self.tick, self.observers)
        return self.calendars[name]

    def delete_calendar(self, name: str) -> None:
        """Take a whole calendar away, as a person can: every request to it raises `NotFound` from now on."""
        del self.calendars[name]

    def state(self, name: str, *, writing: bool = False) -> CalendarState:
        """Return a calendar's state for a request; raises what stands in the way of it."""
        if self.trouble is not None:
            raise self.trouble.with_traceback(None)
        state = self.calendars.get(name)
        if state is None:
            raise NotFound("no such calendar")
        if state.trouble is not None:
            raise state.trouble.with_traceback(None)
        if writing and state.read_only:
            raise Forbidden("read only")
        return state

    def tick(self) -> int:
        """Return the next number, for a change."""
        self._seq += 1
        return self._seq

    def count_conditional_write(self) -> bool:
        """Count a conditional write; true if the service refuses this one without cause."""
        self._conditional_writes += 1
        each = self.personality.false_conflict_each
        return each > 0 and self._conditional_writes % each == 0

    @property
    def total_requests(self) -> int:
        """All requests so far."""
        return self.requests.total()

    def written(self, calendar: str | None = None, *, since: datetime | None = None) -> list[Change]:
        """Return the changes that calsync made (not those that were refused), of one calendar or all."""
        return [
            change
            for name, state in self.calendars.items()
            if calendar in (None, name)
            for change in state.journal
            if change.by is Actor.CALSYNC and (since is None or change.at >= since)
        ]

    def _push(self, change: Change) -> None:
        for subscription in self.watches.values():
            if subscription.calendar == change.calendar and subscription.watch.expires_at > change.at:
                self.pushes.append((subscription.watch.id, change.calendar))
