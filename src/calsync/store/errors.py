"""What can be wrong with the database, each with what a person may do about it.

    UserError
    ├── StoreUnavailable      it cannot be reached, opened, written or is busy now; trying again may help
    └── NotUpgraded           its tables are missing or of an older release: `calsync db upgrade`
    StartRefusedError         it is of a newer release than this program (from `calsync.errors`)

No text here holds a password: addresses are shown as `shown_url` writes them.
"""

from __future__ import annotations

from calsync.errors import UserError


class StoreUnavailable(UserError):
    """The database cannot be used at the moment. Whatever was being done is rolled back and may be tried again."""


class NotUpgraded(UserError):
    """The database lacks tables that this program needs. Nothing was changed."""
