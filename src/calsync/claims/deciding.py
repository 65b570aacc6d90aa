"""Billing's ruling on one case that the practice has no rule for. It counts until the record's times change."""

from __future__ import annotations

from typing import Final

from calsync.claims.gate import Gate
from calsync.claims.reasons import ReasonCode
from calsync.errors import Problem, Refused
from calsync.store import audit, claim_decisions, claims
from calsync.store.claim_decisions import DecisionRow
from calsync.store.known import known_appointment

WORDS: Final = {
    "start": ReasonCode.CROSSES_MIDNIGHT,
    "end": ReasonCode.CROSSES_MIDNIGHT,
    "record": ReasonCode.DATE_DEPENDS_ON_ZONE,
    "provider": ReasonCode.DATE_DEPENDS_ON_ZONE,
    "client": ReasonCode.DATE_DEPENDS_ON_ZONE,
}
"""What may be said, and which reason it settles; a duplicate is settled by naming the other appointment."""


def decide(gate: Gate, appointment: str, says: str, *, by: str, note: str) -> DecisionRow:
    """Rule which day counts (a word of `WORDS`), or that another appointment, named by its id, is a distinct session.

    Raises NotFoundError, and Refused without a note or when the other appointment is this one.
    """
    now = gate.clock.now()
    where = f"appointment {appointment}"
    if not note.strip():
        raise Refused([Problem("a ruling is not made without a reason", where, "Add --note")])
    with gate.database.transaction() as conn:
        record = known_appointment(conn, appointment)
        if says not in WORDS:
            known_appointment(conn, says)
        if says == appointment:
            raise Refused([Problem("a session cannot be distinct from itself", where)])
        row = DecisionRow(
            id=gate.ids.new_id("decision"),
            appointment=appointment,
            about=str(WORDS.get(says, ReasonCode.SAME_DAY_SAME_CODE)),
            says=says,
            by=by,
            at=now,
            note=note,
            start=record.span.start,
            end=record.span.end,
            zone=record.span.zone,
        )
        claim_decisions.insert(conn, row)
        detail = {"decision": row.id, "about": row.about, "says": says, "note": note}
        audit.append(conn, at=now, actor=by, what="claim-decided", subject=f"appointment:{appointment}", detail=detail)
        claims.touch(conn, [appointment])
    return row
