"""When billing is told of a recall: of a `stop` at once, of others in one list before the batch (R-18). Pure."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from calsync.domain.span import ZoneUnknown, zone_named


def told_at(action: str, zone: str | None, at: time, now: datetime) -> datetime:
    """The instant from which billing may be told; `at` is the time of the list on the session's own clock."""
    if action == "stop" or zone is None:
        return now
    try:
        there = zone_named(zone)
    except ZoneUnknown:
        return now
    today = now.astimezone(there).date()
    coming = (datetime.combine(today + timedelta(days=days), at, tzinfo=there).astimezone(UTC) for days in (0, 1))
    return next((one for one in coming if one > now), now)
