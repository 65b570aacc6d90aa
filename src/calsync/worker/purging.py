"""A person's word to take all our events out of a calendar: by their markers, also those that the books have lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from calsync.domain.span import Window
from calsync.errors import Problem, Refused
from calsync.store import audit, calendars, claims, link_changes, links, owed_writes, stops, work
from calsync.store.calendars import TAKING_OUT, CalendarRow, CalendarState
from calsync.store.work import Lease
from calsync.worker.context import LeaseLostError, WorkerContext
from calsync.worker.farewell import as_recorded, delete_ours, is_ours, made_her_own, may_go, on_the_books
from calsync.worker.last_look import look_once_more

PURGED: Final = "purged"
_ASK_AGAIN: Final = "Wait for the end of its pass, or stop the worker, and ask again"
# Wider than anything was ever mirrored.
_FAR: Final = timedelta(days=20 * 366)


@dataclass(frozen=True, slots=True)
class Purged:
    """What a purge found, and how many of those stayed in the calendar."""

    calendar: str
    found: int
    left: int


class _NothingKnown:
    """Has every event fetched."""

    def versions(self, remote_ids: Sequence[str]) -> Mapping[str, str]:  # noqa: ARG002 - the protocol's
        return {}


def purge(worker: WorkerContext, row: CalendarRow, *, by: str, dry_run: bool = False) -> Purged:
    """Take our events out of the calendar and pause it, so that nothing is written again until it is resumed.

    Edits are recorded first, also those of a calendar that is paused or stopped: a mass change edit by edit, which
    answers its stop. What a person made into an event of her own stays. Refused while another process works on the
    calendar. Raises connector errors; what was taken out until then is out, and asking again goes on with the rest.
    Past sessions go on counting what the calendar showed (R-23).
    """
    looks = not dry_run and not (row.state is CalendarState.PAUSED and row.last_error in (PURGED, TAKING_OUT))
    lease = _lease(worker, row.id)
    try:
        calendar = worker.opener.open(row)
        if looks:
            # What people edited since the last look would be gone with the events.
            look_once_more(worker, row, lease, calendar)
        wanted = sorted({*on_the_books(worker, row.id), *_marked(worker, row)} - made_her_own(worker, row.id))
        goes, newer = as_recorded(worker, row.id) if looks else (may_go(worker, row.id), set[str]())
        present = [one.remote_id for one in calendar.read(wanted) if goes(one)]
        if dry_run:
            return Purged(row.id, len(present), len(present))
        # First, so that nobody takes for a person's deletions what a crash leaves half done.
        if not _take_down(worker, row, lease, (by, len(present))):
            raise _busy(row.id)
        stayed = {*delete_ours(row.id, calendar, present, goes), *newer}
        return Purged(row.id, len({*present, *newer}), len(stayed))
    except LeaseLostError:
        raise _busy(row.id) from None
    finally:
        with worker.database.transaction() as conn:
            work.give_back(conn, lease)


def _busy(calendar: str) -> Refused:
    return Refused([Problem("another process works on it", f"calendar {calendar}", _ASK_AGAIN)], code="busy")


def _lease(worker: WorkerContext, calendar: str) -> Lease:
    with worker.database.transaction() as conn:
        now = worker.database.now(conn, worker.clock)
        lease = work.claim_one(conn, calendar, worker.owner, now, worker.lease_for)
    if lease is None:
        raise _busy(calendar)
    return lease


def _marked(worker: WorkerContext, row: CalendarRow) -> list[str]:
    now = worker.clock.now()
    pages = worker.opener.open(row).changes(None, Window(now - _FAR, now + _FAR), _NothingKnown())
    return [one.remote_id for page in pages for one in page.items if is_ours(worker.keys, row.id, one)]


def _take_down(worker: WorkerContext, row: CalendarRow, lease: Lease, told: tuple[str, int]) -> bool:
    """Pause it and end its links; False where another process has it by now."""
    by, found = told
    with worker.database.transaction() as conn:
        if not work.hold_fence(conn, lease):
            return False
        now = worker.clock.now()
        stops.release(conn, row.id, now, None, by)
        calendars.set_state(conn, row.id, CalendarState.PAUSED, PURGED, now)
        calendars.forget_cursor(conn, row.id)
        for link in list(links.of_calendar(conn, row.id)):
            owed_writes.withdraw(conn, link.id, link.remote_id, now)
            link_changes.retire(conn, link.id, now)
        detail: dict[str, object] = {"events": found}
        audit.append(conn, at=now, actor=by, what="purged", subject=f"calendar:{row.id}", detail=detail)
        claims.touch_provider(conn, row.provider)
    return True
