"""The user-level lock: an account over its own limits is read on, and not written to, for an hour or more (sheet 11).

Google answers 403 quotaExceeded long before any quota of ours; asking again and again prolongs it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from calsync.connector.errors import Throttled
from calsync_google.timing import elapsed

# How soon a pass may run again meanwhile, seconds: it reads, and leaves what it owes.
READ_AGAIN = 300.0


@dataclass(slots=True)
class AccountLocks:
    """Locks by account, shared by all calendars of one process."""

    now: Callable[[], float] = elapsed
    until: dict[str, float] = field(default_factory=dict)

    def lock(self, account: str, seconds: float) -> None:
        """Let nobody write for so long."""
        self.until[account] = max(self.until.get(account, 0.0), self.now() + seconds)

    def check(self, account: str) -> None:
        """Raise Throttled while the account is locked; no request is spent."""
        left = self.until.get(account, 0.0) - self.now()
        if left > 0:
            raise Throttled("the account is over its own limits", retry_after=min(left, READ_AGAIN))
        self.until.pop(account, None)
