"""What the gate answers: frozen values, one canonical JSON form, and its fingerprint."""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from calsync.claims.reasons import AdvisoryCode, Party, ReasonCode, Verdict


@dataclass(frozen=True, kw_only=True)
class Reason:
    """One reason: who acts on it, the first question sent to them about it, and what happens next by itself.

    An instant that is not known is None.
    """

    code: ReasonCode
    text: str
    waiting_on: Party
    asked_at: datetime | None = None
    next_step_at: datetime | None = None


@dataclass(frozen=True)
class Advisory:
    """Something that somebody should know and that changes no verdict.

    A practice that only observes is told a reason's own code: what would have held (R-15).
    """

    code: AdvisoryCode | ReasonCode
    text: str


@dataclass(frozen=True, kw_only=True)
class EvidenceItem:
    """One thing that was looked at.

    `rule` names what it decided (a `Rule` or a reason code), None if nothing. Ids and times only.
    """

    kind: str
    id: str | None = None
    at: datetime | None = None
    says: str = ""
    rule: str | None = None


@dataclass(frozen=True)
class Recall:
    """What billing must do about what already went out: `stop`, `review`, `replace` or `void`.

    `new` is None when there is no new date, or none is known.
    """

    action: str
    old: date
    new: date | None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The gate's answer about one appointment at one moment.

    `date_of_service` is set only when `verdict` is cleared. `state` is the verdict before filing and `filed`,
    `review` or `recalled` after it. `code` and `length` are what was judged. Reasons stand in the order in which
    people should read them.
    """

    appointment: str | None
    verdict: Verdict
    state: str
    date_of_service: date | None
    reasons: tuple[Reason, ...]
    advisories: tuple[Advisory, ...]
    evidence: tuple[EvidenceItem, ...]
    recall: Recall | None
    waiting_on: Party | None
    asked_at: datetime | None
    next_step_at: datetime | None
    file_by: date | None
    sentence: str
    code: str | None = None
    length: timedelta | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain data for `claims check --json` and the HTTP API; instants are UTC with `Z`, dates ISO."""
        return {
            "appointment": self.appointment,
            "verdict": str(self.verdict),
            "state": self.state,
            "date_of_service": _date(self.date_of_service),
            "reasons": [_reason(one) for one in self.reasons],
            "advisories": [{"code": str(one.code), "text": one.text} for one in self.advisories],
            "evidence": [_item(one) for one in self.evidence],
            "recall": _recall(self.recall),
            "waiting_on": _text(self.waiting_on),
            "asked_at": _instant(self.asked_at),
            "next_step_at": _instant(self.next_step_at),
            "file_by": _date(self.file_by),
            "sentence": self.sentence,
            "code": self.code,
            "minutes": None if self.length is None else self.length // timedelta(minutes=1),
        }

    def canonical(self) -> bytes:
        """The one byte form of the answer: sorted keys, no spaces, UTF-8."""
        return canonical_text(self.to_json())


def fingerprint(answer: Answer) -> str:
    """SHA-256 of the whole answer, as stored in the audit log beside a clearance."""
    return hashlib.sha256(answer.canonical()).hexdigest()


def facts_fingerprint(answer: Answer) -> str:
    """SHA-256 of what an answer asserts (verdict, date, code, reason codes, recall) without its times and sentences.

    Two answers about unchanged facts have the same one at any time of day: the key under which a recall is made once.
    """
    facts = {
        "appointment": answer.appointment,
        "verdict": str(answer.verdict),
        "state": answer.state,
        "date_of_service": _date(answer.date_of_service),
        "code": answer.code,
        "reasons": sorted({str(one.code) for one in answer.reasons}),
        "recall": _recall(answer.recall),
    }
    return hashlib.sha256(canonical_text(facts)).hexdigest()


def canonical_text(data: dict[str, Any]) -> bytes:
    """The one byte form of plain data."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _reason(reason: Reason) -> dict[str, str | None]:
    return {
        "code": str(reason.code),
        "text": reason.text,
        "waiting_on": str(reason.waiting_on),
        "asked_at": _instant(reason.asked_at),
        "next_step_at": _instant(reason.next_step_at),
    }


def _item(item: EvidenceItem) -> dict[str, str | None]:
    return {"kind": item.kind, "id": item.id, "at": _instant(item.at), "says": item.says, "rule": _text(item.rule)}


def _recall(recall: Recall | None) -> dict[str, str | None] | None:
    return None if recall is None else {"action": recall.action, "old": _date(recall.old), "new": _date(recall.new)}


def _text(value: str | None) -> str | None:
    return None if value is None else str(value)


def _date(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _instant(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
