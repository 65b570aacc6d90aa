"""From HTTP statuses to the closed set of `calsync.connector.errors`. Pure.

    401                         AuthRevoked
    403                         Forbidden
    404, 410 of the calendar    NotFound
    429, 503 with Retry-After   Throttled
    408, 423, 5xx               Unavailable
    3xx and all others          Malformed

Messages hold the method and the status, never a URL, a name or a body.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

from calsync.connector.errors import (
    AuthRevoked,
    CalendarError,
    Forbidden,
    Malformed,
    NotFound,
    Throttled,
    Unavailable,
)

LONGEST_WAIT = 24 * 3600.0


def error_for(method: str, status: int, headers: Mapping[str, str]) -> CalendarError:
    """Return (not raise) the error that a status means when it answers a request about the calendar itself."""
    what = f"{method} answered {status}"
    if status == 429 or (status == 503 and "retry-after" in headers):
        return Throttled(what, retry_after=retry_after(headers))
    plain: dict[int, type[CalendarError]] = {401: AuthRevoked, 403: Forbidden, 404: NotFound, 410: NotFound}
    if status in plain:
        return plain[status](what)
    if status in {408, 423, 425} or status >= 500:
        return Unavailable(what)
    return Malformed(what)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return how many seconds to wait (RFC 9110 10.2.3), at most a day; None where the server does not say clearly.

    A date counts from the server's own `Date`, so that a wrong clock on either side does no harm.
    """
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdecimal():
        return min(float(text[:12]), LONGEST_WAIT)
    until, now = _date(text), _date(headers.get("date", ""))
    if until is None or now is None:
        return None
    return min(max((until - now).total_seconds(), 0.0), LONGEST_WAIT)


def _date(text: str) -> datetime | None:
    try:
        parsed = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError):
        return None
    return parsed if parsed.tzinfo is not None else None
