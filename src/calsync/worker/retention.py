"""What the books may forget while the worker runs: writes that were settled, long after the fact.

Readings, drifts, clearances and the audit log stay: answers about claims rest on them. They go with `claims.retention`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from calsync.store import owed_writes
from calsync.store.database import Database

# Beyond the window that is mirrored: by then nothing asks which write was the third.
GRACE: Final = timedelta(days=30)


def forget(database: Database, window_past: timedelta, now: datetime) -> int:
    """Forget settled writes older than the mirrored past and a month; how many those were."""
    with database.transaction() as conn:
        return owed_writes.thin(conn, now - window_past - GRACE)
