"""The gate's base case, what a test lays over it, and shorthand for the rows that tests lay over it often."""

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from calsync.claims.answer import Answer
from calsync.claims.assess import assess
from calsync.claims.case_json import case_from_json, instant, policy_from_json

TABLE: dict[str, Any] = json.loads((Path(__file__).parent / "gate-scenarios.json").read_text(encoding="utf-8"))
FILED = {"date": "2026-11-10", "code": "90834", "id": "F-1"}


def overlaid(given: dict[str, Any]) -> dict[str, Any]:
    """The base case with `given` over it, key by key; record and policy are merged."""
    base = TABLE["base"]
    case = {**base, **given, "policy": {**base["policy"], **given.get("policy", {})}}
    if given.get("record") is not None:
        case["record"] = {**base["record"], **given["record"]}
    return case


def judged(data: dict[str, Any], **more: Any) -> Answer:
    """The gate's answer about a whole case."""
    asked = date.fromisoformat(data["asked"]) if data["asked"] is not None else None
    return assess(case_from_json(data), instant(data["now"]), policy_from_json(data["policy"]), asked, **more)


def judge(**given: Any) -> Answer:
    """The gate's answer about the base case with `given` over it."""
    return judged(overlaid(given))


def codes(answer: Answer) -> set[str]:
    return {str(one.code) for one in answer.reasons}


def advised(answer: Answer) -> set[str]:
    return {str(one.code) for one in answer.advisories}


def rules(answer: Answer) -> set[str]:
    return {one.rule for one in answer.evidence if one.rule is not None}


def read(at: str | None, result: str = "agrees", calendar: str = "cal-1", **more: Any) -> dict[str, Any]:
    """A read of a calendar; `at` is UTC, `10T16:05` means 10 November."""
    return {"calendar": calendar, "read_at": utc(at), "result": result, **more}


def utc(at: str | None) -> str | None:
    return None if at is None else f"2026-11-{at}Z" if at.count(":") == 2 else f"2026-11-{at}:00Z"


def row(start: str, end: str, who: str | None = "both", source: str = "telehealth-log", **more: Any) -> dict[str, Any]:
    """A row of a session log on trusted ground; times are UTC."""
    return {"id": f"E-{start}-{who}", "source": source, "start": utc(start), "end": utc(end), "who": who, **more}


def drift(**more: Any) -> dict[str, Any]:
    """A past move to the next day, detected at 18:00Z, open."""
    return {
        "id": "D-1",
        "calendar": "cal-1",
        "kind": "moved",
        "phase": "past",
        "resolution": "open",
        "detected_at": "2026-11-10T18:00:00Z",
        "observed_start": "2026-11-11T09:00",
        "observed_end": "2026-11-11T09:45",
        **more,
    }


def move(start: str, end: str, **more: Any) -> dict[str, Any]:
    """An upcoming move that was put back; times are wall times of 10 November."""
    times = {"observed_start": f"2026-11-10T{start}", "observed_end": f"2026-11-10T{end}"}
    return drift(**{"phase": "upcoming", "resolution": "reverted", **times, **more})


def word(says: str, at: str = "10T20:00", saw: Sequence[str] = (), **more: Any) -> dict[str, Any]:
    """The provider's word."""
    return {"id": "W-1", "by": "provider", "at": utc(at), "saw": list(saw), "says": says, **more}


def other(start: str | None, end: str | None, **more: Any) -> dict[str, Any]:
    """Another appointment of the same client on 10 November, of another code; wall times."""
    times = {} if start is None else {"start": f"2026-11-10T{start}", "end": f"2026-11-10T{end}"}
    base = {"id": "A-7", "provider": "P-1", "client": "K-1", "date": "2026-11-10", "code": "90847", "state": "held"}
    return {**base, **times, **more}
