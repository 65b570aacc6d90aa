"""Step four of a pass: all that was found, decided and owed goes on the books, in one transaction, before any write.

Never talks to a calendar. Called by `calendar_pass` under the calendar's fence.
"""

from __future__ import annotations

from sqlalchemy import Connection

from calsync.domain.drift import COSMETIC, Resolution
from calsync.domain.write import Cause
from calsync.reconcile.plan import Decision, Plan
from calsync.store import calendars, copies, drifts, link_changes, links, owed_writes, stops, subject_changes, work
from calsync.worker.context import ACTOR, READ_FIRST, LeaseLostError, PassContext
from calsync.worker.gather import Gathered
from calsync.worker.record_edits import ask_after_observing, record_change, record_found
from calsync.worker.record_sight import (
    arrived_write,
    owe_first,
    plan_next_read,
    record_observations,
    record_sight,
    record_writes,
)
from calsync.worker.stopping import answered_by_release, record_stop


def record(context: PassContext, gathered: Gathered, plan: Plan) -> int:
    """Commit the plan under the fence; return how many guarded drifts were found. Raises LeaseLostError."""
    with context.worker.database.transaction() as conn:
        if not work.hold_fence(conn, context.lease):
            raise LeaseLostError(context.row.id)
        if plan.stampede is not None:
            record_stop(conn, context, gathered, plan.stampede)
            return 0
        # Most of a first push is rows of new links: they go in by the hundred.
        facts = [gathered.links[decision.link] for decision in plan.decisions]
        link_changes.insert_many(conn, [(one.link, one.facts.last_end) for one in facts if one.is_new])
        found = sum(_record_decision(conn, context, gathered, decision) for decision in plan.decisions)
        owe_first(conn, context, gathered, plan)
        subject_changes.take_away_all(conn, context.row.id, gathered.pending)
        # The feed will not tell of them again: they are read by id until they can be.
        for link in links.by_remote_ids(conn, context.row.id, gathered.unknown):
            link_changes.set_read_after(conn, link.id, context.began_at)
        # Nor is anything written to them before: a service that checks no condition would take it over any edit.
        owed_writes.put_off(conn, context.row.id, gathered.unknown, context.began_at + READ_FIRST)
        if gathered.cursor is not None:
            inventory_at = context.began_at if gathered.full else None
            calendars.save_reading(conn, context.row.id, gathered.cursor, context.began_at, inventory_at=inventory_at)
        if context.released is not None:
            stops.handled(conn, context.row.id, context.began_at)
        return found


def _record_decision(conn: Connection, context: PassContext, gathered: Gathered, decision: Decision) -> int:
    facts = gathered.links[decision.link]
    now = context.worker.clock.now()
    if facts.is_revived:
        link_changes.next_generation(
            conn, facts.link.id, generation=facts.link.generation, remote_id=facts.link.remote_id, uid=facts.link.uid
        )
    renamed = decision.renamed or (facts.link.remote_id if facts.is_renamed else None)
    if renamed is not None and not facts.is_new:
        link_changes.rename(conn, facts.link.id, renamed)
        copies.drop(conn, facts.link.id, renamed)
    drift_at = record_found(conn, context, facts, decision, now)
    restored = (arrived := arrived_write(facts, decision)) is not None and arrived.cause is Cause.RESTORE
    for change in decision.changed:
        record_change(conn, facts, change, now)
        if decision.restored and (known := drifts.get(conn, change.drift)) is not None:
            answered_by_release(conn, known, now)
        if restored and change.ended is Resolution.REVERTED:
            drifts.resolve(conn, change.drift, Resolution.ACKNOWLEDGED, now, by=ACTOR)
    ask_after_observing(conn, context, facts, decision, now)
    record_sight(conn, facts, decision, now)
    record_writes(conn, context, facts, decision, now)
    record_observations(conn, context, facts, decision, drift_at)
    plan_next_read(conn, context, facts, decision)
    return sum(1 for found in decision.found if found.kind not in COSMETIC)
