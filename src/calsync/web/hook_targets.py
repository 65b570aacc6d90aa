"""What calendar services' hooks need to know: which calendar a channel is for. Connectors with push bring it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from calsync.ports import Clock
from calsync.store import watches
from calsync.store.database import Database
from calsync.store.watches import WatchRow

_FRESH: Final = timedelta(seconds=5)
"""A channel that was closed meanwhile may be believed so long: all it can do is to make its calendar due."""
_MANY: Final = 20_000


@dataclass(frozen=True, slots=True)
class Meant:
    """Whom a message means: a calendar, or nobody (a stray)."""

    calendar: str | None


class HookTargets(Protocol):
    """Finds the calendar behind a channel. A push is a hint and nothing else: it only makes that calendar due."""

    def calendar_of(self, service: str, channel: str, secret: bytes, resource: str | None = None) -> str | None:
        """The id of the calendar; None for a channel that is unknown or whose secret or resource is another.

        `service` is "google" or "graph". Secrets are compared in constant time. `resource` None: the message names
        none of the channel's.
        """

    def at_hand(self, service: str, channel: str, secret: bytes, resource: str | None = None) -> Meant | None:
        """What `calendar_of` would say, where that is known without the books; None where they must be asked."""

    def ended(self, channel: str) -> None:
        """Forget a channel that its service gave up: the calendar's next pass opens another."""


class NoTargets:
    """No channel is open: every hook is a stray one."""

    def calendar_of(self, service: str, channel: str, secret: bytes, resource: str | None = None) -> str | None:
        """None."""
        del service, channel, secret, resource
        return None

    def at_hand(self, service: str, channel: str, secret: bytes, resource: str | None = None) -> Meant | None:
        """Nobody is meant."""
        del service, channel, secret, resource
        return Meant(None)

    def ended(self, channel: str) -> None:
        """Nothing."""


@dataclass(frozen=True, slots=True)
class OpenChannels:
    """The channels on the books (`store.watches`). A message that fits is noted: its channel lives.

    Those that were asked for lately are kept in memory for a moment: bursts call on one channel hundreds of times.
    """

    database: Database
    clock: Clock
    _lately: dict[str, tuple[WatchRow, datetime]] = field(default_factory=dict)

    def calendar_of(self, service: str, channel: str, secret: bytes, resource: str | None = None) -> str | None:
        """See `HookTargets`."""
        now = self.clock.now()
        with self.database.reading() as conn:
            row = watches.get(conn, channel)
        is_meant = watches.fits(row, service, secret, now=now, resource=resource)
        if row is None or not is_meant:
            self._keep(channel, row, now)
            return None
        if row.wants_note(now):
            with self.database.transaction() as conn:
                watches.note_push(conn, channel, now)
            row = replace(row, last_push_at=now)
        self._keep(channel, row, now)
        return row.calendar

    def at_hand(self, service: str, channel: str, secret: bytes, resource: str | None = None) -> Meant | None:
        """See `HookTargets`. What would have to be noted is left to `calendar_of`."""
        row, read_at = self._lately.get(channel, (None, None))
        now = self.clock.now()
        if row is None or read_at is None or not timedelta() <= now - read_at < _FRESH:
            return None
        if not watches.fits(row, service, secret, now=now, resource=resource):
            return Meant(None)
        return None if row.wants_note(now) else Meant(row.calendar)

    def _keep(self, channel: str, row: WatchRow | None, now: datetime) -> None:
        # Channels that nobody opened are not kept: whoever makes them up must not fill the memory.
        if row is None:
            return
        if len(self._lately) >= _MANY:
            self._lately.clear()
        self._lately[channel] = (row, now)

    def ended(self, channel: str) -> None:
        """See `HookTargets`."""
        self._lately.pop(channel, None)
        with self.database.transaction() as conn:
            watches.remove(conn, channel)
