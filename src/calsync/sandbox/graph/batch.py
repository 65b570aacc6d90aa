"""`$batch`: up to twenty parts, loose ones at most four at a time in one mailbox (contract sheet 8.3)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from calsync.sandbox.graph.exchange import ROOT, Answer, Asked
from calsync.sandbox.graph.faults import bad, throttled

Json = dict[str, Any]

_LOOSE = 4


def answer_batch(asked: Asked, answer_one: Callable[[Asked], Answer]) -> Answer:
    """Answer all parts, in another order than they came in."""
    parts = asked.json().get("requests", [])
    names = [part["id"] for part in parts]
    if len(parts) > 20 or len(set(names)) != len(names):
        raise bad("BadRequest", "too many or doubled parts")
    statuses: dict[str, int] = {}
    told: list[Json] = []
    loose = 0
    for part in parts:
        loose += 0 if part.get("dependsOn") else 1
        answer = _part(part, asked, answer_one, statuses) if loose <= _LOOSE else _crowded()
        statuses[part["id"]] = answer.status
        body = {} if answer.content is None else {"body": answer.content}
        told.append({"id": part["id"], "status": answer.status, "headers": answer.headers, **body})
    return Answer(200, {"responses": told[::-1]})


def _part(part: Json, outer: Asked, answer_one: Callable[[Asked], Answer], statuses: dict[str, int]) -> Answer:
    if any(statuses.get(name, 500) >= 400 for name in part.get("dependsOn", ())):
        return Answer(424, {"error": {"code": "FailedDependency", "message": ""}})
    headers = {name.lower(): str(value) for name, value in (part.get("headers") or {}).items()}
    headers["authorization"] = outer.headers.get("authorization", "")
    body = json.dumps(part["body"]).encode() if "body" in part else b""
    return answer_one(Asked(part["method"], f"{ROOT}{part['url']}", headers, body))


def _crowded() -> Answer:
    fault = throttled()
    return Answer(429, fault.body("made-up-request", ""), fault.headers)
