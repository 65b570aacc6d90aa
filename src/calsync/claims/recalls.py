"""Recalls: what billing must do when something turns up about a claim that was issued or filed (claims sheet, 12).

Every re-assessment of a touched claim ends here. The same facts recall once, however often they are found (I7);
further facts make a new version of the same recall; facts that are as they were withdraw it. A recall that a person
closed stays closed until other facts come.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from calsync.claims.answer import Answer, EvidenceItem, Recall
from calsync.claims.case import Sent
from calsync.claims.casebook import CaseFile
from calsync.claims.digest import told_at
from calsync.claims.reasons import ANSWERS_ONLY_WHAT_WAS_ASKED, Party, ReasonCode, Verdict
from calsync.claims.telling import tell_recall
from calsync.ports import Ids
from calsync.store import audit, filings, outbox, recalls
from calsync.store.recalls import RecallRow

ACTOR = "system"
_PASSING = frozenset({Party.SYSTEM, Party.NOBODY})
_SAID_BY_SOMEBODY = frozenset(
    {ReasonCode.STATEMENT_CONTRADICTS, ReasonCode.EVIDENCE_CONTRADICTS, ReasonCode.ATTENDANCE_IN_DOUBT}
)


@dataclass(frozen=True, slots=True)
class _Facts:
    """What a version of a recall says, and the fingerprint that it is known by."""

    recall: Recall
    new_code: str | None
    reasons: tuple[str, ...]
    items: tuple[EvidenceItem, ...]
    fingerprint: str


def keep_standing(conn: Connection, file: CaseFile, answer: Answer, now: datetime, ids: Ids) -> None:
    """Bring the claim's state and its recalls into line with a fresh assessment. Repeating it changes nothing."""
    sent = file.case.filed or file.case.issued
    if file.observes or sent is None:
        return
    known = recalls.of_appointments(conn, [file.appointment]).get(file.appointment, [])
    own = [one for one in known if sent.id in (one.filing, one.clearance)]
    facts = None if answer.recall is None else _facts(answer, answer.recall, sent)
    if facts is not None and _was_closed(own, facts):
        facts = None
        _move(conn, file, "filed", now)
    else:
        _move(conn, file, answer.state, now)
    for one in known:
        if one.is_open and (facts is None if one in own else _is_as(answer, one)):
            _withdraw(conn, one, file, now)
    if facts is not None:
        _recall(conn, file, facts, own, (now, ids))


def _was_closed(own: Iterable[RecallRow], facts: _Facts) -> bool:
    """Whether a person has closed a recall about exactly this: their word stands until other facts come."""
    return any(one.state == "closed" and _last_of(one) == facts.fingerprint for one in own)


def _recall(
    conn: Connection, file: CaseFile, facts: _Facts, own: list[RecallRow], around: tuple[datetime, Ids]
) -> None:
    now, ids = around
    open_one = next((one for one in own if one.is_open), None)
    withdrawn = next(
        (one for one in own if one.state == "withdrawn" and facts.fingerprint in one.evidence["facts"]), None
    )
    if open_one is not None:
        if facts.fingerprint != _last_of(open_one):
            _publish(conn, _next_version(open_one, facts, now), file, now, is_new=False)
    elif withdrawn is not None:
        # The same facts are back: the same effect, told again under its next version.
        _publish(conn, replace(_next_version(withdrawn, facts, now), closed_at=None), file, now, is_new=False)
    else:
        _publish(conn, _new(file, facts, now, own, ids), file, now, is_new=True)


def _new(file: CaseFile, facts: _Facts, now: datetime, own: list[RecallRow], ids: Ids) -> RecallRow:
    sent = file.case.filed or file.case.issued
    assert sent is not None
    place = len(own)
    is_filed = file.case.filed is not None
    return RecallRow(
        id=ids.new_id("recall"),
        key=f"{sent.id}:{place}:{facts.fingerprint}",
        appointment=file.appointment,
        clearance=None if is_filed else sent.id,
        filing=sent.id if is_filed else None,
        action=facts.recall.action,
        old_date=facts.recall.old,
        new_date=facts.recall.new,
        old_code=sent.code,
        new_code=facts.new_code,
        reasons=facts.reasons,
        evidence=_evidence(facts, ()),
        version=1,
        detected_at=now,
        identified_at=now if _is_identified(facts) else None,
        former=own[-1].id if own else None,
    )


