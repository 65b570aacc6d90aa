"""Setting when a provider works. Sessions that are booked stay, also where they lie outside of it."""

from __future__ import annotations

from sqlalchemy import Connection

from calsync.booking.command import Command, note
from calsync.domain.working_times import WorkingTimes
from calsync.errors import NotFoundError
from calsync.store import availability, providers


def set_availability(conn: Connection, command: Command, provider: str, times: WorkingTimes) -> bool:
    """Make these the provider's working times; False if they were so already. `NotFoundError` for nobody."""
    if providers.get(conn, provider) is None:
        raise NotFoundError("provider", provider)
    changed = availability.put(conn, provider, times, now=command.now, by=command.actor)
    if changed:
        hours = sum(len(day) for day in times.weekly)
        note(conn, command, "availability-set", f"provider:{provider}", {"hours": hours, "dates": len(times.dates)})
    return changed
