"""A plan as `sync --dry-run` shows it: one step per thing that would be recorded or written. Ids and times only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from calsync.domain.event import Appearance
from calsync.reconcile.plan import Decision, FoundDrift, Plan, WantedWrite
from calsync.worker.gather import Gathered, LinkFacts

Step = Mapping[str, object]


def steps_of(gathered: Gathered, plan: Plan) -> Iterator[Step]:
    """Yield the steps of a plan, those of one event together: what would be found first, then what would be written."""
    if plan.stampede is not None:
        yield {"action": "stop", "appointment": None, "calendar": plan.calendar, "before": None, "after": None}
    for decision in plan.decisions:
        facts = gathered.links[decision.link]
        yield from (_found(plan.calendar, found) for found in decision.found)
        yield from (_write(plan.calendar, facts, decision, write) for write in decision.writes)


def _found(calendar: str, found: FoundDrift) -> Step:
    return {
        "action": f"record-{found.disposition.value}",
        "appointment": found.appointment,
        "calendar": calendar,
        "before": _times(found.expected),
        "after": _times(found.observed),
        "kind": found.kind.value,
    }


def _write(calendar: str, facts: LinkFacts, decision: Decision, write: WantedWrite) -> Step:
    before = facts.link.observed or facts.link.baseline
    subject = facts.link.subject
    return {
        "action": write.kind.value,
        "appointment": subject.id if subject.kind.value == "appointment" else None,
        subject.kind.value: subject.id,
        "calendar": calendar,
        "before": _times(before.master if before is not None else None),
        "after": _times(write.target.master if write.target is not None else None),
        "cause": write.cause.value,
        "not_before": write.not_before.isoformat(),
        "row": decision.cell,
    }


def _times(appearance: Appearance | None) -> dict[str, str] | None:
    if appearance is None:
        return None
    span = appearance.span
    return {"start": span.start.isoformat(), "end": span.end.isoformat(), "zone": span.zone}
