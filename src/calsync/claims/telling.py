"""What other programs are told of claims: that one may go, must wait, or must come back. Ids, dates and codes only.

A claim is told of once its session is over, and again only when the verdict or what somebody must act on changes, be it
because the session was put off; what merely waits for the next reading is no news.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection

from calsync.claims.answer import Answer
from calsync.claims.casebook import CaseFile
from calsync.claims.reasons import Party, ReasonCode, Verdict
from calsync.ports import Ids
from calsync.store import webhooks
from calsync.store.recalls import RecallRow

_PASSING = frozenset({Party.SYSTEM, Party.NOBODY})


def tell_verdicts(conn: Connection, found: Iterable[tuple[CaseFile, Answer]], now: datetime, ids: Ids) -> None:
    """Tell what is news of these claims."""
    wanted = [
        (file.appointment, answer) for file, answer in found if file.case.record is not None and not file.observes
    ]
    known = webhooks.verdicts(conn, [appointment for appointment, _ in wanted])
    for appointment, answer in wanted:
        firm = " ".join(sorted(str(one.code) for one in answer.reasons if one.waiting_on not in _PASSING))
        news = (str(answer.verdict), firm)
        before = known.get(appointment)
        if news == before or (before is None and (_is_coming(answer) or news == (str(Verdict.HELD), ""))):
            continue
        webhooks.remember_verdict(conn, appointment, *news)
        # Each change is an effect of its own: a claim may be cleared, held, and cleared again.
        effect = f"claim:{appointment}:{ids.new_id('news')}"
        subject = f"appointment:{appointment}"
        webhooks.emit(conn, effect, f"claim.{answer.verdict}", subject, _told(appointment, answer), now)


def tell_recall(conn: Connection, row: RecallRow, at: datetime) -> None:
    """Tell a version of a recall, or that it is withdrawn."""
    kind = "claim.recall-withdrawn" if row.state == "withdrawn" else "claim.recalled"
    told = {
        "recall": row.id,
        "version": row.version,
        "appointment": row.appointment,
        "action": row.action,
        "old_date": None if row.old_date is None else row.old_date.isoformat(),
        "new_date": None if row.new_date is None else row.new_date.isoformat(),
        "reasons": list(row.reasons),
    }
    webhooks.emit(conn, f"recall:{row.id}:{row.version}", kind, f"appointment:{row.appointment}", told, at)


def _is_coming(answer: Answer) -> bool:
    return any(one.code is ReasonCode.SESSION_NOT_OVER for one in answer.reasons)


def _told(appointment: str, answer: Answer) -> dict[str, object]:
    return {
        "appointment": appointment,
        "verdict": str(answer.verdict),
        "state": answer.state,
        "date_of_service": None if answer.date_of_service is None else answer.date_of_service.isoformat(),
        "reasons": [str(one.code) for one in answer.reasons],
        "waiting_on": None if answer.waiting_on is None else str(answer.waiting_on),
        "file_by": None if answer.file_by is None else answer.file_by.isoformat(),
    }
