"""Zone names as the stand-in takes them: Windows names and a list of IANA names; others are refused (sheet 5.3)."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from tzlocal.windows_tz import win_tz

from calsync.sandbox.graph.faults import bad

# A part of the documented list; newer spellings are unknown on purpose.
IANA = frozenset(
    {
        "Etc/GMT", "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "America/Phoenix",
        "America/Halifax", "America/Sao_Paulo", "Europe/London", "Europe/Berlin", "Europe/Istanbul", "Africa/Cairo",
        "Asia/Kolkata", "Asia/Tokyo", "Australia/Sydney", "Pacific/Honolulu", "Pacific/Auckland",
    }
)  # fmt: skip


def zone_of(name: str | None) -> ZoneInfo:
    """Return the zone that a request names; a Fault for one that is not known here."""
    if name is None or name in ("UTC", "tzone://Microsoft/Utc"):
        return ZoneInfo("Etc/UTC")
    if name in win_tz:
        return ZoneInfo(win_tz[name])
    if name in IANA:
        return ZoneInfo(name)
    raise bad("TimeZoneNotSupportedException", "A valid TimeZone value must be specified.")
