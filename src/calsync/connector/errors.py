"""The closed set of errors that a connector may raise, and what the worker does about each.

    CalendarError
    ├── CursorExpired    the feed's place is gone: full read, absences confirmed one by one
    ├── Conflict         a conditional write met another version: read again, decide again
    ├── NotFound         the calendar itself is gone: stop the calendar, never N deletions
    ├── Throttled        too many requests: wait `retry_after` seconds, keep everything owed
    ├── AuthRevoked      the credentials no longer work: needs-reconnect, tell provider and support
    ├── Forbidden        the credentials work, but not for this: read-only when writing, else needs-reconnect
    ├── Unavailable      down, timed out, cut off: back off and try again; the effect of a write is unknown
    └── Malformed        the answer cannot be trusted: the pass fails, the cursor stays

Messages hold ids, sizes and status codes; never bodies, URLs with credentials, titles or names.
"""

from __future__ import annotations


class CalendarError(Exception):
    """Base of all connector errors; never raised itself."""


class CursorExpired(CalendarError):
    """The service no longer knows the cursor."""


class Conflict(CalendarError):
    """A conditional write met another version than the one it was decided on."""


class NotFound(CalendarError):
    """The calendar (not an event in it) does not exist."""


class Throttled(CalendarError):
    """The service asks to slow down. `retry_after`: seconds, None when it did not say."""

    def __init__(self, message: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class AuthRevoked(CalendarError):
    """Password, token or consent no longer work."""


class Forbidden(CalendarError):
    """Logged in, but not allowed to do this."""


class Unavailable(CalendarError):
    """No usable answer: connection refused or cut, deadline passed, 5xx. Whether a write took effect is unknown."""


class Malformed(CalendarError):
    """An answer that cannot be trusted as a whole: HTML for XML, cut short, over a limit, a forbidden redirect."""
