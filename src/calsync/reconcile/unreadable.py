"""An event of ours that is there and cannot be understood: its sessions are in doubt, nothing is written. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from calsync.domain.drift import Disposition, DriftKind, Resolution, Scope
from calsync.reconcile.case import DecisionPolicy, LinkCase, Moment
from calsync.reconcile.compare import sort_key, standing
from calsync.reconcile.disposition import disposition_of, phase_of
from calsync.reconcile.plan import Decision, DriftChange, FoundDrift


def decide_unreadable(case: LinkCase, moment: Moment, policy: DecisionPolicy) -> Decision:
    """Return a drift for every occurrence inside the window that has none on the books yet, and nothing else."""
    agreed = case.link.baseline if case.link.baseline is not None else case.expected
    shown = {} if agreed is None else standing(agreed, moment.window)
    told = {
        drift.original_start
        for drift in case.drifts
        if drift.kind is DriftKind.UNREADABLE
        or (drift.resolution is Resolution.OPEN and drift.kind is not DriftKind.DUPLICATED)
    }
    found = []
    changed = tuple(_no_more_as_asked(case, moment, policy))
    for key in sorted(shown, key=sort_key):
        slot = case.slots.get(key)
        phase = phase_of(shown[key], moment.now, claimed=slot is not None and slot.claimed)
        disposition = disposition_of(DriftKind.UNREADABLE, phase, policy)
        if key in told:
            continue
        found.append(
            FoundDrift(
                original_start=key,
                appointment=None if slot is None else slot.appointment,
                kind=DriftKind.UNREADABLE,
                phase=phase,
                expected=shown[key],
                observed=None,
                scope=Scope.OCCURRENCE if key is None else Scope.SERIES,
                mixed=False,
                disposition=disposition,
                ended=Resolution.IGNORED if disposition is Disposition.IGNORE else None,
            )
        )
    return Decision(link=case.link.id, cell="unreadable", found=tuple(found), changed=changed)


def _no_more_as_asked(case: LinkCase, moment: Moment, policy: DecisionPolicy) -> Iterator[DriftChange]:
    """Yield what a person said is to be put back, and was made into something else since: it is asked about anew."""
    for drift in case.drifts:
        if drift.is_asked_back and drift.kind not in (DriftKind.UNREADABLE, DriftKind.DUPLICATED):
            slot = case.slots.get(drift.original_start)
            phase = phase_of(drift.expected, moment.now, claimed=slot is not None and slot.claimed)
            disposition = disposition_of(DriftKind.UNREADABLE, phase, policy)
            yield DriftChange(drift.id, None, DriftKind.UNREADABLE, disposition)
