"""Before our events leave a calendar for good: what people edited in it since the last pass goes on the books (I2)."""

from __future__ import annotations

from calsync.connector.wrappers import Around
from calsync.errors import NotFoundError
from calsync.store import glance
from calsync.store.calendars import CalendarRow
from calsync.store.work import Lease
from calsync.worker.calendar_pass import run_pass
from calsync.worker.context import PassContext, WorkerContext
from calsync.worker.lease import LeaseKeeper


def look_once_more(worker: WorkerContext, row: CalendarRow, lease: Lease, calendar: Around) -> None:
    """Read the whole calendar and record what it shows, under the caller's lease; nothing is written to it.

    A mass change is recorded edit by edit: nothing will be put back, so there is nothing to stop. Raises connector
    errors and LeaseLostError; nothing is recorded of a reading that did not come to its end.
    """
    if row.mode != "mirror":
        return
    began_at = worker.clock.now()
    seen = glance.look(worker.database, row.id, began_at)
    if seen is None:
        raise NotFoundError("calendar", row.id)
    context = PassContext(
        worker=worker,
        row=row,
        lease=lease,
        calendar=calendar,
        rules=worker.opener.rules(row.provider, seen.practice),
        zone=seen.zone,
        began_at=began_at,
        full=True,
        only_record=True,
        released="edits",
        keep_lease=LeaseKeeper(worker, lease).keep,
    )
    run_pass(context)
