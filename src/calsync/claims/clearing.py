"""Clearances on the books: written when somebody is told yes, superseded by the next, ended by a doubt.

A clearance's row holds the answer that was given and its SHA-256, which stands in the audit log as well. The same
answer about the same inputs is the same clearance, however often it is asked for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from calsync.claims.answer import Answer, canonical_text
from calsync.claims.casebook import CaseFile
from calsync.claims.reasons import Verdict
from calsync.ports import Ids
from calsync.store import audit, clearances
from calsync.store.clearances import Clearance
from calsync.store.late import Note

_ITS_OWN_TRACES = frozenset({"issued", "filed"})


def keep_clearances(conn: Connection, answers: Iterable[tuple[CaseFile, Answer]], now: datetime, ids: Ids) -> list[str]:
    """Issue cleared answers, one per appointment; the appointments whose clearance nobody had been told before."""
    wanted: list[Clearance] = []
    for file, answer in answers:
        clearance = _with_code_of_the_record(clearance_of(answer, ids.new_id("clearance"), now), file)
        if file.clearance is None or file.clearance.fingerprint != clearance.fingerprint:
            wanted.append(clearance)
    # Others may have been asked the same since the case was read.
    standing = clearances.lock_in_force(conn, [one.appointment for one in wanted])
    fresh = [one for one in wanted if one.fingerprint not in {k.fingerprint for k in standing.get(one.appointment, ())}]
    superseded = [known.id for one in fresh for known in standing.get(one.appointment, ())]
    clearances.end(conn, superseded, now)
    clearances.insert_many(conn, fresh)
    audit.append_many(conn, (_note(one, now) for one in fresh))
    return [one.appointment for one in fresh]


def may_issue(file: CaseFile, answer: Answer) -> bool:
    """Whether the answer is a yes to keep: a cleared one, unless the practice only observes or it is filed as it is."""
    return answer.verdict is Verdict.CLEARED and not file.observes and answer.state in ("cleared", "recalled")


def clearance_of(answer: Answer, clearance_id: str, now: datetime) -> Clearance:
    """The row that keeps a cleared answer; `fingerprint` is the SHA-256 of the kept answer's canonical form."""
    # What went out before is no ground for going out: without it, asking twice is one clearance.
    grounds = tuple(one for one in answer.evidence if one.kind not in _ITS_OWN_TRACES)
    kept = replace(answer, evidence=grounds, recall=None, state="cleared")
    told = kept.to_json()
    assert answer.appointment is not None
    assert answer.date_of_service is not None
    assert answer.length is not None
    return Clearance(
        id=clearance_id,
        appointment=answer.appointment,
        date=answer.date_of_service,
        code=answer.code,
        minutes=answer.length // timedelta(minutes=1),
        fingerprint=hashlib.sha256(canonical_text(told)).hexdigest(),
        answer=told,
        at=now,
        issued_at=now,
    )


def _with_code_of_the_record(clearance: Clearance, file: CaseFile) -> Clearance:
    """Billing may clear another code than the one that was planned; only a change of the plan is news later."""
    assert file.case.record is not None
    planned = file.case.record.code
    return clearance if planned is None else replace(clearance, code=planned)


def _note(clearance: Clearance, now: datetime) -> Note:
    detail = {
        "clearance": clearance.id,
        "date": clearance.date.isoformat(),
        "code": clearance.code,
        "fingerprint": clearance.fingerprint,
    }
    return Note(now, "system", "claim-cleared", f"appointment:{clearance.appointment}", detail)
