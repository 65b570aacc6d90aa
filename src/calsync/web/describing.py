"""What the interface's own description says beside its addresses."""

from __future__ import annotations

from typing import Any, Final

ABOUT: Final = """\
Keeps providers' calendars in step with appointment records, and wrong dates out of claims.

**Who may call.** A bearer token made by `calsync tokens add --role ROLE`. `platform` brings records and acts for the
people whom it has logged in, `billing` asks about claims and says what was sent, `support` settles edits and acts as
support, `admin` may do all of it. Names and addresses of clients are for `platform` and `support` only. `by` says on
whose behalf a command is: a platform's token may say `provider:ID`, `client:ID` or `support:NAME`, one of support or
billing `support:NAME`, an admin's also `system`.

**Repeating.** Send each command with an `Idempotency-Key`: however often it is repeated, or sent twice at once, it
takes effect once, and every repeat gets the first answer (with `Idempotency-Replayed: true`). The same key with another
request is 422 `key-reused`. A refused command has changed nothing and keeps no answer. Keys are kept for 7 days.

**Order.** `PUT /appointments/{id}` says what your records have, as of `updated_at`: whatever is older than what was
said before is refused with 409 `stale-update`, so that requests may arrive in any order; treat that answer as success.
With `If-Match` and the `ETag` of a record, one that has changed meanwhile is refused with 412.

**Lists** come in pages: `limit`, `cursor`, and `next` in the answer. Rows that are added meanwhile neither repeat nor
hide others.

**Errors** look alike: `{"error": {"code", "message", "fields": [{"field", "message"}]}}`. A `code` never changes its
meaning. 409 means that a rule says no and names it; `slot-taken` brings `slots` that are free. Bodies are read
strictly: doubled or unknown keys, `NaN` and the like are refused.

**Times** are ISO 8601: by the wall clock of the session's zone, or with an offset. In questions they need the offset.
"""

TAGS: Final[list[dict[str, Any]]] = [
    {"name": "appointments", "description": "Sessions: what your records say of them, and every command of the book."},
    {"name": "series", "description": "Recurring sessions."},
    {"name": "blocks", "description": "Out-of-office times."},
    {"name": "slots", "description": "Working times, and the times that are free."},
    {"name": "fees", "description": "What clients owe. calsync moves no money."},
    {"name": "clients", "description": "Names, addresses, and booking links."},
    {"name": "providers", "description": "Who there is, and whether they take bookings."},
    {"name": "evidence", "description": "Logs of sessions that took place."},
    {
        "name": "claims",
        "description": "Whether a claim may be sent, with which date; what was sent, what to take back.",
    },
    {"name": "drifts", "description": "What people changed in calendars, and the answers to it."},
    {"name": "report", "description": "How things stand."},
]
