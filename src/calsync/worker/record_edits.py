"""Step four of a pass, the edits: found ones become drifts with their hold and mail, known ones go on or end.

Called by `record`, inside its transaction. Never talks to a calendar.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection

from calsync.domain.appointment import SubjectKind
from calsync.domain.drift import COSMETIC, Disposition, Drift, Resolution, Scope
from calsync.reconcile.plan import Decision, DriftChange, FoundDrift
from calsync.store import audit, claims, drifts, edits, holds, link_drifts, outbox
from calsync.worker.context import ACTOR, PassContext
from calsync.worker.gather import LinkFacts
from calsync.worker.stopping import answered_by_release


def record_found(
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
        if decision.restored and found.ended is None:
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
        episode=link_drifts.next_episode(conn, facts.link.id, found.original_start),
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


def ask_after_observing(
    conn: Connection, context: PassContext, facts: LinkFacts, decision: Decision, now: datetime
) -> None:
    """Ask about edits of the time when the practice only observed, now that it acts."""
    known = {drift.id: drift for drift in facts.case.drifts}
    taken_up = [change for change in decision.changed if known[change.drift].disposition in _OBSERVED]
    for edit in sorted({known[change.drift].edit for change in taken_up}):
        _ask(conn, context, edit, [change for change in taken_up if known[change.drift].edit == edit], now)


def record_change(conn: Connection, facts: LinkFacts, change: DriftChange, now: datetime) -> None:
    """Record what became of a drift: shown differently, answered, ended; holds and claims go along."""
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
    news |= drift.is_asked_back and change.kind is not drift.kind
    return news and change.kind not in COSMETIC and change.disposition in _HOLDING
