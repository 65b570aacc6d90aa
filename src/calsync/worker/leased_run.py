"""One leased calendar from start to end: open it, run the pass, make a state of any error, give the lease back.

This is where connector errors end: each has one answer, none stops another calendar, and nobody is told twice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from calsync.connector.errors import CalendarError
from calsync.errors import NotFoundError, UserError
from calsync.store import calendars, glance, links, owed_writes, subject_changes, watches, work
from calsync.store.calendars import CalendarRow
from calsync.store.errors import StoreUnavailable
from calsync.store.glance import Ending, Glance
from calsync.store.work import Lease
from calsync.worker.busy_times import BusyReading, Strangers
from calsync.worker.calendar_pass import run_pass
from calsync.worker.calendar_states import change_state, outcome_of
from calsync.worker.context import LeaseLostError, PassContext, PassResult, Rules, WorkerContext
from calsync.worker.lease import LeaseKeeper
from calsync.worker.watching import keep_watch

# A full comparison of versions at least this often finds what a feed never told (F-15, caldav.md rule 6).
INVENTORY_EVERY = timedelta(hours=24)
# A pass is directly followed by another while more is known to be waiting: a large import, sessions imported after the
# fact. The bound only keeps a fault of ours from running for ever.
FOLLOW_UPS = 200
# An edit that a poll finds although its channel was silent for so long shows that the channel is dead.
PUSH_MAY_TAKE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Request:
    """How to run it.

    `full` lists everything, `dry_run` changes nothing anywhere, `only_record` reads and records, and
    writes to no calendar.
    """

    full: bool = False
    dry_run: bool = False
    only_record: bool = False


def run_leased(
    worker: WorkerContext, lease: Lease, request: Request = Request(), *, seen: Glance | None = None
) -> PassResult:
    """Run one leased calendar; never raises connector errors. The lease is given back in every case but a lost one.

    `seen`: its books, looked at after the lease was taken; without it they are looked at now.
    """
    seen = seen or glance.look(worker.database, lease.calendar, worker.clock.now())
    if seen is None:
        raise NotFoundError("calendar", lease.calendar)
    row = seen.row
    rules = worker.opener.rules(row.provider, seen.practice)
    if row.mode != "mirror" and (request.dry_run or not worker.reads_busy):
        return _left_alone(worker, lease, row, rules)
    try:
        result = _run(worker, lease, seen, (request, rules))
        if request.dry_run:
            return _rehearsed(worker, lease, row, result)
        if _is_calm(row, result):
            return _ended_calm(worker, lease, seen, (rules, result))
        return _succeeded(worker, lease, row, rules, result)
    except LeaseLostError:
        return PassResult(calendar=row.id, state=row.state, error="lease-lost")
    except StoreUnavailable:
        # The database's trouble is not the calendar's: the lease runs out, and the calendar is tried again.
        raise
    except (CalendarError, UserError) as problem:
        return _failed(worker, lease, row, problem)


def _run(worker: WorkerContext, lease: Lease, seen: Glance, how: tuple[Request, Rules]) -> PassResult:
    request, rules = how
    row = seen.row
    began_at = worker.clock.now()
    full = request.full or row.inventory_at is None or began_at - row.inventory_at >= INVENTORY_EVERY
    busy_times = BusyReading(worker, row, lease, rules)
    if row.mode != "mirror":
        return busy_times.alone(full=full)
    if full and not request.dry_run:
        with worker.database.transaction() as conn:
            subject_changes.sweep(conn, row.id, rules.window(began_at))
    calendar = worker.opener.open(row)
    context = PassContext(
        worker=worker,
        row=row,
        lease=lease,
        calendar=calendar,
        rules=rules,
        zone=seen.zone,
        began_at=began_at,
        full=full,
        dry_run=request.dry_run,
        only_record=request.only_record,
        released=seen.released,
        nothing_waits=seen.nothing_waits and not full,
        keep_lease=LeaseKeeper(worker, lease).keep,
        note_stranger=(strangers := Strangers()).note,
    )
    before = calendar.counts.requests
    context.keep_lease()  # who slept since it was given must not ask a service that told another worker to wait
    result = run_pass(context)
    for _ in range(FOLLOW_UPS):
        if not result.again or result.stopped or worker.is_stopping:
            break
        result = _follow_up(context, result)
    if worker.push is not None and not (request.dry_run or result.stopped):
        keep_watch(worker.push, row, calendar, database=worker.database, ids=worker.ids, now=worker.clock.now())
    if not request.dry_run:
        busy_times.after_pass(
            calendar,
            began_at,
            changed=strangers.seen or full,
            is_due=seen.busy_due,
            first_and_alone=row.cursor is None and not strangers.seen,
        )
    return replace(result, requests=calendar.counts.requests - before)


def _follow_up(context: PassContext, before: PassResult) -> PassResult:
    """One more pass for reads that are owed right now; counts add up."""
    with context.worker.database.reading() as conn:
        row = calendars.get(conn, context.row.id)
    assert row is not None
    now = context.worker.clock.now()
    after = run_pass(replace(context, row=row, began_at=now, full=False, released=None, nothing_waits=False))
    return replace(
        after,
        read=before.read + after.read,
        drifts=before.drifts + after.drifts,
        written=before.written + after.written,
        again=after.again and (after.read > 0 or after.written > 0),
    )


def _left_alone(worker: WorkerContext, lease: Lease, row: CalendarRow, rules: Rules) -> PassResult:
    """A calendar that is only read for busy time has nothing of ours in it."""
    with worker.database.transaction() as conn:
        now = worker.database.now(conn, worker.clock)
        work.done(conn, lease, now + rules.poll_interval, now)
    return PassResult(calendar=row.id, state=row.state)


def _rehearsed(worker: WorkerContext, lease: Lease, row: CalendarRow, result: PassResult) -> PassResult:
    """A dry run leaves the calendar as due as it was."""
    with worker.database.transaction() as conn:
        work.give_back(conn, lease)
    return replace(result, state=row.state)


def _is_calm(row: CalendarRow, result: PassResult) -> bool:
    """Whether all that is left to write is the calendar's own row, and nothing is lost with that but some time."""
    recorded = result.read or result.drifts or result.written or result.owed or result.full or result.again
    return not recorded and not result.stopped and row.state == _state_after(row, result)


