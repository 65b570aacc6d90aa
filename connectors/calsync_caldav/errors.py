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

from calsync.connector.errors import (
    AuthRevoked,
    CalendarError,
    Forbidden,
    Malformed,
    NotFound,
    Throttled,
    Unavailable,
)
from calsync.connector.retry_after import retry_after


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
