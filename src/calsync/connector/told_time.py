"""What a service's own clock said with an answer: HTTP's `Date` (RFC 9110 6.6.1). Pure; for connectors that speak HTTP.

Whole seconds, cut off: the true instant lies up to one second later.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def told_time(header: str | None) -> datetime | None:
    """The instant that a `Date` header names, aware, in UTC; None where there is none or it cannot be read."""
    try:
        told = parsedate_to_datetime(header or "")
        return told.replace(tzinfo=UTC) if told.tzinfo is None else told.astimezone(UTC)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
