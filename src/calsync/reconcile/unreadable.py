"""An event of ours that is there and cannot be understood: its sessions are in doubt. Pure.

Nothing is written over it but at a person's word about just that.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from calsync.domain.drift import Disposition, DriftKind, Resolution, Scope
from calsync.domain.write import Cause, WriteKind
from calsync.reconcile.case import DecisionPolicy, LinkCase, Moment, UnreadableNow
from calsync.reconcile.compare import standing
from calsync.reconcile.disposition import disposition_of, phase_of
from calsync.reconcile.plan import Decision, DriftChange, FoundDrift, WantedWrite
from calsync.reconcile.shown import sort_key
from calsync.reconcile.target import build_target

_TRIED_AGAIN: Final = timedelta(minutes=1)


def decide_unreadable(case: LinkCase, moment: Moment, policy: DecisionPolicy) -> Decision:
    """Return a drift for every occurrence inside the window that has none yet, and the write that a word calls for."""
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
    return Decision(
        link=case.link.id, cell="unreadable", found=tuple(found), changed=changed, writes=_put_back(case, moment)
    )


def _put_back(case: LinkCase, moment: Moment) -> tuple[WantedWrite, ...]:
    """Return the write of the booking as the record has it now, where a person said so, over what stands there now."""
    sight, open_ones = case.sight, [one for one in case.drifts if one.resolution is Resolution.OPEN]
    asked = tuple(one.original_start for one in open_ones if one.is_asked_back and one.kind is DriftKind.UNREADABLE)
    if not asked or not isinstance(sight, UnreadableNow) or sight.version is None:
        return ()
    told = [one for one in open_ones if one.kind not in (DriftKind.UNREADABLE, DriftKind.DUPLICATED)]
    let_be = [one for one in told if not (one.disposition.reverts or one.is_asked_back)]
    # What stands in the rest of a split is not to stand in our own event as well.
    beside = {copy.remote_id for copy in case.copies}
    kept = {one.original_start: None if one.copy_id in beside else one.observed for one in let_be}
    target = None if case.expected is None else build_target(case.expected, kept=kept)
    kind = WriteKind.DELETE if target is None else WriteKind.UPDATE
    # Met as it was decided on, and refused all the same: the service is given time.
    refused = any(sent.restores and sent.version == sight.version for sent in case.sent if not sent.given_up)
    due = moment.now + _TRIED_AGAIN if refused else moment.now
    return (WantedWrite(kind, case.link.remote_id, target, sight.version, Cause.RESTORE, due, asked),)


def _no_more_as_asked(case: LinkCase, moment: Moment, policy: DecisionPolicy) -> Iterator[DriftChange]:
    """Yield what a person said is to be put back, and was made into something else since: it is asked about anew."""
    for drift in case.drifts:
        if drift.is_asked_back and drift.kind not in (DriftKind.UNREADABLE, DriftKind.DUPLICATED):
            slot = case.slots.get(drift.original_start)
            phase = phase_of(drift.expected, moment.now, claimed=slot is not None and slot.claimed)
            disposition = disposition_of(DriftKind.UNREADABLE, phase, policy)
            ended = Resolution.IGNORED if disposition is Disposition.IGNORE else None
            yield DriftChange(drift.id, None, DriftKind.UNREADABLE, disposition, ended)
