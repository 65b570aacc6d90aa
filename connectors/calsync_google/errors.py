"""From Google's refusals to the closed set of `calsync.connector.errors` (contract sheet 11). Pure.

    401; 403 insufficientPermissions                          AuthRevoked
    403 rate limits, 429, 503 with Retry-After                Throttled
    403 quotaExceeded (the user's own limit)                  Throttled, an hour: see `account_lock`
    403 dailyLimitExceeded, all other 403                     Throttled (a day's rest) / Forbidden
    403 accessNotConfigured, SERVICE_DISABLED                 Unavailable: the admin's to mend, no provider's
    404, 410 of the calendar                                  NotFound
    410 fullSyncRequired, updatedMinTooLongAgo, bad token     CursorExpired (where a token was sent)
    408, 5xx, no answer                                       Unavailable
    3xx, 400 and all others; answers that are no JSON         Malformed

Messages hold the method, the status and Google's reason, never a URL, a name or a body.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from calsync.connector import strict_json
from calsync.connector.errors import (
    AuthRevoked,
    CalendarError,
    Forbidden,
    Malformed,
    NotFound,
    Throttled,
    Unavailable,
)
from calsync.connector.retry_after import LONGEST_WAIT, retry_after

USER_LOCK = 3600.0
_RATES = {"rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED"}
_CONSENT = {"insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT", "authError"}
_DEAD_GRANTS = {
    "invalid_grant", "unauthorized_client", "deleted_client", "invalid_client", "admin_policy_enforced",
    "access_denied", "invalid_scope", "org_internal", "disabled_client",
}  # fmt: skip
SWITCHED_OFF = {"accessNotConfigured", "SERVICE_DISABLED"}
"""The project may not use the API: the admin's to mend, and no provider's."""
_WORD = re.compile(r"[A-Za-z0-9_.-]{1,60}")


@dataclass(frozen=True, slots=True)
class Refused:
    """What Google said instead of an answer. `reason` is its own word, "" where it gave none."""

    method: str
    status: int
    reason: str = ""
    wait: float | None = None

    @property
    def is_user_lock(self) -> bool:
        """The person's own limit on making things is reached: they may read, and not write, for hours."""
        return self.status == 403 and self.reason == "quotaExceeded"

    def error(self) -> CalendarError:  # noqa: PLR0911 - a table
        """Return the error it means when the whole calendar or account is concerned."""
        what = f"{self.method} answered {self.status}" + (f" {self.reason}" if self.reason else "")
        if self.status == 401 or (self.status == 403 and self.reason in _CONSENT):
            return AuthRevoked(what)
        if self.status == 429 or (self.status == 403 and self.reason in _RATES):
            return Throttled(what, retry_after=self.wait)
        if self.is_user_lock:
            return Throttled(what, retry_after=max(self.wait or 0.0, USER_LOCK))
        if self.status == 403 and self.reason in SWITCHED_OFF:
            return Unavailable(f"{what}: enable the Google Calendar API in the project")
        if self.status == 403:
            daily = self.reason == "dailyLimitExceeded"
            return Throttled(what, retry_after=self.wait or LONGEST_WAIT / 8) if daily else Forbidden(what)
        if self.status in (404, 410):
            return NotFound(what)
        if self.status == 503 and self.wait is not None:
            return Throttled(what, retry_after=self.wait)
        if self.status in (408, 425) or self.status >= 500:
            return Unavailable(what)
        return Malformed(what)


def refused(method: str, status: int, headers: Mapping[str, str], content: bytes) -> Refused:
    """Read a refusal in either of Google's shapes."""
    return Refused(method, status, reason_of(content), retry_after(headers))


def reason_of(content: bytes) -> str:
    """Return the reason: of the classic list, else of the details, else the status word; "" where there is none."""
    try:
        body = strict_json.parse(content)
    except strict_json.BadJson:
        return ""
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return ""
    for part in ("errors", "details"):
        entries = error.get(part)
        for entry in entries if isinstance(entries, list) else ():
            reason = entry.get("reason") if isinstance(entry, dict) else None
            if isinstance(reason, str) and _WORD.fullmatch(reason):
                return reason
    status = error.get("status")
    return status if isinstance(status, str) and _WORD.fullmatch(status) else ""


def grant_error(code: object, *, retryable: bool) -> CalendarError:
    """Return what a refusal of the token endpoint means; `code` is its `error` word.

    Only words that say so are a lost consent; whatever else came (a log-in page, a server's trouble) is not.
    """
    word = code if isinstance(code, str) and _WORD.fullmatch(code) else "without a reason"
    if not retryable and word in _DEAD_GRANTS:
        return AuthRevoked(f"the token endpoint answered {word}")
    if word in ("rate_limit_exceeded", "slow_down"):
        return Throttled(f"the token endpoint answered {word}")
    return Unavailable(f"the token endpoint answered {word}")
