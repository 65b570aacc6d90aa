"""How a write ends that was refused: as a result about its one event, or as the calendar's or the account's trouble."""

from __future__ import annotations

from calsync.connector.protocol import Outcome
from calsync_google.errors import SWITCHED_OFF, Refused

_ITEM_403 = {"forbiddenForNonOrganizer": "not-organizer", "forbiddenForServiceAccounts": "no-guests-allowed"}
_ACCOUNT_403 = ("insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT", "requiredAccessLevel", "domainPolicy")


class Ended(Exception):
    """The write ends here with a result."""

    def __init__(self, outcome: Outcome, reason: str) -> None:
        super().__init__(reason)
        self.outcome = outcome
        self.reason = reason


def end_of(answer: Refused) -> Exception:
    """Return what a refusal of one event means: its result, or the calendar's or the account's trouble."""
    if answer.status in (409, 410, 412):
        return Ended(Outcome.CONFLICT, f"status-{answer.status}")
    if answer.status == 403 and answer.reason in _ITEM_403:
        return Ended(Outcome.REJECTED, _ITEM_403[answer.reason])
    if answer.status == 400:
        return Ended(Outcome.REJECTED, f"refused-{answer.reason or 400}")
    return answer.error()


def is_about_the_event(answer: Refused) -> bool:
    """Whether a 403 speaks of this one event, and not of the account or of how much is asked."""
    is_rate = answer.reason.endswith("Exceeded") or answer.reason in SWITCHED_OFF
    return answer.status == 403 and answer.reason not in _ACCOUNT_403 and not is_rate
