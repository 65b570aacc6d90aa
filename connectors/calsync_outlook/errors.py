"""From Graph's and Entra's refusals to the closed set of `calsync.connector.errors` (contract sheet 2.3, 8). Pure.

    401                                              AuthRevoked
    403                                              Forbidden
    404 about the mailbox (licence, move, on premises)   Unavailable: state is kept, and asked for again later
    404 about the calendar                           NotFound
    410, and any 4xx whose code is one of a lost sync state   CursorExpired, where a delta link was followed
    429; 503 and 504 with Retry-After                Throttled
    408, 425, 5xx, no answer                         Unavailable
    3xx, 400 and all others; answers that are no JSON    Malformed

Messages hold the method, the status and Graph's code, never a URL, a name or a body.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from calsync.connector.errors import (
    AuthRevoked,
    CalendarError,
    Forbidden,
    Malformed,
    NotFound,
    Throttled,
    Unavailable,
)

LOOP_WAIT = 300.0
_CODE = re.compile(r"[A-Za-z0-9_.\-]{1,80}")
_LOST_SYNC = {"syncstatenotfound", "fullsyncrequired", "resyncrequired", "errorinvalidsyncstatedata"}
_MAILBOX = {"mailboxnotenabledforrestapi", "resourcenotfound", "errornonexistentmailbox", "errorinvaliduser"}
_DEAD_GRANTS = {
    "invalid_grant", "interaction_required", "invalid_client", "unauthorized_client", "invalid_scope",
    "consent_required", "login_required", "unsupported_grant_type", "expired_token", "access_denied",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Refused:
    """What Graph said instead of an answer. `code` is its own word in lower case, "" where it gave none."""

    method: str
    status: int
    code: str = ""
    wait: float | None = None

    @property
    def is_lost_sync(self) -> bool:
        """Whether the delta link is no longer known, in any of the forms that were seen (sheet 6.3)."""
        return self.status == 410 or (400 <= self.status < 500 and self.code in _LOST_SYNC)

    @property
    def is_about_mailbox(self) -> bool:
        """Whether the whole mailbox is missing, and not one thing in it."""
        return self.status == 404 and self.code in _MAILBOX

    @property
    def is_absent(self) -> bool:
        """Whether the one event that was asked for is not there."""
        return self.status in (404, 410) and not self.is_about_mailbox

    def error(self) -> CalendarError:
        """Return the error that it means when the whole calendar or account is concerned."""
        what = f"{self.method} answered {self.status}" + (f" {self.code}" if self.code else "")
        if self.status == 429 or (self.status in (503, 504) and self.wait is not None):
            return Throttled(what, retry_after=self.wait)
        if self.is_about_mailbox or self.status in (408, 425) or self.status >= 500:
            return Unavailable(what)
        plain: dict[int, type[CalendarError]] = {401: AuthRevoked, 403: Forbidden, 404: NotFound, 410: NotFound}
        return plain.get(self.status, Malformed)(what)


def code_of(body: object) -> str:
    """Return the deepest code of an error body, in lower case; "" where there is none (sheet 8.4)."""
    error = body.get("error") if isinstance(body, dict) else None
    found = ""
    for _ in range(10):
        if not isinstance(error, dict):
            break
        code = error.get("code")
        if isinstance(code, str) and _CODE.fullmatch(code):
            found = code.lower()
        error = error.get("innerError") or error.get("innererror")
    return found


def token_error(result: Mapping[str, Any]) -> CalendarError:
    """Return what a refusal of the token endpoint means (sheet 2.3): by `error`; the number is for the operator.

    Only words that say so are lost credentials; whatever else came is trouble that may pass.
    """
    word = result.get("error")
    word = word if isinstance(word, str) and _CODE.fullmatch(word) else "without a reason"
    numbers = result.get("error_codes")
    number = numbers[0] if isinstance(numbers, list) and numbers and isinstance(numbers[0], int) else None
    what = f"the token endpoint answered {word}" + (f" AADSTS{number}" if number is not None else "")
    if number == 50196:
        return Throttled(what, retry_after=LOOP_WAIT)
    return AuthRevoked(what) if word in _DEAD_GRANTS else Unavailable(what)
