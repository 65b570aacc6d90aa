"""What the books may forget: readings that later ones overtook, and writes that were settled, long after the fact.

Never forgotten here: the last reading of each session and calendar, every reading that shows a recorded difference,
drifts, clearances and the audit log.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from calsync.store import observations, owed_writes
from calsync.store.database import Database

# Beyond the window that is mirrored: by then nothing asks how often a session was read, or which write was the third.
GRACE: Final = timedelta(days=30)


def forget(database: Database, window_past: timedelta, now: datetime) -> tuple[int, int]:
    """Forget what is older than the mirrored past and a month; how many readings and writes those were."""
    before = now - window_past - GRACE
    with database.transaction() as conn:
        return observations.thin(conn, before), owed_writes.thin(conn, before)
