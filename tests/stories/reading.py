"""Reads a story's folder: record, baseline, what the calendar shows, policy and moment, and the plan that follows.

record.json    links by id: {"event": what the record calls for or null, "appointments": {original start or "": id}}
baseline.json  links by id: the event that was last agreed, or null
observed.json  links by id: "unchanged" | "absent" | "unreadable" | {"elsewhere": …} | {"event": …, "marker": …};
               "marker": "kept" (the default), "lost", "own" (a hash of this very event) or such a hash;
               "copies": {remote id: event}; left out: the calendar said nothing about it
policy.json    now, and only what differs from the defaults: policy, facts, drifts, reverts, sent, claimed
plan.json      what must come out
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from calsync.domain.appointment import Subject, SubjectKind
from calsync.domain.drift import Disposition, Drift, DriftKind, Phase, Resolution, Scope
from calsync.domain.event import Event, OriginalStart
from calsync.domain.link import Link
from calsync.domain.marker import Marker
from calsync.domain.notation import appearance_from_data, content_hash, event_from_data
from calsync.domain.span import Window
from calsync.reconcile.case import (
    CalendarFacts,
    ConfirmedAbsent,
    Copy,
    DecisionPolicy,
    LinkCase,
    Moment,
    NothingNew,
    PastRevert,
    RecentChange,
    SeenNow,
    SentWrite,
    Sight,
    Slot,
    UnreadableNow,
)
from calsync.reconcile.disposition import DEFAULT_DISPOSITIONS
from calsync.reconcile.pass_plan import make_plan, plan_json

Data = dict[str, Any]
HERE = Path(__file__).parent


def story_names() -> list[str]:
    return sorted(folder.name for folder in HERE.iterdir() if (folder / "record.json").is_file())


def load(name: str, part: str) -> Any:
    return json.loads((HERE / name / f"{part}.json").read_text(encoding="utf-8"))


def run(name: str) -> Data:
    record, baseline, observed, rules = (load(name, part) for part in ("record", "baseline", "observed", "policy"))
    return plan_of(record, baseline, observed, rules)


def plan_of(record: Data, baseline: Data, observed: Data, rules: Data) -> Data:
    now = _instant(rules["now"])
    moment = Moment(now, Window(now - timedelta(days=60), now + timedelta(days=100)))
    cases = [_case(link, record[link], baseline.get(link), observed.get(link), rules) for link in record]
    return plan_json(make_plan(cases, _facts(record, rules), moment=moment, policy=_policy(rules.get("policy", {}))))


def _case(name: str, record: Data, baseline: Data | None, observed: Any, rules: Data) -> LinkCase:
    agreed = None if baseline is None else event_from_data(baseline)
    expected = None if record["event"] is None else event_from_data(record["event"])
    claimed = rules.get("claimed", [])
    link = Link(
        id=name,
        calendar="K-1",
        provider="P-1",
        subject=Subject(SubjectKind.APPOINTMENT, name),
        generation=1,
        remote_id=f"r-{name}",
        uid=f"u-{name}",
        version=None if agreed is None else "1",
        baseline=agreed,
        baseline_hash=None if agreed is None else content_hash(agreed),
    )
    before = rules.get("last_observed", {}).get(name)
    if before is not None:
        link = replace(link, observed=event_from_data(before))
    return LinkCase(
        link=link,
        expected=expected,
        slots={
            _key(key): Slot(appointment, claimed=appointment in claimed)
            for key, appointment in record.get("appointments", {"": f"A-{name}"}).items()
        },
        sight=_sight(name, agreed, observed),
        copies=tuple(
            Copy(remote_id, "7", event_from_data(event), Marker(name, 1, "0" * 16, "place"))
            for remote_id, event in (observed.get("copies", {}) if isinstance(observed, dict) else {}).items()
        ),
        sent=tuple(_sent(one) for one in rules.get("sent", {}).get(name, [])),
        drifts=tuple(_drift(name, one, now=rules["now"]) for one in rules.get("drifts", {}).get(name, [])),
        reverts=tuple(_revert(one) for one in rules.get("reverts", {}).get(name, [])),
    )


def _sight(name: str, agreed: Event | None, observed: Any) -> Sight:  # noqa: PLR0911 - one per word
    content = "f" * 16 if agreed is None else content_hash(agreed)
    if observed is None:
        return NothingNew()
    if observed == "absent":
        return ConfirmedAbsent()
    if observed == "unreadable":
        return UnreadableNow("2", "times-a-day")
    if observed == "unchanged":
        assert agreed is not None
        return SeenNow("1", agreed, Marker(name, 1, content, "place"))
    if "elsewhere" in observed:
        return ConfirmedAbsent(observed["elsewhere"])
    if "event" not in observed:
        return NothingNew()
    event = event_from_data(observed["event"])
    says = observed.get("marker", "kept")
    marker = (
        None if says == "lost" else Marker(name, 1, {"kept": content, "own": content_hash(event)}.get(says, says), "p")
    )
    return SeenNow("2", event, marker)


def _policy(data: Data) -> DecisionPolicy:
    policy = DecisionPolicy(dispositions=dict(DEFAULT_DISPOSITIONS))
    special = {
        (DriftKind(kind), Phase(phase)): Disposition(word)
        for kind, phases in data.get("dispositions", {}).items()
        for phase, word in phases.items()
    }
    plain = {key: value for key, value in data.items() if key != "dispositions"}
    return replace(policy, dispositions={**policy.dispositions, **special}, **plain)


def _facts(record: Data, rules: Data) -> CalendarFacts:
    facts = rules.get("facts", {})
    recent = tuple(
        RecentChange(one["link"], one["vanished"], tuple(map(_instant, one.get("starts", []))))
        for one in facts.get("recent", [])
    )
    # Twenty events stand around the one that the story is about, unless it says otherwise.
    upcoming = facts.get("upcoming_links", 20)
    return CalendarFacts("K-1", facts.get("zone", "America/New_York"), upcoming, recent, facts.get("released"))


def _drift(link: str, data: Data, *, now: str) -> Drift:
    expected, observed = data.get("expected"), data.get("observed")
    return Drift(
        id=data.get("id", "D-1"),
        edit="E-1",
        link=link,
        calendar="K-1",
        provider="P-1",
        appointment=None,
        block=None,
        series=None,
        original_start=_key(data.get("original_start", "")),
        episode=1,
        kind=DriftKind(data["kind"]),
        phase=Phase(data.get("phase", "upcoming")),
        expected=None if expected is None else appearance_from_data(expected),
        observed=None if observed is None else appearance_from_data(observed),
        scope=Scope(data.get("scope", "occurrence")),
        mixed=data.get("mixed", False),
        disposition=Disposition(data.get("disposition", "revert")),
        resolution=Resolution(data.get("resolution", "open")),
        detected_at=_instant(data.get("changed_at", now)),
        changed_at=_instant(data.get("changed_at", now)),
        accepted=data.get("accepted", False),
        copy_id=data.get("copy_id"),
    )


def _revert(data: Data) -> PastRevert:
    observed = data.get("observed")
    return PastRevert(
        _key(data.get("original_start", "")),
        _instant(data["at"]),
        None if observed is None else appearance_from_data(observed),
    )


def _sent(data: Data | None) -> SentWrite:
    if data is None:
        return SentWrite("W-1", None, None)
    event = event_from_data(data)
    return SentWrite("W-1", event, content_hash(event))


def _key(text: str) -> OriginalStart:
    return _instant(text) if text else None


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
