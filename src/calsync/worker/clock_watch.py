"""Notices that the host's clock was set back, and takes what the time before left ahead of it off the books.

A reading is dated by the service's clock as well (`two_clocks`). This is for what has no second clock: due times,
leases, people's words, and readings from a service that does not tell the time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from calsync.ports import Clock
from calsync.store import audit, set_back
from calsync.store.database import Database

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class ClockWatch:
    """Looks from time to time, and at the start. `longest`: what a calendar rests at most between two polls."""

    database: Database
    clock: Clock
    longest: timedelta
    last: datetime | None = None

    def look(self, now: datetime) -> dict[str, int]:
        """Bring the books back to `now` if they are ahead of it, or the clock ran backwards; what that came to."""
        went_back = self.last is not None and now < self.last - set_back.SLACK
        self.last = now
        with self.database.reading() as conn:
            due_now = self.database.now(conn, self.clock)
            if not went_back and not set_back.is_ahead(conn, now, due_now, self.longest):
                return {}
        with self.database.transaction() as conn:
            done = set_back.bring_back(conn, now, due_now, self.longest)
            if done:
                audit.append(conn, at=now, actor="system", what="clock-set-back", subject="installation", detail=done)
        if done:
            _log.error("clock_set_back", **done)
        return done
