"""Step four of a pass: all that was found, decided and owed goes on the books, in one transaction, before any write.

Never talks to a calendar. Called by `calendar_pass` under the calendar's fence.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection

from calsync.domain.appointment import SubjectKind
from calsync.domain.drift import COSMETIC, Disposition, Drift, Resolution, Scope
from calsync.domain.notation import content_hash
from calsync.domain.write import Cause
from calsync.reconcile.case import UnreadableNow
from calsync.reconcile.plan import Decision, DriftChange, FoundDrift, Plan, WantedWrite
from calsync.store import (
    audit,
    calendars,
    claims,
    copies,
    drifts,
    edits,
    holds,
    links,
    observations,
    outbox,
    owed_writes,
    stops,
    subject_changes,
    work,
)
from calsync.store.titles import without_marks
from calsync.worker.context import LeaseLostError, PassContext
from calsync.worker.gather import Gathered, LinkFacts
from calsync.worker.stopping import answered_by_release, record_stop

ACTOR = "system"


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
        links.insert_many(conn, [(one.link, one.facts.last_end) for one in facts if one.is_new])
        found = sum(_record_decision(conn, context, gathered, decision) for decision in plan.decisions)
        _owe_first(conn, context, gathered, plan)
        subject_changes.take_away_all(conn, context.row.id, gathered.pending)
        # The feed will not tell of them again: they are read by id until they can be.
        for link in links.by_remote_ids(conn, context.row.id, gathered.unknown):
            links.set_read_after(conn, link.id, context.began_at)
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
        links.next_generation(
            conn, facts.link.id, generation=facts.link.generation, remote_id=facts.link.remote_id, uid=facts.link.uid
        )
    renamed = decision.renamed or (facts.link.remote_id if facts.is_renamed else None)
    if renamed is not None and not facts.is_new:
        links.rename(conn, facts.link.id, renamed)
        copies.drop(conn, facts.link.id, renamed)
    drift_at = _record_found(conn, context, facts, decision, now)
    restored = (arrived := _arrived(facts, decision)) is not None and arrived.cause is Cause.RESTORE
    for change in decision.changed:
        _record_change(conn, facts, change, now)
        if restored and change.ended is Resolution.REVERTED:
            drifts.resolve(conn, change.drift, Resolution.ACKNOWLEDGED, now, by=ACTOR)
    _ask_after_observing(conn, context, facts, decision, now)
    _record_sight(conn, facts, decision, now)
    _record_writes(conn, context, facts, decision, now)
    _record_observations(conn, context, facts, decision, drift_at)
    _plan_next_read(conn, context, facts, decision)
    return sum(1 for found in decision.found if found.kind not in COSMETIC)


# --- drifts --------------------------------------------------------------------------------------------------------


def _record_found(
    conn: Connection, context: PassContext, facts: LinkFacts, decision: Decision, now: datetime
) -> dict[object, str]:
    """One edit for what was found together on this event, one drift for each occurrence; returns drift ids by slot."""
    if not decision.found:
        return {}
    open_edit = next((d.edit for d in facts.case.drifts if d.resolution is Resolution.OPEN), None)
    guarded = [found for found in decision.found if found.kind not in COSMETIC]
    edit = open_edit if open_edit and not guarded else context.worker.ids.new_id("edit")
    if edit != open_edit:
        edits.insert(conn, _edit_row(context, facts, decision, edit, now))
    ids: dict[object, str] = {}
    for found in decision.found:
        drift = _drift(conn, context, facts, found, (edit, now))
        drifts.insert(conn, drift)
        if found.ended is Resolution.REVERTED:
            drifts.put_back(conn, [drift.id], now)
        elif found.ended is not None:
            drifts.resolve(conn, drift.id, found.ended, now, by=ACTOR, accepted=found.ended is Resolution.IGNORED)
        ids[found.original_start] = drift.id
        _after_found(conn, drift, found.ended, now)
        if decision.restored:
            answered_by_release(conn, drift, now)
    if not decision.restored:
        _ask(conn, context, edit, guarded, now)
    return ids


def _edit_row(context: PassContext, facts: LinkFacts, decision: Decision, edit: str, now: datetime) -> edits.EditRow:
    return edits.EditRow(
        id=edit,
        link=facts.link.id,
        calendar=context.row.id,
        provider=context.row.provider,
        version=decision.version_seen,
        detected_at=now,
        unseen_at=context.row.last_read_at,
        scope=Scope.SERIES if any(f.scope is Scope.SERIES for f in decision.found) else Scope.OCCURRENCE,
        mixed=any(f.mixed for f in decision.found),
    )


def _drift(
    conn: Connection, context: PassContext, facts: LinkFacts, found: FoundDrift, when: tuple[str, datetime]
) -> Drift:
    edit, now = when
    return Drift(
        id=context.worker.ids.new_id("drift"),
        edit=edit,
        link=facts.link.id,
        calendar=context.row.id,
        provider=context.row.provider,
        appointment=found.appointment or _own_appointment(facts),
        block=facts.block,
        series=facts.series,
        original_start=found.original_start,
        episode=drifts.next_episode(conn, facts.link.id, found.original_start),
        kind=found.kind,
        phase=found.phase,
        expected=found.expected,
        observed=found.observed,
        scope=found.scope,
        mixed=found.mixed,
        disposition=found.disposition,
        resolution=Resolution.OPEN,
        detected_at=now,
        changed_at=now,
        copy_id=found.copy_id,
    )


def _own_appointment(facts: LinkFacts) -> str | None:
    # A single session that was made to repeat: what was added has no record of its own, and puts this one in doubt.
    subject = facts.link.subject
    return subject.id if subject.kind is SubjectKind.APPOINTMENT else None


def _after_found(conn: Connection, drift: Drift, ended: Resolution | None, now: datetime) -> None:
    audit.append(
        conn,
        at=now,
        actor=ACTOR,
        what="drift-found",
        subject=f"drift:{drift.id}",
        detail={
            "calendar": drift.calendar,
            "appointment": drift.appointment,
            "block": drift.block,
            "kind": drift.kind.value,
            "phase": drift.phase.value,
            "disposition": drift.disposition.value,
        },
    )
    if drift.appointment is None:
        return
    if drift.kind not in COSMETIC and drift.disposition in _HOLDING and ended in _UNANSWERED:
        holds.open_hold(conn, drift.appointment, drift.id, now)
    claims.touch(conn, [drift.appointment])


def _ask(
    conn: Connection, context: PassContext, edit: str, found: Iterable[FoundDrift | DriftChange], now: datetime
) -> None:
    """Queue the provider's mail about an edit: due after settle, so that a slip that is undone causes none (R-11)."""
    asked = [f for f in found if f.ended in _UNANSWERED and f.disposition in _MAILED]
    if not asked:
        return
    kind = "edit-reverted" if any(f.disposition.reverts for f in asked) else "edit-after-start"
    recipient, due_at = f"provider:{context.row.provider}", now + context.rules.decisions.settle
    outbox.put(conn, f"{kind}:{edit}", kind, recipient, {"edit": edit}, now=now, due_at=due_at)