def _ended_calm(worker: WorkerContext, lease: Lease, seen: Glance, how: tuple[Rules, PassResult]) -> PassResult:
    rules, result = how
    is_told = worker.push is not None and seen.is_told
    interval = rules.poll_interval_with_push if is_told else rules.poll_interval
    read_at = result.began_at if result.cursor is not None else None
    ending = Ending(result.cursor, read_at, interval * worker.ids.jitter(0.9, 1.1))
    is_ours = glance.end_calm(worker.database, lease, ending, worker.clock.now())
    return replace(result, state=seen.row.state, error=None if is_ours else "lease-lost")


def _succeeded(worker: WorkerContext, lease: Lease, row: CalendarRow, rules: Rules, result: PassResult) -> PassResult:
    """Give the lease back with the next due time: the poll, or sooner when a write or a read is owed."""
    with worker.database.transaction() as conn:
        if not work.hold_fence(conn, lease):
            return replace(result, error="lease-lost", state=row.state)
        # Due times and leases go by the database's clock, readings by ours.
        now = worker.database.now(conn, worker.clock)
        if result.drifts and result.began_at is not None:
            watches.doubt(conn, row.id, result.began_at - PUSH_MAY_TAKE)
        if result.cursor is not None and result.began_at is not None and not result.stopped:
            inventory_at = result.began_at if result.full else None
            calendars.save_reading(conn, row.id, result.cursor, result.began_at, inventory_at=inventory_at)
        state = "stopped" if result.stopped else _state_after(row, result)
        if state not in {"stopped", row.state}:
            change_state(conn, worker, row, (state, None, now))
        # A pass that a stop cut short goes on as soon as somebody works again.
        is_cut = worker.is_stopping and not result.stopped and (result.owed > 0 or result.again)
        due = now if is_cut else _next_due(conn, worker, row, rules, now)
        work.done(conn, lease, due, now)
    return replace(result, state=state, error="mass-change" if result.stopped else None)


def _state_after(row: CalendarRow, result: PassResult) -> str:
    if row.state == "read-only" and result.owed and not result.written:
        return "read-only"
    return "active"


def _next_due(conn: Connection, worker: WorkerContext, row: CalendarRow, rules: Rules, now: datetime) -> datetime:
    is_told = worker.push is not None and watches.is_alive(conn, row.id, now)
    interval = rules.poll_interval_with_push if is_told else rules.poll_interval
    poll = now + interval * worker.ids.jitter(0.9, 1.1)
    owed = owed_writes.next_due(conn, row.id)
    read = links.next_read(conn, row.id)
    # What is owed already and did not go this time waits for the poll: a pass must not follow itself for ever.
    return min([poll, *(at for at in (owed, read) if at is not None and at > now)])


def _failed(worker: WorkerContext, lease: Lease, row: CalendarRow, problem: CalendarError | UserError) -> PassResult:
    worker.opener.forget(row.id)
    with worker.database.transaction() as conn:
        now = worker.database.now(conn, worker.clock)
        outcome = outcome_of(worker, row, problem, now)
        if not work.defer(conn, lease, outcome.retry_at, outcome.code, now):
            return PassResult(calendar=row.id, state=row.state, error="lease-lost")
        if outcome.state is not None and outcome.state != row.state:
            change_state(conn, worker, row, (outcome.state, outcome.code, now))
        owed = owed_writes.count_owed(conn, row.id)
    sentence = str(problem) if isinstance(problem, UserError) else outcome.code
    return PassResult(
        calendar=row.id,
        state=outcome.state or row.state,
        error=sentence,
        owed=owed,
        retry_at=outcome.retry_at,
    )
