"""A stop goes on the books: one row with the suspects and the numbers, and nothing else of the pass (R-13).

So does what its release to restore answers. Called by `record`, in its transaction.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from calsync.domain.drift import Drift, DriftKind, Resolution
from calsync.reconcile.plan import Stampede
from calsync.store import audit, calendars, claims, drifts, holds, links, outbox, stops
from calsync.worker.context import ACTOR, PassContext
from calsync.worker.gather import Gathered
from calsync.worker.subjects import facts_of, shown_by


def record_stop(conn: Connection, context: PassContext, gathered: Gathered, stampede: Stampede) -> None:
    """One row with the suspects and the numbers: no drifts, no cursor, no writes (R-13)."""
    now = context.worker.clock.now()
    touched = sorted(_touched(conn, context, gathered, stampede))
    stop = context.worker.ids.new_id("stop")
    evidence = {
        "changed": stampede.changed,
        "upcoming": stampede.upcoming,
        "share": round(stampede.share, 4),
        "limit_count": stampede.limit_count,
        "limit_share": stampede.limit_share,
        "links": [suspect.link for suspect in stampede.suspects],
        "vanished": [suspect.link for suspect in stampede.suspects if suspect.vanished],
    }
    stops.start(
        conn,
        stops.StopRow(
            id=stop, calendar=context.row.id, started_at=now, kind="stampede", evidence=evidence, touched=tuple(touched)
        ),
    )
    calendars.set_state(conn, context.row.id, "stopped", "mass-change", now)
    audit.append(
        conn, at=now, actor=ACTOR, what="calendar-stopped", subject=f"calendar:{context.row.id}", detail=evidence
    )
    outbox.put(
        conn,
        key=f"stop:{stop}",
        kind="calendar-stopped",
        recipient="support",
        payload={"stop": stop, "calendar": context.row.id},
        now=now,
        due_at=now,
    )
    claims.touch_provider(conn, context.row.provider)


def answered_by_release(conn: Connection, drift: Drift, now: datetime) -> None:
    """Somebody released the stop to restore: that what was seen is put back is the answer, also for what follows.

    Copies are let go of at once. What is written again is held until the calendar confirms it.
    """
    if drift.resolution is not Resolution.OPEN or not drift.disposition.reverts:
        return
    drifts.answer(conn, drift.id, by=ACTOR, note=None)
    if drift.kind is DriftKind.DUPLICATED:
        holds.close_hold(conn, drift.id, now)


def _touched(conn: Connection, context: PassContext, gathered: Gathered, stampede: Stampede) -> set[str]:
    """The appointments behind the suspects; those of earlier passes are not in play in this one."""
    slots = {link: facts.facts.slots for link, facts in gathered.links.items()}
    earlier = [suspect.link for suspect in stampede.suspects if suspect.link not in slots]
    for link in links.by_ids(conn, earlier):
        showing = shown_by(link, context.rules.title_privacy)
        slots[link.id] = facts_of(conn, link.subject, showing).slots
    touched: set[str] = set()
    for suspect in stampede.suspects:
        known = slots.get(suspect.link, {})
        # A suspect of an earlier pass names starts as instants, not by its slots: then all of it is touched.
        starts = [start for start in suspect.original_starts if start in known] or list(known)
        touched.update(slot.appointment for start in starts if (slot := known[start]).appointment is not None)
    return touched