# Observe mode records what it would have done, and holds and mails nothing.
_HOLDING = _MAILED = frozenset({Disposition.REVERT, Disposition.FLAG, Disposition.REVERT_AND_FLAG})
_UNANSWERED = (None, Resolution.REVERTED)
_OBSERVED = frozenset({Disposition.WOULD_REVERT, Disposition.WOULD_FLAG})


def _ask_after_observing(
    conn: Connection, context: PassContext, facts: LinkFacts, decision: Decision, now: datetime
) -> None:
    """Ask about edits of the time when the practice only observed, now that it acts."""
    known = {drift.id: drift for drift in facts.case.drifts}
    taken_up = [change for change in decision.changed if known[change.drift].disposition in _OBSERVED]
    for edit in sorted({known[change.drift].edit for change in taken_up}):
        _ask(conn, context, edit, [change for change in taken_up if known[change.drift].edit == edit], now)


def _record_change(conn: Connection, facts: LinkFacts, change: DriftChange, now: datetime) -> None:
    drift = next(d for d in facts.case.drifts if d.id == change.drift)
    if (change.observed, change.kind, change.disposition) != (drift.observed, drift.kind, drift.disposition):
        drifts.update(
            conn, drift.id, kind=change.kind, observed=change.observed, disposition=change.disposition, changed_at=now
        )
    if change.copy_id not in (None, drift.copy_id):
        drifts.shown_by(conn, drift.id, change.copy_id)
    if change.ended is Resolution.REVERTED:
        drifts.put_back(conn, [drift.id], now)
    elif change.ended is not None:
        drifts.resolve(conn, drift.id, change.ended, now, by=ACTOR, accepted=change.ended is Resolution.IGNORED)
        holds.close_hold(conn, drift.id, now)
    elif change.disposition in _OBSERVED:
        holds.close_hold(conn, drift.id, now)
    elif drift.appointment is not None and _holds_now(drift, change):
        holds.open_hold(conn, drift.appointment, drift.id, now)
    audit.append(
        conn,
        at=now,
        actor=ACTOR,
        what="drift-changed",
        subject=f"drift:{drift.id}",
        detail={"kind": change.kind.value, "ended": change.ended.value if change.ended else None},
    )
    if drift.appointment is not None:
        claims.touch(conn, [drift.appointment])


