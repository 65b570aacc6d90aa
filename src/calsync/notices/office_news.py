"""What support and billing are told: corrections that another platform must make, recalls, questions without answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Connection

from calsync.domain.appointment import Appointment
from calsync.notices import wording
from calsync.notices.facts import OfficeFacts
from calsync.store import asks, drifts, filings, recalls, records
from calsync.store.outbox import OutboxItem
from calsync.store.recalls import RecallRow

_DO: Final = {
    "stop": "Do not send this claim: what it was cleared with is not certain any more.",
    "review": "Do nothing yet. People have been asked; you hear from us as soon as it is known.",
    "replace": "Send a replacement (frequency code 7) with what is right now.",
    "void": "Take the claim back (frequency code 8).",
}


def tell_office(conn: Connection, item: OutboxItem) -> OfficeFacts | None:
    """What a message for support or billing says now; None if there is nothing to tell any more."""
    words = _TELLERS[item.kind](conn, item)
    return None if words is None else OfficeFacts(item.kind, words)


def _correction(conn: Connection, item: OutboxItem) -> dict[str, Any] | None:
    one = records.appointment(conn, str(item.payload.get("appointment")))
    wanted = item.payload.get("wanted")
    if one is None or not isinstance(wanted, dict):
        return None
    start = wanted.get("start")
    return {
        **_session(one),
        "by": str(item.payload.get("by", "")),
        "is_off": start is None,
        "wanted": "" if start is None else f"{datetime.fromisoformat(start):%Y-%m-%d %H:%M} ({wanted.get('zone')})",
    }


def _recall(conn: Connection, item: OutboxItem) -> dict[str, Any] | None:
    row = recalls.get(conn, str(item.payload.get("recall")))
    one = records.appointment(conn, row.appointment) if row is not None else None
    if row is None or one is None or row.version != item.payload.get("version") or not row.is_open:
        return None
    filing = next((f for f in filings.of_appointments(conn, [one.id]).get(one.id, []) if f.id == row.filing), None)
    return {
        **_session(one),
        **_recalled(row),
        "known_since": wording.long_moment(row.identified_at, one.span.zone) if row.identified_at else "",
        "filed_on": f"{filing.filed_at:%Y-%m-%d}" if filing is not None else "",
        "batch": (filing.batch or "") if filing is not None else "",
        "claim": (filing.claim or "") if filing is not None else "",
        "line": (filing.line or "") if filing is not None else "",
        "control": (filing.control or "") if filing is not None else "",
    }


def _recall_withdrawn(conn: Connection, item: OutboxItem) -> dict[str, Any] | None:
    row = recalls.get(conn, str(item.payload.get("recall")))
    one = records.appointment(conn, row.appointment) if row is not None else None
    if row is None or one is None or row.state != "withdrawn":
        return None
    return {**_session(one), **_recalled(row)}


def _against_gate(conn: Connection, item: OutboxItem) -> dict[str, Any] | None:
    one = records.appointment(conn, str(item.payload.get("appointment")))
    return None if one is None else {**_session(one), "filing": str(item.payload.get("filing", ""))}


def _unanswered(conn: Connection, item: OutboxItem) -> dict[str, Any] | None:
    """A question that nobody has answered; settled meanwhile if any of edit, drift or ask says so."""
    edit = str(item.payload.get("edit"))
    waiting = [
        one for one in drifts.of_edit(conn, edit) if one.resolution.value in ("open", "reverted") and not one.accepted
    ]
    told = drifts.answers(conn, [one.id for one in waiting])
    waiting = [one for one in waiting if told.get(one.id) is None or told[one.id].resolved_by is None]
    sessions = records.appointments_by_ids(conn, [one.appointment for one in waiting if one.appointment is not None])
    if not sessions:
        return None
    asked = [ask for rows in asks.of_appointments(conn, sessions).values() for ask in rows]
    shown = sorted(sessions.values(), key=lambda one: one.span.start_at)
    return {
        **_session(shown[0]),
        "edit": edit,
        "more": len(shown) - 1,
        "asked": f"{min(ask.at for ask in asked):%Y-%m-%d %H:%M} UTC" if asked else "",
    }


def _session(one: Appointment) -> dict[str, Any]:
    return {
        "number": one.id,
        "provider": one.provider,
        "short": wording.short_moment(one.span.start_at, one.span.zone),
        "long": f"{wording.long_span(one.span, one.span.zone)} ({wording.zone_words(one.span.zone)})",
    }


def _recalled(row: RecallRow) -> dict[str, Any]:
    return {
        "recall": row.id,
        "action": row.action,
        "to_do": _DO.get(row.action, ""),
        "old": _date(row.old_date),
        "new": _date(row.new_date),
        "reasons": ", ".join(row.reasons),
    }


def _date(day: date | None) -> str:
    return "" if day is None else day.isoformat()


def _records_stopped(_conn: Connection, item: OutboxItem) -> dict[str, Any]:
    return {"because": str(item.payload.get("because", ""))}


def _records_unread(_conn: Connection, item: OutboxItem) -> dict[str, Any]:
    return {name: str(item.payload.get(name, "")) for name in ("because", "since")}


def _report(_conn: Connection, item: OutboxItem) -> dict[str, Any]:
    """A report's lines hold numbers, codes and ids only, so they are kept with the message."""
    told = ("since", "until", "open", "held", "in_trouble", "lines")
    return {"report_url": str(item.payload.get("url") or ""), **{name: item.payload.get(name) for name in told}}


_TELLERS: Final[Mapping[str, Callable[[Connection, OutboxItem], dict[str, Any] | None]]] = {
    "record-correction": _correction,
    "claim-recall": _recall,
    "recall-withdrawn": _recall_withdrawn,
    "filed-against-gate": _against_gate,
    "question-unanswered": _unanswered,
    "report": _report,
    "records-stopped": _records_stopped,
    "records-unread": _records_unread,
}
OFFICE_KINDS: Final = frozenset(_TELLERS)
"""The messages that go to support or billing as they are."""
