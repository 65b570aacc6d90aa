"""What is owed to a calendar that nobody works on any more: its push channels end, and its events are taken out.

What people edited in it since the last pass is recorded before the first event goes; what they edit after that stays.

A calendar that is paused or removed has no pass, so this is a timer of its own. It talks to the calendar under its
lease, like a pass; whatever does not succeed is tried again at the next time, and repeating it does no harm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TypeVar

import structlog
from sqlalchemy import Connection

from calsync.connector.errors import AuthRevoked, CalendarError, Forbidden, NotFound
from calsync.connector.protocol import Item, Outcome, Reading, Seen, Unknown, Unreadable, Write
from calsync.connector.wrappers import Around
from calsync.domain.marker import MarkerKeys, place_of, verify_marker
from calsync.domain.write import WriteKind
from calsync.errors import UserError
from calsync.reconcile.hers import is_wholly_her_own
from calsync.store import (
    audit,
    calendars,
    claims,
    connections,
    copies,
    link_changes,
    links,
    owed_writes,
    stops,
    watches,
    work,
)
from calsync.store.calendars import GOING, LEAVING, TAKING_OUT, CalendarRow, CalendarState
from calsync.store.work import Lease
from calsync.worker.context import LeaseLostError, WorkerContext
from calsync.worker.last_look import look_once_more
from calsync.worker.watching import end_watches

_log = structlog.get_logger(__name__)

_Item = TypeVar("_Item")

TRIES = 3
# An account that lets nobody in keeps what is in it; waiting for it would keep the calendar on the books for ever.
_CLOSED = (AuthRevoked, Forbidden, NotFound, UserError)


def say_farewell(worker: WorkerContext) -> int:
    """End the channels of calendars at rest, and take out those that leave; how many calendars were seen to."""
    with worker.database.reading() as conn:
        waiting = sorted({*watches.at_rest(conn), *calendars.leaving(conn)})
    done = 0
    for calendar in waiting:
        if worker.is_stopping:
            break
        done += _under_lease(worker, calendar)
    return done


def take_off(conn: Connection, row: CalendarRow, now: datetime, *, by: str, detail: dict[str, object]) -> None:
    """Take a calendar off the books: its links are history, past sessions go on counting what it showed (R-23)."""
    stops.release(conn, row.id, now, None, by)
    for link in list(links.of_calendar(conn, row.id)):
        owed_writes.withdraw(conn, link.id, at=now)
        owed_writes.withdraw(conn, link.id, link.remote_id, now)
        link_changes.retire(conn, link.id, now)
    calendars.remove(conn, row.id, now)
    kept = {name: value for name, value in detail.items() if value is not None}
    audit.append(conn, at=now, actor=by, what="calendar-removed", subject=f"calendar:{row.id}", detail=kept)
    claims.touch_provider(conn, row.provider)


def _under_lease(worker: WorkerContext, calendar: str) -> bool:
    with worker.database.transaction() as conn:
        now = worker.database.now(conn, worker.clock)
        lease = work.claim_one(conn, calendar, worker.owner, now, worker.lease_for)
        row = calendars.get(conn, calendar)
    if lease is None or row is None:
        return False
    try:
        return _part(worker, row, lease)
    except (CalendarError, LeaseLostError) as problem:
        _log.info("farewell_failed", calendar=calendar, problem=type(problem).__name__)
        return False
    finally:
        worker.opener.forget(calendar)
        with worker.database.transaction() as conn:
            work.give_back(conn, lease)


def _part(worker: WorkerContext, row: CalendarRow, lease: Lease) -> bool:
    left = 0
    try:
        calendar = worker.opener.open(row)
        end_watches(row, calendar, database=worker.database)
        if row.last_error in GOING:
            left = _take_out(worker, row, lease, calendar)
    except _CLOSED as refusal:
        _log.info("farewell_without_entry", calendar=row.id, problem=type(refusal).__name__)
        left = -1
    with worker.database.transaction() as conn:
        if not work.hold_fence(conn, lease):
            return False
        for channel in watches.of_calendar(conn, row.id):
            watches.remove(conn, channel.id)
        if row.last_error in GOING:
            detail: dict[str, object] = {"events": "left" if left else "taken out"}
            if not left:
                calendars.forget_remote(conn, row.id)
            take_off(conn, row, worker.clock.now(), by="system", detail=detail)
            connections.remove(conn, row.connection)
    return True


def _take_out(worker: WorkerContext, row: CalendarRow, lease: Lease, calendar: Around) -> int:
    """Delete the events that are on our books and carry our genuine marker (I3); how many stayed.

    What a person made into an event of her own, be it ours or a copy, is hers, and is none of those.
    """
    if row.last_error == LEAVING:
        look_once_more(worker, row, lease, calendar)
        # First, so that nobody takes for a person's deletions what a crash leaves half done.
        with worker.database.transaction() as conn:
            if not work.hold_fence(conn, lease):
                raise LeaseLostError(row.id)
            calendars.set_state(conn, row.id, CalendarState.PAUSED, TAKING_OUT, worker.clock.now())
    hers = made_her_own(worker, row.id)
    wanted = [one for one in on_the_books(worker, row.id) if one not in hers]
    goes, newer = as_recorded(worker, row.id)
    return len({*delete_ours(row.id, calendar, wanted, goes), *newer})


def as_recorded(worker: WorkerContext, calendar: str) -> tuple[Callable[[Reading], bool], set[str]]:
    """`may_go` for what still is as the last look recorded it, and the ids of those that it let be for that.

    What was edited in this very moment would be lost with its event: nobody has it on the books.
    """
    may, recorded, newer = may_go(worker, calendar), _versions(worker, calendar), set[str]()

    def goes(shown: Reading) -> bool:
        if isinstance(shown, Seen) and recorded.get(shown.remote_id) not in (None, shown.version):
            newer.add(shown.remote_id)
        return shown.remote_id not in newer and may(shown)

    return goes, newer


def _versions(worker: WorkerContext, calendar: str) -> dict[str, str | None]:
    """The versions that the books have of everything they know of in a calendar, by remote id."""
    with worker.database.reading() as conn:
        standing = {link: (remote_id, version) for link, remote_id, version in links.all_remote_ids(conn, calendar)}
        beside = copies.of_links(conn, standing)
    return dict(standing.values()) | {copy.remote_id: copy.version for those in beside.values() for copy in those}


def made_her_own(worker: WorkerContext, calendar: str) -> set[str]:
    """The remote ids of those that a person made into events of her own, as far as the books know."""
    with worker.database.reading() as conn:
        standing = {link.id: link for link in links.of_calendar(conn, calendar)}
        beside = copies.of_links(conn, standing)
    known = {name: (link.baseline, link.observed) for name, link in standing.items()}
    hers = {
        link.remote_id
        for link in standing.values()
        if link.observed is not None and is_wholly_her_own(link.observed, (link.baseline,))
    }
    return hers | {
        copy.remote_id for link, those in beside.items() for copy in those if is_wholly_her_own(copy.event, known[link])
    }


def may_go(worker: WorkerContext, calendar: str) -> Callable[[Reading | Item], bool]:
    """A test of what the calendar shows now: whether an event is ours, and nobody has made it her own, seen or not.

    Links that are history count as well: what was hers when they ended is hers for good.
    """

    def test(shown: Reading | Item) -> bool:
        if not is_ours(worker.keys, calendar, shown):
            return False
        marker = verify_marker(worker.keys, shown.marker or "") if isinstance(shown, Seen) else None
        if marker is None or not isinstance(shown, Seen):
            return True
        with worker.database.reading() as conn:
            link = links.link(conn, marker.link)
        if link is None:
            return True
        beside = (link.baseline,) if shown.remote_id == link.remote_id else (link.baseline, link.observed)
        return not is_wholly_her_own(shown.event, beside)

    return test


def on_the_books(worker: WorkerContext, calendar: str) -> list[str]:
    """The remote ids of everything that calsync knows of in a calendar: its events and their copies."""
    with worker.database.reading() as conn:
        wanted = [remote_id for _, remote_id, _ in links.all_remote_ids(conn, calendar)]
        return wanted + list(copies.all_ids(conn, calendar))


def delete_ours(own: str, calendar: Around, wanted: Sequence[str], goes: Callable[[Reading], bool]) -> list[str]:
    """Delete those of the events that may go as they are now; the ids of those that stayed all the same."""
    for _ in range(TRIES):
        if not wanted:
            break
        wanted = _taken_out_once(own, calendar, wanted, goes)
    return list(wanted)


def _taken_out_once(own: str, calendar: Around, wanted: Sequence[str], goes: Callable[[Reading], bool]) -> list[str]:
    """Ids that must be looked at again."""
    again: list[str] = []
    for batch in _batches(wanted, calendar.traits.read_batch):
        readings = list(calendar.read(batch))
        again += [one.remote_id for one in readings if isinstance(one, Unknown)]
        writes = [_deletion(own, one) for one in readings if goes(one)]
        for part in _batches(writes, calendar.traits.write_batch):
            again += [done.remote_id for done in calendar.write(part) if done.outcome is not Outcome.WRITTEN]
    return again


def is_ours(keys: MarkerKeys, own: str, reading: Reading | Item) -> bool:
    """Whether it carries a marker that we signed for this very calendar."""
    if not isinstance(reading, Seen | Unreadable):
        return False
    marker = verify_marker(keys, reading.marker or "")
    return marker is not None and marker.place == place_of(keys, own)


def _deletion(own: str, reading: Reading) -> Write:
    version = reading.version if isinstance(reading, Seen | Unreadable) else None
    return Write(f"farewell:{own}:{reading.remote_id}", WriteKind.DELETE, reading.remote_id, version=version)


def _batches(items: Sequence[_Item], size: int) -> Iterator[Sequence[_Item]]:
    for first in range(0, len(items), max(1, size)):
        yield items[first : first + max(1, size)]