def _holds_now(drift: Drift, change: DriftChange) -> bool:
    """Whether a change brings something that no answer was about yet, or that held nothing before."""
    news = change.observed != drift.observed or drift.kind in COSMETIC or drift.disposition in _OBSERVED
    return news and change.kind not in COSMETIC and change.disposition in _HOLDING


# --- the link, its writes and its readings -------------------------------------------------------------------------


def _record_sight(conn: Connection, facts: LinkFacts, decision: Decision, now: datetime) -> None:
    link = facts.link
    unreadable = isinstance(facts.case.sight, UnreadableNow)
    if decision.looked or unreadable:
        # What went out and was not found again never arrived; what arrived is named by the adoption.
        arrived = decision.adopt.content if decision.adopt else None
        for sent in facts.sent:
            state = "done" if arrived is not None and sent.content == arrived else "superseded"
            owed_writes.settle(conn, sent.id, state, now)
    if decision.adopt is not None:
        _adopt(conn, facts, decision, now)
    if decision.looked and (decision.adopt is None or decision.remember is not None or decision.absent):
        links.remember(conn, link.id, version=decision.version_seen, observed=decision.remember, absent=decision.absent)
    if facts.copies != facts.copies_before:
        _keep_copies(conn, facts, decision.renamed)


def _adopt(conn: Connection, facts: LinkFacts, decision: Decision, now: datetime) -> None:
    adopt = decision.adopt
    assert adopt is not None
    if facts.facts.expected is None and adopt.baseline is None:
        links.retire(conn, facts.link.id, now)
        return
    arrived = _arrived(facts, decision)
    links.confirm(
        conn,
        facts.link.id,
        version=adopt.version,
        baseline=adopt.baseline,
        baseline_hash=content_hash(adopt.baseline) if adopt.baseline else None,
        remote_id=facts.link.remote_id,
        confirmed_at=(arrived.sent_at if arrived else None) or facts.link.confirmed_at or now,
    )


def _arrived(facts: LinkFacts, decision: Decision) -> owed_writes.OwedWrite | None:
    """The write of ours that turned out to have taken effect, if one did; what a person restored by it is answered."""
    content = decision.adopt.content if decision.adopt is not None else None
    return next((sent for sent in facts.sent if content is not None and sent.content == content), None)


def _keep_copies(conn: Connection, facts: LinkFacts, renamed: str | None) -> None:
    for remote_id in facts.copies_before.keys() - facts.copies.keys():
        copies.drop(conn, facts.link.id, remote_id)
    for remote_id, copy in facts.copies.items():
        if remote_id != renamed:
            copies.put(conn, facts.link.id, remote_id, copy.version, copy.event)


def _record_writes(conn: Connection, context: PassContext, facts: LinkFacts, decision: Decision, now: datetime) -> None:
    wanted = {write.remote_id for write in decision.writes}
    if facts.is_renamed or decision.renamed is not None or facts.link.remote_id not in wanted:
        # Deciding starts from the whole state each time: what an older decision owed must not go out any more.
        owed_writes.withdraw(conn, facts.link.id)
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


def _owe_first(conn: Connection, context: PassContext, gathered: Gathered, plan: Plan) -> None:
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


def _record_observations(
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


def _plan_next_read(conn: Connection, context: PassContext, facts: LinkFacts, decision: Decision) -> None:
    settle = context.rules.counts_after
    if decision.looked and facts.read_at is not None:
        links.set_read_after(conn, facts.link.id, facts.facts.read_due_after(facts.read_at, settle))
    elif facts.link.linked_at is not None:
        due = facts.facts.read_due_after(facts.last_read_at or context.began_at, settle)
        links.set_read_after(conn, facts.link.id, due)
    if not facts.is_new:
        links.set_last_end(conn, facts.link.id, facts.facts.last_end)
