"""What Google does otherwise than one would think: one place for each oddity that the rest of the package relies on.

Sources: the Google contract sheet's sections. Where the sheet is unsure, the connector is right under both readings.
"""

from __future__ import annotations

# A deleted event's id stays taken for ever; it can be revived by a PATCH until the trash is emptied (sheet 4, 5.5).
# See writing.Writer: create -> 409 -> revive -> `name-refused`, and the worker goes on under the next generation.

# A series is versioned as one, or each record by itself (addendum). See aggregate.series_version.

# Instance ids change their form in 2026 and are opaque (sheet 8.1). Nothing in this package reads or composes one.

# PATCH merges objects, so a timed event becomes an all-day one only if the other kind of time is nulled (sheet 5.3).

# `primary` is the account's own calendar under another name; a service account's own is never the provider's (2.2).
PRIMARY = "primary"

# The name under which a dedicated calendar tells whose it is, so that a lost answer can be found again.
INTENT = "calsync:"


def intent_of(dedicated_id: str) -> str:
    """Return the line by which a calendar of our own making is found again after a lost answer."""
    return f"{INTENT}{dedicated_id[:40]}"
