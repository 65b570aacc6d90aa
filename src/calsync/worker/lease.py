"""Holding on to a lease through long work: renewed when a third of it has gone, so that short passes never do."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from calsync.store import work
from calsync.store.work import Lease
from calsync.worker.context import LeaseLostError, WorkerContext


@dataclass(slots=True)
class LeaseKeeper:
    """One pass's hold on its calendar. `keep` is called wherever a long pass can wait, between requests."""

    worker: WorkerContext
    lease: Lease
    _until: datetime = field(init=False)

    def __post_init__(self) -> None:
        """Start from the lease as it was given."""
        self._until = self.lease.until

    def keep(self) -> None:
        """Renew when it is time; raises LeaseLostError when somebody else has the calendar now."""
        worker = self.worker
        if self._until - worker.clock.now() > worker.lease_for * 2 / 3:
            return
        with worker.database.transaction() as conn:
            now = worker.database.now(conn, worker.clock)
            if not work.renew(conn, self.lease, now, worker.lease_for):
                raise LeaseLostError(self.lease.calendar)
        self._until = now + worker.lease_for
