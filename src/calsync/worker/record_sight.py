"""Step four of a pass, the event itself: what was seen of it, what is owed to it, and what that says for the gate.

Called by `record`, inside its transaction. Never talks to a calendar.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from calsync.domain.drift import Resolution
from calsync.domain.notation import content_hash
from calsync.domain.write import Cause, WriteKind
from calsync.reconcile.case import UnreadableNow
from calsync.reconcile.plan import Decision, Plan, WantedWrite
from calsync.store import audit, claims, copies, link_changes, observations, owed_writes
from calsync.store.titles import without_marks
from calsync.worker.context import ACTOR, PassContext
from calsync.worker.gather import Gathered, LinkFacts


def record_sight(conn: Connection, facts: LinkFacts, decision: Decision, now: datetime) -> None:
    """Record what was seen of the event, and which writes of ours turned out to have arrived or been lost."""
    link = facts.link
    sight = facts.case.sight
    if decision.looked or isinstance(sight, UnreadableNow):
        # What went out and was not found again never arrived; what arrived is named by the adoption.
        arrived = decision.adopt.content if decision.adopt else None
        for sent in facts.sent:
            state = "done" if arrived is not None and sent.content == arrived else "superseded"
            owed_writes.settle(conn, sent.id, state, now)
    if decision.adopt is not None:
        _adopt(conn, facts, decision, now)
    if decision.remember is not None or (decision.looked and (decision.adopt is None or decision.absent)):
        link_changes.remember(
            conn, link.id, version=decision.version_seen, observed=decision.remember, absent=decision.absent
        )
    if isinstance(sight, UnreadableNow) and (link.absent or not link.unreadable):
        # It is there, whatever it says; that it goes must be news.
        unknown = link.absent or link.version is None
        link_changes.set_unreadable(conn, link.id, version=sight.version if unknown else None)
    if facts.copies != facts.copies_before:
        _keep_copies(conn, facts, decision.renamed)


def _adopt(conn: Connection, facts: LinkFacts, decision: Decision, now: datetime) -> None:
    adopt = decision.adopt
    assert adopt is not None
    if facts.facts.expected is None and adopt.baseline is None:
        link_changes.retire(conn, facts.link.id, now)
        # What a person had restored as well: it would go out to an event that is no more, and SOGo would make it.
        owed_writes.withdraw(conn, facts.link.id, facts.link.remote_id, now)
        return
    arrived = arrived_write(facts, decision)
    link_changes.confirm(
        conn,
        facts.link.id,
        version=adopt.version,
        baseline=adopt.baseline,
        baseline_hash=content_hash(adopt.baseline) if adopt.baseline else None,
        remote_id=facts.link.remote_id,
        confirmed_at=(arrived.sent_at if arrived else None) or facts.link.confirmed_at or now,
    )


def arrived_write(facts: LinkFacts, decision: Decision) -> owed_writes.OwedWrite | None:
    """The write of ours that turned out to have taken effect, if one did; what a person restored by it is answered."""
    content = decision.adopt.content if decision.adopt is not None else None
    return next((sent for sent in facts.sent if content is not None and sent.content == content), None)


def _keep_copies(conn: Connection, facts: LinkFacts, renamed: str | None) -> None:
    for remote_id in facts.copies_before.keys() - facts.copies.keys():
        copies.drop(conn, facts.link.id, remote_id)
    for remote_id, copy in facts.copies.items():
        if remote_id != renamed:
            copies.put(conn, facts.link.id, remote_id, copy.version, copy.event)


def record_writes(conn: Connection, context: PassContext, facts: LinkFacts, decision: Decision, now: datetime) -> None:
    """Owe the writes of a decision; what an older decision owed and this one does not is withdrawn."""
    wanted = {write.remote_id for write in decision.writes}
    moved = facts.is_renamed or decision.renamed is not None
    if moved or facts.copies_before or facts.link.remote_id not in wanted:
        # Deciding starts from the whole state each time: what an older decision owed must not go out any more.
        owed_writes.withdraw(conn, facts.link.id)
    if facts.link.absent and decision.looked and not decision.absent:
        _restore_over(conn, context, facts, decision, now)
    if moved:
        _leave_old_name(conn, facts, decision, now)
    for write in decision.writes:
        if not facts.is_new:
            owed_writes.owe(conn, _owed(context, facts, write, now))
        audit.append(
            conn,
            at=now,
            actor=ACTOR,
            what="write-owed",
            subject=f"link:{facts.link.id}",
            detail={"kind": write.kind.value, "cause": write.cause.value, "calendar": context.row.id},
        )


def _restore_over(conn: Connection, context: PassContext, facts: LinkFacts, decision: Decision, now: datetime) -> None:
    """Put back over the event that came back what a person said while it was gone: to make it again doubles it."""
    version, remote_id = decision.version_seen, decision.renamed or facts.link.remote_id
    for owed in owed_writes.owed_of_links(conn, [facts.link.id]).get(facts.link.id, ()):
        if owed.cause is Cause.RESTORE and owed.kind is WriteKind.CREATE and owed.state == "owed":
            owed_writes.settle(conn, owed.id, "superseded", now)
            over = replace(owed, id=context.worker.ids.new_id("write"), kind=WriteKind.UPDATE, created_at=now)
            owed_writes.owe(conn, replace(over, remote_id=remote_id, version=version))


def _leave_old_name(conn: Connection, facts: LinkFacts, decision: Decision, now: datetime) -> None:
    """Withdraw what waits under an old name: it is decided on anew, and would make the event a second time."""
    names = {decision.renamed or facts.link.remote_id, *facts.copies}
    for owed in owed_writes.owed_of_links(conn, [facts.link.id]).get(facts.link.id, ()):
        if owed.cause is Cause.RESTORE and owed.state == "owed" and owed.remote_id not in names:
            owed_writes.settle(conn, owed.id, "superseded", now)


def owe_first(conn: Connection, context: PassContext, gathered: Gathered, plan: Plan) -> None:
    """Owe the writes of new links, by the hundred."""
    now = context.worker.clock.now()
    new = ((gathered.links[decision.link], decision) for decision in plan.decisions)
    first = [_owed(context, facts, write, now) for facts, one in new if facts.is_new for write in one.writes]
    owed_writes.owe_first(conn, first)


def _owed(context: PassContext, facts: LinkFacts, write: WantedWrite, now: datetime) -> owed_writes.OwedWrite:
    target = write.target
    if target is not None and facts.facts.expected is not None:
        # What is kept as it was seen has titles that are only known by their marks; ours stands in for them.
        target = without_marks(target, facts.facts.expected.master.title)
    return owed_writes.OwedWrite(
        id=context.worker.ids.new_id("write"),
        calendar=context.row.id,
        link=facts.link.id,
        kind=write.kind,
        remote_id=write.remote_id,
        target=target,
        content=content_hash(target) if target else None,
        version=write.version,
        cause=write.cause,
        reverts=write.reverts,
        not_before=write.not_before,
        created_at=now,
    )


def record_observations(
    conn: Connection, context: PassContext, facts: LinkFacts, decision: Decision, drift_at: dict[object, str]
) -> None:
    """Readings that say something for the gate: of sessions that are over, and those that show a difference."""
    read_at = facts.read_at
    if not decision.looked or read_at is None:
        return
    ends = {session.appointment: session for session in facts.facts.sessions}
    known = {d.original_start: d.id for d in facts.case.drifts if d.resolution is Resolution.OPEN or d.accepted}
    for sighting in decision.sightings:
        session = ends.get(sighting.appointment or "")
        if session is None or sighting.appointment is None:
            continue
        over = session.end_at + context.rules.counts_after <= read_at
        drift = drift_at.get(sighting.original_start) or known.get(sighting.original_start)
        if not over and drift is None:
            continue
        observations.insert(
            conn,
            observations.Observation(
                calendar=context.row.id,
                link=facts.link.id,
                appointment=sighting.appointment,
                read_at=read_at,
                seen=sighting.appearance,
                version=decision.version_seen,
                drift=drift,
                after_end=over,
                linked_at=facts.link.linked_at,
                written_at=facts.link.confirmed_at,
            ),
        )
        claims.touch(conn, [sighting.appointment])


def plan_next_read(conn: Connection, context: PassContext, facts: LinkFacts, decision: Decision) -> None:
    """Remember when the event must be read next, for the gate."""
    settle = context.rules.counts_after
    never_written = facts.link.linked_at is None  # and yet there: what cannot be understood was read all the same
    if facts.read_at is not None and (decision.looked or never_written):
        link_changes.set_read_after(conn, facts.link.id, facts.facts.read_due_after(facts.read_at, settle))
    elif facts.link.linked_at is not None:
        due = facts.facts.read_due_after(facts.last_read_at or context.began_at, settle)
        link_changes.set_read_after(conn, facts.link.id, due)
    if not facts.is_new:
        link_changes.set_last_end(conn, facts.link.id, facts.facts.last_end)
