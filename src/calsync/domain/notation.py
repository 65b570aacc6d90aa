"""Events and appearances as JSON-able data and canonical text, both ways; and the hash of what we write.

Called by the store, the reports and the marker. Text holds whatever the event holds, so it never goes into a log.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from calsync.domain.event import Appearance, Event, Override, Recurrence
from calsync.domain.rule import RuleRefused, normalise_rule
from calsync.domain.span import Span

Data = dict[str, Any]


def span_to_data(span: Span) -> Data:
    """Return a span as data: naive ISO wall times, zone, and only where they matter `all_day` and the folds."""
    data: Data = {"start": _wall(span.start), "end": _wall(span.end), "zone": span.zone}
    if span.all_day:
        data["all_day"] = True
    if span.start.fold:
        data["start_fold"] = 1
    if span.end.fold:
        data["end_fold"] = 1
    return data


def span_from_data(data: Mapping[str, Any]) -> Span:
    """Read what `span_to_data` wrote; `ValueError` or `KeyError` for anything that is no span."""
    return Span(
        start=datetime.fromisoformat(data["start"]).replace(fold=int(data.get("start_fold", 0))),
        end=datetime.fromisoformat(data["end"]).replace(fold=int(data.get("end_fold", 0))),
        zone=data["zone"],
        all_day=bool(data.get("all_day", False)),
    )


def appearance_to_data(appearance: Appearance) -> Data:
    """Return an appearance as data; fields that have their default are left out."""
    data: Data = {"span": span_to_data(appearance.span)}
    if appearance.title:
        data["title"] = appearance.title
    if appearance.cancelled:
        data["cancelled"] = True
    if not appearance.busy:
        data["busy"] = False
    if appearance.answer:
        data["answer"] = appearance.answer
    if appearance.proposed is not None:
        data["proposed"] = span_to_data(appearance.proposed)
    return data


def appearance_from_data(data: Mapping[str, Any]) -> Appearance:
    """Read what `appearance_to_data` wrote."""
    proposed = data.get("proposed")
    return Appearance(
        span=span_from_data(data["span"]),
        title=data.get("title", ""),
        cancelled=bool(data.get("cancelled", False)),
        busy=bool(data.get("busy", True)),
        answer=data.get("answer", ""),
        proposed=None if proposed is None else span_from_data(proposed),
    )


def event_to_data(event: Event) -> Data:
    """Return an event as data; instants in ISO form with offset."""
    data: Data = {"uid": event.uid, "master": appearance_to_data(event.master)}
    if event.recurrence is not None:
        data["recurrence"] = {
            "rule": event.recurrence.rule,
            "added": [_instant(at) for at in event.recurrence.added],
            "excluded": [_instant(at) for at in event.recurrence.excluded],
        }
    if event.overrides:
        data["overrides"] = [
            {"original_start": _instant(override.original_start), **appearance_to_data(override.appearance)}
            for override in event.overrides
        ]
    if event.location:
        data["location"] = event.location
    if event.description:
        data["description"] = event.description
    if event.public:
        data["public"] = True
    return data


def event_from_data(data: Mapping[str, Any]) -> Event:
    """Read what `event_to_data` wrote."""
    recurrence = data.get("recurrence")
    return Event(
        uid=data["uid"],
        master=appearance_from_data(data["master"]),
        recurrence=None
        if recurrence is None
        else Recurrence(
            rule=recurrence["rule"],
            added=_instants(recurrence.get("added", ())),
            excluded=_instants(recurrence.get("excluded", ())),
        ),
        overrides=tuple(
            Override(_read_instant(entry["original_start"]), appearance_from_data(entry))
            for entry in data.get("overrides", ())
        ),
        location=data.get("location", ""),
        description=data.get("description", ""),
        public=bool(data.get("public", False)),
    )


def canonical_text(data: object) -> str:
    """Return JSON with sorted keys and no spaces: equal data, equal text."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def event_to_text(event: Event) -> str:
    """Return an event as canonical text."""
    return canonical_text(event_to_data(event))


def event_from_text(text: str) -> Event:
    """Read what `event_to_text` wrote."""
    return event_from_data(json.loads(text))


def appearance_to_text(appearance: Appearance | None) -> str | None:
    """Return an appearance as canonical text; None, an occurrence that is not there, stays None."""
    return None if appearance is None else canonical_text(appearance_to_data(appearance))


def appearance_from_text(text: str | None) -> Appearance | None:
    """Read what `appearance_to_text` wrote."""
    return None if text is None else appearance_from_data(json.loads(text))


def content_hash(event: Event) -> str:
    """Return 16 hex digits over what we write: times, recurrence, overrides, our title, place and text.

    Neither the UID counts nor anything that is the user's; two ways of writing one rule have the same hash.
    """
    recurrence = event.recurrence
    content = {
        "master": _written(event.master),
        "recurrence": None
        if recurrence is None
        else [
            _normal(recurrence.rule),
            sorted(_instant(at) for at in recurrence.added),
            sorted(_instant(at) for at in recurrence.excluded),
        ],
        "overrides": sorted(
            ([_instant(override.original_start), _written(override.appearance)] for override in event.overrides),
            key=lambda entry: str(entry[0]),
        ),
        "location": event.location,
        "description": event.description,
    }
    return sha256(canonical_text(content).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _written(appearance: Appearance) -> list[object]:
    return [span_to_data(appearance.span), appearance.title, appearance.cancelled]


def _normal(rule: str) -> str:
    try:
        return normalise_rule(rule) if rule else ""
    except RuleRefused:
        return rule  # a stranger's rule is hashed as it stands


def _wall(wall: datetime) -> str:
    return wall.replace(fold=0).isoformat()


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def _read_instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _instants(texts: list[str]) -> tuple[datetime, ...]:
    return tuple(_read_instant(text) for text in texts)
