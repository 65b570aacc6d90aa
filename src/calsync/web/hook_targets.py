"""What calendar services' hooks need to know: which calendar a channel is for. Connectors with push bring it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from calsync.ports import Clock
from calsync.store import watches
from calsync.store.database import Database


class HookTargets(Protocol):
    """Finds the calendar behind a channel. A push is a hint and nothing else: it only makes that calendar due."""

    def calendar_of(self, service: str, channel: str, secret: bytes, resource: str | None = None) -> str | None:
        """The id of the calendar; None for a channel that is unknown or whose secret or resource is another.

        `service` is "google" or "graph". Secrets are compared in constant time. `resource` None: the message names
        none of the channel's.
        """

    def ended(self, channel: str) -> None:
        """Forget a channel that its service gave up: the calendar's next pass opens another."""


class NoTargets:
    """No channel is open: every hook is a stray one."""

    def calendar_of(self, service: str, channel: str, secret: bytes, resource: str | None = None) -> str | None:
        """None."""
        del service, channel, secret, resource
        return None

    def ended(self, channel: str) -> None:
        """Nothing."""


@dataclass(frozen=True, slots=True)
class OpenChannels:
    """The channels on the books (`store.watches`). A message that fits is noted: its channel lives."""

    database: Database
    clock: Clock

    def calendar_of(self, service: str, channel: str, secret: bytes, resource: str | None = None) -> str | None:
        """See `HookTargets`."""
        now = self.clock.now()
        with self.database.reading() as conn:
            found = watches.meant_by(conn, service, channel, secret, now=now, resource=resource)
        if found is not None and found.wants_note(now):
            with self.database.transaction() as conn:
                watches.note_push(conn, channel, now)
        return None if found is None else found.calendar

    def ended(self, channel: str) -> None:
        """See `HookTargets`."""
        with self.database.transaction() as conn:
            watches.remove(conn, channel)
