"""Event bodies: what is accepted, how a patch is merged, how they look on the wire (contract sheet 4, 5.3, 16b)."""

from __future__ import annotations

import json
import re
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from calsync.sandbox.google import faults
from calsync.sandbox.google.faults import ApiError
from calsync.sandbox.google.knobs import Knobs
from calsync.sandbox.google.times import bad_recurrence, instant_of, rendered

Json = dict[str, Any]

_WHEN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?")
_WORDS = {
    "status": {"confirmed", "tentative", "cancelled"},
    "visibility": {"default", "public", "private", "confidential"},
    "transparency": {"opaque", "transparent"},
}


def merged(old: Json, changes: Json) -> Json:
    """Return what PATCH makes of it: objects merge, arrays and scalars replace, null removes."""
    fresh = dict(old)
    for key, value in changes.items():
        if value is None:
            fresh.pop(key, None)
        elif isinstance(value, dict):
            under = fresh.get(key)
            inner = merged(under if isinstance(under, dict) else {}, value)
            fresh[key] = inner
            if not inner:
                del fresh[key]
        else:
            fresh[key] = value
    return fresh


def check_event(body: Json, knobs: Knobs) -> None:
    """Refuse what Google refuses, and cut what it cuts (in place)."""
    for part in ("start", "end"):
        if not isinstance(body.get(part), dict) or not body[part]:
            raise faults.required(part)
        _check_moment(part, body[part], needs_zone=bool(body.get("recurrence")))
    if ("date" in body["start"]) != ("date" in body["end"]):
        raise faults.invalid("end")
    start, end = instant_of(body["start"], "UTC"), instant_of(body["end"], "UTC")
    if end < start or (end == start and ("date" in body["start"] or not knobs.zero_length_events)):
        raise ApiError(400, "timeRangeEmpty", domain="calendar")
    if bad_recurrence(body.get("recurrence")):
        raise faults.invalid("recurrence")
    if body.get("recurrence") == []:
        del body["recurrence"]
    for key, words in _WORDS.items():
        if key in body and body[key] not in words:
            raise faults.invalid(key)
    _cut_properties(body)


def _check_moment(part: str, moment: Json, *, needs_zone: bool) -> None:
    if ("date" in moment) == ("dateTime" in moment):
        raise faults.required(part) if "date" not in moment else faults.invalid(part)
    zone = moment.get("timeZone")
    if zone is not None:
        try:
            ZoneInfo(zone)
        except (ValueError, OSError, KeyError, TypeError):
            raise faults.invalid(f"{part}.timeZone") from None
    if "date" in moment:
        try:
            date.fromisoformat(moment["date"])
        except (ValueError, TypeError):
            raise faults.invalid(f"{part}.date") from None
        return
    found = _WHEN.fullmatch(moment["dateTime"]) if isinstance(moment["dateTime"], str) else None
    if found is None:
        raise faults.invalid(f"{part}.dateTime")
    if (found[2] is None or needs_zone) and zone is None:
        raise faults.required(f"{part}.timeZone")
    try:
        datetime.fromisoformat(moment["dateTime"])
    except ValueError:
        raise faults.invalid(f"{part}.dateTime") from None


def _cut_properties(body: Json) -> None:
    properties = body.get("extendedProperties")
    if properties is None:
        return
    for kind in ("private", "shared"):
        held = properties.get(kind)
        if held is not None:
            properties[kind] = {key: str(value)[:1024] for key, value in held.items() if len(key) <= 44}
    count = sum(len(properties.get(kind, ())) for kind in ("private", "shared"))
    if count > 300 or len(json.dumps(properties)) > 32_000:
        raise faults.invalid("extendedProperties")


def shown(body: Json, zone: str) -> Json:
    """Return the event as an answer shows it: times in a zone's offset, the event's own zone beside them."""
    out = dict(body)
    for part in ("start", "end", "originalStartTime"):
        moment = body.get(part)
        if moment is not None and "dateTime" in moment:
            own = moment.get("timeZone", zone)
            out[part] = {"dateTime": rendered(instant_of(moment, own), zone), "timeZone": own}
    return out


def bare(body: Json) -> Json:
    """Return a tombstone: of an exception with the slot it stood for, of anything else with its name alone [19]."""
    kept = ["kind", "etag", "id", "status"]
    if "recurringEventId" in body:
        kept += ["recurringEventId", "originalStartTime"]
    return {key: body[key] for key in kept}
