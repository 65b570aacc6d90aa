"""One pass over one calendar as a plan: decide every link, then ask the brakes. Pure; called by the worker.

A plan can be read by people (`describe`) and by programs (`plan_json`); both name ids and times, never a title.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from calsync.domain.drift import COSMETIC, Disposition, DriftKind, Phase
from calsync.domain.event import Appearance, OriginalStart
from calsync.domain.write import Cause
from calsync.reconcile.brakes import check_stampede, surplus_copies
from calsync.reconcile.case import CalendarFacts, DecisionPolicy, LinkCase, Moment
from calsync.reconcile.decide import decide
from calsync.reconcile.plan import Decision, DriftChange, FoundDrift, Plan, Stampede, WantedWrite


def make_plan(cases: Iterable[LinkCase], facts: CalendarFacts, *, moment: Moment, policy: DecisionPolicy) -> Plan:
    """Return the decisions about all cases, sorted by link, or the stampede that forbids them all.

    `facts.released` "restore" writes the events that vanished or changed again, past ones too and at once: a person
    said so. "edits" takes them as what they are, edits like any other.
    """
    ordered = sorted(cases, key=lambda case: case.link.id)
    decisions = [decide(case, moment, policy) for case in ordered]
    stampede = check_stampede(decisions, facts, policy)
    if stampede is not None:
        return Plan(facts.calendar, stampede=stampede)
    if facts.released == "restore":
        decisions = [
            _restored(case, moment, policy) if _belongs_to_stop(decision) else decision
            for case, decision in zip(ordered, decisions, strict=True)
        ]
    return Plan(facts.calendar, tuple(decisions))


def _belongs_to_stop(decision: Decision) -> bool:
    """Tell whether the event vanished, changed wholly or was copied over and over.

    One whose sessions are all over does not count for its change: that is evidence.
    """
    lost = decision.vanished or decision.changed_wholly or surplus_copies(decision) > 0
    return lost or (decision.absent and bool(decision.found))


def _restored(case: LinkCase, moment: Moment, policy: DecisionPolicy) -> Decision:
    """Decide as a person did who released the stop: everything goes back, whatever policy, fights and settling say."""
    everything = {
        (kind, phase): Disposition.IGNORE if kind in COSMETIC else Disposition.REVERT
        for kind in DriftKind
        for phase in Phase
    }
    word = replace(policy, dispositions=everything, observe_only=False, settle=timedelta(0))
    decision = decide(replace(case, reverts=()), moment, word)
    return replace(decision, writes=tuple(_as_restored(write) for write in decision.writes), restored=True)


def _as_restored(write: WantedWrite) -> WantedWrite:
    # It may carry a change of the record as well: what it puts back is a person's word all the same.
    puts_back = bool(write.reverts) and write.cause is not Cause.COPY
    return replace(write, cause=Cause.RESTORE) if puts_back else write


def describe(plan: Plan) -> str:
    """Return the plan for people: a line per thing that is recorded or written, or why everything stops."""
    if plan.stampede is not None:
        return _describe_stop(plan.stampede)
    lines = [f"calendar {plan.calendar}: {len(plan.decisions)} looked into"]
    for decision in plan.decisions:
        told = [
            *map(_tell_found, decision.found),
            *map(_tell_change, decision.changed),
            *map(_tell_write, decision.writes),
        ]
        if decision.adopt is not None:
            told.append("take what is there as agreed")
        if told:
            lines.append(f"  {decision.link} ({decision.cell})")
            lines += [f"    {line}" for line in told]
    return "\n".join(lines)


def plan_json(plan: Plan) -> dict[str, Any]:
    """Return the plan as JSON-able data; instants in ISO form, UTC."""
    stop = plan.stampede
    return {
        "calendar": plan.calendar,
        "stampede": None
        if stop is None
        else {
            "changed": stop.changed,
            "upcoming": stop.upcoming,
            "share": round(stop.share, 4),
            "limit_count": stop.limit_count,
            "limit_share": stop.limit_share,
            "suspects": [
                {
                    "link": one.link,
                    "vanished": one.vanished,
                    "original_starts": [_at(key) for key in one.original_starts],
                }
                for one in stop.suspects
            ],
        },
        "decisions": [_decision_json(decision) for decision in plan.decisions],
    }


def _decision_json(decision: Decision) -> dict[str, Any]:
    return {
        "link": decision.link,
        "cell": decision.cell,
        "found": [
            {
                "original_start": _at(drift.original_start),
                "appointment": drift.appointment,
                "kind": str(drift.kind),
                "phase": str(drift.phase),
                "expected": _when(drift.expected),
                "observed": _when(drift.observed),
                "scope": str(drift.scope),
                "mixed": drift.mixed,
                "disposition": str(drift.disposition),
                "ended": None if drift.ended is None else str(drift.ended),
            }
            for drift in decision.found
        ],
        "changed": [
            {
                "drift": change.drift,
                "kind": str(change.kind),
                "observed": _when(change.observed),
                "disposition": str(change.disposition),
                "ended": None if change.ended is None else str(change.ended),
            }
            for change in decision.changed
        ],
        "writes": [
            {
                "kind": str(write.kind),
                "remote_id": write.remote_id,
                "version": write.version,
                "cause": str(write.cause),
                "not_before": _at(write.not_before),
                "reverts": [_at(key) for key in write.reverts],
                "start": None if write.target is None else _at(write.target.master.span.start_at),
            }
            for write in decision.writes
        ],
        "adopt": decision.adopt is not None,
    }


def _describe_stop(stop: Stampede) -> str:
    lines = [
        f"calendar {stop.calendar}: STOPPED, nothing is written",
        f"  {stop.changed} of {stop.upcoming} upcoming events ({stop.share:.0%}) vanished or changed",
        f"  the limit is {stop.limit_count} events and {stop.limit_share:.0%}",
    ]
    lines += [f"    {one.link} {'vanished' if one.vanished else 'changed'}" for one in stop.suspects]
    return "\n".join(lines)


def _tell_found(drift: FoundDrift) -> str:
    ended = f", {drift.ended}" if drift.ended is not None else ""
    times = f"{_span(drift.expected)} -> {_span(drift.observed)}"
    return f"{drift.kind} {_at(drift.original_start) or ''} {times}: {drift.disposition}{ended}".replace("  ", " ")


def _tell_change(change: DriftChange) -> str:
    ended = f", {change.ended}" if change.ended is not None else ""
    return f"drift {change.drift} now {_span(change.observed)}: {change.disposition}{ended}"


def _tell_write(write: WantedWrite) -> str:
    return f"{write.kind} {write.remote_id} because of {write.cause}, not before {_at(write.not_before)}"


def _span(appearance: Appearance | None) -> str:
    if appearance is None:
        return "nothing"
    span = appearance.span
    called_off = " cancelled" if appearance.cancelled else ""
    return f"{span.start:%Y-%m-%d %H:%M}/{span.end:%H:%M} {span.zone}{called_off}"


def _when(appearance: Appearance | None) -> dict[str, Any] | None:
    if appearance is None:
        return None
    span = appearance.span
    return {
        "start": span.start.isoformat(),
        "end": span.end.isoformat(),
        "zone": span.zone,
        "all_day": span.all_day,
        "cancelled": appearance.cancelled,
    }


def _at(key: OriginalStart | datetime) -> str | None:
    return None if key is None else key.isoformat()
