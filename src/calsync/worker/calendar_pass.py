"""One pass over one calendar: read, match, decide, record, write, confirm. All of it is `run_pass`, on one screen.

Crash-safe at every line: what was found is on the books before anything is written (I2), what goes out is marked as
sent before it leaves, and what became of it is asked of the calendar, never assumed. No network call lies inside a
transaction.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from calsync.connector.errors import Forbidden
from calsync.connector.protocol import Gone
from calsync.reconcile.case import Moment
from calsync.reconcile.pass_plan import make_plan
from calsync.reconcile.plan import Plan
from calsync.store import copies, links, owed_writes, subject_changes
from calsync.worker.context import PassContext, PassResult
from calsync.worker.gather import Gathered, gather
from calsync.worker.in_play import Pending, Start, links_to_read, start
from calsync.worker.plan_steps import steps_of
from calsync.worker.read import Sights, absences, doubted, locate_gone, read_beside, read_by_id, read_changes
from calsync.worker.record import record
from calsync.worker.write import write_due

# A write that meets another version is read, decided and written again so often; then it waits for the next pass.
CONFLICT_ROUNDS = 3


def run_pass(context: PassContext) -> PassResult:
    """Reconcile one calendar. Raises connector errors and LeaseLostError; whatever was committed before stands."""
    begun = start(context)
    sights = _look(context, begun)  # 1 read, 2 match
    if _is_quiet(context, begun, sights):
        return _quiet(context, sights)
    gathered = gather(context, begun, sights)
    plan = _plan(context, gathered)  # 3 decide
    if context.dry_run:
        return replace(_result(context, sights), again=False, plan=tuple(steps_of(gathered, plan)))
    found = _record(context, gathered, plan)  # 4 record
    wrote = Wrote(stopped=plan.stampede is not None)
    if not wrote.stopped and not context.only_record:
        wrote = _write(context)  # 5 write, 6 confirm
    result = _result(context, sights)
    return replace(result, drifts=found + wrote.found, written=wrote.written, stopped=wrote.stopped)


def _is_quiet(context: PassContext, begun: Start, sights: Sights) -> bool:
    """Nothing on the books, nothing in the calendar: by far the most passes, and none of them should cost more."""
    nothing_seen = not sights.items and not sights.unknown
    return begun.is_empty and nothing_seen and context.released is None and not context.dry_run


def _quiet(context: PassContext, sights: Sights) -> PassResult:
    # What comes up meanwhile bumps the calendar's generation, so that it is due again at once.
    return PassResult(
        calendar=context.row.id,
        began_at=context.began_at,
        cursor=sights.cursor,
        full=sights.full,
        owed=0,
        again=False,
        clock_apart=sights.apart,
    )


def _look(context: PassContext, begun: Start) -> Sights:
    sights = read_changes(context, begun.cursor, begun.unlinked)
    wanted = [*links_to_read(begun, sights), *doubted(sights)]
    read_by_id(context, sights, wanted, absences(context, sights))
    gone = [remote_id for remote_id, item in sights.items.items() if isinstance(item, Gone)]
    if gone:
        with context.worker.database.reading() as conn:
            known = links.by_remote_ids(conn, context.row.id, gone)
            beside = copies.of_links(conn, [link.id for link in known])
        read_beside(
            context, sights, {link.remote_id: [one.remote_id for one in beside.get(link.id, ())] for link in known}
        )
        locate_gone(context, sights, [(link.remote_id, link.uid) for link in known if not link.absent])
    return sights


def _plan(context: PassContext, gathered: Gathered) -> Plan:
    moment = Moment(context.worker.clock.now(), context.window)
    return make_plan(gathered.cases, gathered.calendar, moment=moment, policy=context.rules.decisions)


def _record(context: PassContext, gathered: Gathered, plan: Plan) -> int:
    """A pass that found nothing leaves no row but the calendar's own, which is written when the lease is given back."""
    nothing = not gathered.links and not gathered.pending and not gathered.unknown
    if nothing and context.released is None:
        return 0
    return record(context, gathered, plan)


class WriteForbiddenError(Forbidden):
    """The account may read the calendar and not write it."""


@dataclass(frozen=True, slots=True)
class Wrote:
    """What writing came to, with what was found where another version was met; a stop ends it there and then."""

    written: int = 0
    found: int = 0
    stopped: bool = False


def _write(context: PassContext) -> Wrote:
    """Send what is due; where another version was met, read it, decide and record again."""
    try:
        sent = write_due(context)
        wrote = Wrote(sent.written)
        for _ in range(CONFLICT_ROUNDS):
            if not sent.conflicts:
                break
            found, stopped = _decide_again(context, sent.conflicts)
            if stopped:
                return replace(wrote, stopped=True)
            sent = write_due(context)
            wrote = Wrote(wrote.written + sent.written, wrote.found + found)
    except Forbidden as problem:
        raise WriteForbiddenError(str(problem)) from problem
    return wrote


def _decide_again(context: PassContext, link_ids: Iterable[str]) -> tuple[int, bool]:
    with context.worker.database.reading() as conn:
        met = {link.id: Pending(link) for link in links.by_ids(conn, list(link_ids))}
        unanswered = owed_writes.sent_of_links(conn, met)
        # It may have been a copy that turned out to be another version.
        beside = [copy.remote_id for those in copies.of_links(conn, met).values() for copy in those]
    begun = Start(cursor=None, pending=(), links=met, unanswered=unanswered, reads_due=())
    sights = Sights()
    read_by_id(context, sights, [*(pending.link.remote_id for pending in met.values()), *beside])
    gathered = gather(context, begun, sights)
    conflicted = {
        link_id: replace(facts, case=replace(facts.case, conflict=True)) for link_id, facts in gathered.links.items()
    }
    gathered = replace(gathered, links=conflicted)
    plan = _plan(context, gathered)
    return record(context, gathered, plan), plan.stampede is not None


def _result(context: PassContext, sights: Sights) -> PassResult:
    # What our clock calls due and the service's does not yet would be read again without end.
    now = context.worker.clock.now() - sights.ahead
    with context.worker.database.reading() as conn:
        owed = owed_writes.count_owed(conn, context.row.id)
        next_read = links.next_read(conn, context.row.id)
        waiting = bool(subject_changes.pending(conn, context.row.id, 1))
    return PassResult(
        calendar=context.row.id,
        read=sights.count,
        began_at=context.began_at,
        cursor=sights.cursor,
        full=sights.full,
        owed=owed,
        again=(waiting or (next_read is not None and next_read <= now)) and not sights.unknown,
        clock_apart=sights.apart,
    )
