"""Setting when a provider works. Sessions that are booked stay, also where they lie outside of it."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection

from calsync.booking.command import Command, note, rules_for
from calsync.booking.rules import check_own, check_who
from calsync.domain.working_times import WorkingTimes
from calsync.settings.lifecycle import Roles
from calsync.store import availability

_STAFF: Final[Roles] = ("provider", "support", "system")


def set_availability(conn: Connection, command: Command, provider: str, times: WorkingTimes) -> bool:
    """Make these the provider's working times; False if they were so already. `NotFoundError` for nobody.

    Refused: `who-may-set-availability`, `not-yours`.
    """
    check_who(rules_for(conn, command, provider), _STAFF, "set-availability", command.actor, provider)
    check_own(command.actor, provider, where=provider)
    changed = availability.put(conn, provider, times, now=command.now, by=command.actor)
    if changed:
        hours = sum(len(day) for day in times.weekly)
        note(conn, command, "availability-set", f"provider:{provider}", {"hours": hours, "dates": len(times.dates)})
    return changed
