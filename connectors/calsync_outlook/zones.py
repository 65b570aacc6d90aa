"""Zone names: Windows' and IANA's, both ways; a name that is not known is said to be so, never guessed. Pure."""

from __future__ import annotations

from tzlocal.windows_tz import tz_win, win_tz

from calsync.domain.span import ZoneUnknown, zone_named

UTC_ZONE = "Etc/UTC"
_UTC_NAMES = {"utc", "tzone://microsoft/utc", "etc/utc", "etc/gmt", "gmt"}
_WINDOWS_BY_LOWER = {name.lower(): name for name in win_tz}


def iana_of(name: str | None) -> str | None:
    """Return the IANA zone of a name that Graph gave (Windows, IANA or UTC); None for any other, `Custom` included."""
    if not name:
        return None
    if name.lower() in _UTC_NAMES:
        return UTC_ZONE
    windows = _WINDOWS_BY_LOWER.get(name.lower())
    candidate = win_tz[windows] if windows is not None else name
    try:
        zone_named(candidate)
    except ZoneUnknown:
        return None
    return candidate


def windows_of(zone: str) -> str | None:
    """Return the Windows name of an IANA zone, None where there is none."""
    if zone.lower() in _UTC_NAMES:
        return "UTC"
    return tz_win.get(zone)


def same_zone(ours: str, told: str | None) -> bool:
    """Tell whether what Graph tells is the zone that we wrote: many IANA zones share one Windows name."""
    if told is None:
        return False
    if told == ours or windows_of(ours) == _WINDOWS_BY_LOWER.get(told.lower(), told):
        return True
    seen = iana_of(told)
    return seen is not None and windows_of(seen) is not None and windows_of(seen) == windows_of(ours)