def _next_version(known: RecallRow, facts: _Facts, now: datetime) -> RecallRow:
    identified_at = known.identified_at or (now if _is_identified(facts) else None)
    return replace(
        known,
        action=facts.recall.action,
        new_date=facts.recall.new,
        new_code=facts.new_code,
        reasons=facts.reasons,
        evidence=_evidence(facts, known.evidence["facts"]),
        version=known.version + 1,
        identified_at=identified_at,
        state="open",
    )


def _publish(conn: Connection, row: RecallRow, file: CaseFile, now: datetime, *, is_new: bool) -> None:
    """Keep it, note it, and tell billing once per version."""
    if is_new:
        recalls.put(conn, row)
    else:
        recalls.replace(conn, row)
    audit.append(conn, at=now, actor=ACTOR, what="claim-recalled", subject=f"recall:{row.id}", detail=_detail(row))
    _tell_billing(conn, row, "claim-recall", file, now)
    tell_recall(conn, row, now)


def _withdraw(conn: Connection, row: RecallRow, file: CaseFile, now: datetime) -> None:
    withdrawn = replace(row, state="withdrawn", version=row.version + 1, closed_at=now)
    recalls.replace(conn, withdrawn)
    audit.append(
        conn, at=now, actor=ACTOR, what="recall-withdrawn", subject=f"recall:{row.id}", detail=_detail(withdrawn)
    )
    _tell_billing(conn, withdrawn, "recall-withdrawn", file, now)
    tell_recall(conn, withdrawn, now)


def _tell_billing(conn: Connection, row: RecallRow, kind: str, file: CaseFile, now: datetime) -> None:
    payload = {"recall": row.id, "version": row.version, "action": row.action}
    zone = file.case.record.zone if file.case.record is not None else None
    due = told_at(row.action, zone, file.recalls_at, now)
    outbox.put(conn, f"recall:{row.id}:{row.version}", kind, "billing", payload, now=now, due_at=due)


def _move(conn: Connection, file: CaseFile, state: str, now: datetime) -> None:
    """Remember how a filed claim stands."""
    if file.filing is None or file.filing.state == state:
        return
    filings.set_state(conn, file.filing.id, state)
    audit.append(
        conn,
        at=now,
        actor=ACTOR,
        what="claim-state-changed",
        subject=f"appointment:{file.appointment}",
        detail={"filing": file.filing.id, "from": file.filing.state, "to": state},
    )


def _facts(answer: Answer, recall: Recall, sent: Sent) -> _Facts:
    """What is asserted against the claim, without what only time or the next reading settles, if there is more."""
    about_session = [one for one in answer.reasons if one.code not in ANSWERS_ONLY_WHAT_WAS_ASKED]
    firm = [one for one in about_session if one.waiting_on not in _PASSING] or about_session
    codes = tuple(sorted({str(one.code) for one in firm}))
    items = tuple(one for one in answer.evidence if one.rule in codes)
    told = [
        sent.id,
        recall.action,
        _text(recall.new),
        answer.code if recall.new is not None else None,
        codes,
        sorted({(one.kind, one.id or "") for one in items}),
    ]
    fingerprint = hashlib.sha256(json.dumps(told).encode()).hexdigest()
    new_code = answer.code if answer.verdict is Verdict.CLEARED else None
    return _Facts(recall, new_code, codes, items, fingerprint)


def _evidence(facts: _Facts, before: Iterable[str]) -> dict[str, object]:
    items = [
        {"kind": one.kind, "id": one.id, "at": _text(one.at), "says": one.says, "rule": one.rule} for one in facts.items
    ]
    return {"facts": [*before, facts.fingerprint], "items": items}


def _is_identified(facts: _Facts) -> bool:
    """True when a person or a log has said it, not only a calendar: then repayment clocks run (claims sheet, 8)."""
    return facts.recall.action in ("replace", "void") or bool(set(facts.reasons) & _SAID_BY_SOMEBODY)


def _last_of(row: RecallRow) -> str:
    facts: list[str] = row.evidence["facts"]
    return facts[-1]


def _is_as(answer: Answer, former: RecallRow) -> bool:
    """True when the session is cleared with exactly what the recalled clearance said."""
    # Only a cleared answer has a date.
    return (answer.date_of_service, answer.code or former.old_code) == (former.old_date, former.old_code)


def _detail(row: RecallRow) -> dict[str, object]:
    return {
        "appointment": row.appointment,
        "action": row.action,
        "version": row.version,
        "old_date": _text(row.old_date),
        "new_date": _text(row.new_date),
        "reasons": list(row.reasons),
        "facts": _last_of(row),
    }


def _text(moment: datetime | object | None) -> str | None:
    isoformat = getattr(moment, "isoformat", None)
    return None if isoformat is None else str(isoformat())
