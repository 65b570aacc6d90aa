"""Why a calendar is not worked on, in words for people. Programs get the codes."""

from __future__ import annotations

from typing import Final

_SAID: Final = {
    "auth-revoked": "the service does not take the user name or password (any more)",
    "forbidden": "the service does not let this account in there: check the address and what the account may do",
    "write-forbidden": "the account may read it and not write to it",
    "calendar-gone": "it is not there (any more); see `calsync calendars show`",
    "mass-change": "many events vanished or changed at once; see `calsync calendars show`",
    "unavailable": "the service cannot be reached, or fails; it is tried again",
    "malformed": "the service answers what cannot be understood; it is tried again",
    "throttled": "the service asks to be asked later; it is tried again",
    "cannot-open": "it cannot be opened; `calsync sync` says why",
    "leaving": "it is being disconnected",
    "lease-lost": "another process took it over",
    "in-use-by-another-worker": "another process is at work on it",
}


def say_why(error: str) -> str:
    """The sentence for a code; what is no code is a sentence already."""
    return _SAID.get(error, error)
