"""What the occurrences that one edit touched call for: put back or left, as a whole (R-9, R-12). Pure.

Each was looked at on its own before (`looks`); called by `decide` only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from calsync.domain.drift import Disposition, Drift, DriftKind, Phase, Resolution, Scope
from calsync.domain.event import Appearance, OriginalStart
from calsync.reconcile.brakes import is_fight
from calsync.reconcile.case import PastRevert
from calsync.reconcile.disposition import (
    disposition_of,
    disposition_once_undone,
    overtaken_as,
    standing_disposition,
)
from calsync.reconcile.ground import Ground
from calsync.reconcile.hers import left_to_her
from calsync.reconcile.looks import Look, Story
from calsync.reconcile.plan import DriftChange, FoundDrift
from calsync.reconcile.shown import same_state
from calsync.reconcile.table import Calendar, Record


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be done about one occurrence. `keep`: our event stays here as it is now.

    `reverts`: a write puts an edit back here that is quiet since `quiet_since`. `along`: it goes back with its series,
    while its drift stays open (R-9). `by_word`: a person said that it is to be put back, whatever policy says.
    """

    look: Look
    keep: bool = False
    reverts: bool = False
    along: bool = False
    by_word: bool = False
    quiet_since: datetime | None = None
    found: FoundDrift | None = None
    changes: tuple[DriftChange, ...] = ()


@dataclass(frozen=True, slots=True)
class _Edit:
    """What the occurrences of an edit of the series share: `restoring` its master goes back, `mixed` some are over."""

    restoring: bool
    mixed: bool


def judge(ground: Ground, looks: Sequence[Look]) -> list[Verdict]:
    """Judge occurrences; those that one edit touched together are put back or left together."""
    dispositions = _dispositions(ground, looks)
    restoring = any(
        one.of_series and (dispositions[one.key].reverts or _is_by_word(one))
        for one in looks
        # What the record called off is put back nowhere, so that nothing goes along with it.
        if one.key in dispositions and one.record is not Record.GONE
    )
    phases = {one.phase is Phase.UPCOMING for one in looks if one.key in dispositions and one.guards and one.of_series}
    edit = _Edit(restoring=restoring, mixed=len(phases) == 2)
    return [_verdict(ground, one, dispositions.get(one.key), edit) for one in looks]


def _dispositions(ground: Ground, looks: Sequence[Look]) -> dict[OriginalStart, Disposition]:
    """Return what becomes of each standing edit; a fight about one of them blocks the whole edit (R-12)."""
    fresh: dict[OriginalStart, Disposition] = {}
    standing: dict[OriginalStart, Disposition] = {}
    fights = False
    for one in looks:
        if one.drift is not None and _is_by_word(one):
            standing[one.key] = one.drift.disposition
        elif one.story is Story.STILL and one.drift is not None:
            standing[one.key] = _of_whom(one, standing_disposition(one.drift, one.phase, ground.policy))
        elif one.story in (Story.FOUND, Story.OTHER) and one.kind is not None and one.record is not Record.CHANGED:
            fresh[one.key] = _of_whom(one, disposition_of(one.kind, one.phase, ground.policy))
            fights = fights or (fresh[one.key].reverts and _is_insisted_on(ground, one))
    if fights:
        fresh = {key: Disposition.FLAG if wanted.reverts else wanted for key, wanted in fresh.items()}
    return standing | fresh


def _is_by_word(one: Look) -> bool:
    """Tell whether a person's word that just what still shows here is to go waits to be carried out."""
    return one.drift is not None and one.drift.is_asked_back and one.story is Story.STILL


def _of_whom(one: Look, disposition: Disposition) -> Disposition:
    return left_to_her(disposition) if one.hers else disposition


def _is_insisted_on(ground: Ground, one: Look) -> bool:
    now, case = ground.moment.now, ground.case
    if one.put_back is not None:
        # That it was put back turned out just now, and counts like what was known before.
        case = replace(case, reverts=(*case.reverts, PastRevert(one.key, now, one.put_back.observed)))
    return is_fight(case, one.key, one.shown.seen, now=now, policy=ground.policy)


def _verdict(ground: Ground, one: Look, disposition: Disposition | None, edit: _Edit) -> Verdict:
    undone = () if one.put_back is None else (_change(one.put_back, one.put_back.observed, Resolution.REVERTED),)
    match one.story, one.drift:
        case Story.OVERTAKEN, Drift() as drift:
            return Verdict(one, changes=(_overtaken(ground, one, drift),))
        case Story.BACK, Drift() as drift:
            return Verdict(one, changes=_back(ground, one, drift))
        case Story.FOUND, _ if disposition is None or one.record is Record.GONE:
            return Verdict(one, changes=undone, found=_evidence(ground, one, mixed=edit.mixed))
        case ((Story.FOUND | Story.STILL | Story.OTHER), _):
            return _standing_edit(ground, one, (disposition or Disposition.FLAG, undone), edit)
        case _:
            return Verdict(one, keep=one.answered, changes=undone, found=_put_right(ground, one))


def _standing_edit(
    ground: Ground,
    one: Look,
    judged: tuple[Disposition, tuple[DriftChange, ...]],
    edit: _Edit,
) -> Verdict:
    disposition, undone = judged
    by_word = _is_by_word(one)
    reverts = disposition.reverts or by_word
    # What is over goes back with its series, or the series could not be restored; its evidence is on the books.
    # An occurrence that a person had changed on its own before stays where they put it.
    on_its_own = one.drift is not None and one.drift.scope is Scope.OCCURRENCE
    along = edit.restoring and not reverts and one.of_series and not on_its_own and one.phase is not Phase.UPCOMING
    quiet_since, found, changes = ground.moment.now, None, undone
    if one.drift is None:
        found = _found(one, disposition, mixed=edit.mixed)
        if disposition is Disposition.IGNORE and one.known:
            found = None
    else:
        kind = one.kind if one.story is Story.OTHER and one.kind is not None else one.drift.kind
        seen = one.shown.seen if one.story is Story.OTHER else one.drift.observed
        if one.story is Story.STILL:
            quiet_since = ground.moment.now - ground.policy.settle if by_word else one.drift.changed_at
        ended = Resolution.IGNORED if disposition is Disposition.IGNORE else None
        if one.story is Story.OTHER or disposition is not one.drift.disposition or ended is not None:
            copy_id = one.shown.copy_id if one.story is Story.OTHER else None
            changes = (*changes, DriftChange(one.drift.id, seen, kind, disposition, ended, copy_id))
    return Verdict(
        one,
        keep=not reverts and not along,
        reverts=reverts,
        along=along,
        by_word=by_word,
        quiet_since=quiet_since,
        found=found,
        changes=changes,
    )


def _found(one: Look, disposition: Disposition, *, mixed: bool, ended: Resolution | None = None) -> FoundDrift:
    kind = one.kind or DriftKind.RECURRENCE_CHANGED
    if ended is None and disposition is Disposition.IGNORE:
        ended = Resolution.IGNORED
    return FoundDrift(
        original_start=one.key,
        appointment=None,
        kind=kind,
        phase=one.phase,
        expected=one.expected if one.answered else one.reference,
        observed=one.shown.seen,
        scope=one.scope,
        mixed=mixed and one.of_series,
        disposition=disposition,
        ended=ended,
        copy_id=one.shown.copy_id,
    )


def _evidence(ground: Ground, one: Look, *, mixed: bool) -> FoundDrift | None:
    """Return the drift of an edit that the record's own change overtook, unless it is on the books already."""
    disposition = disposition_of(one.kind or DriftKind.MOVED, one.phase, ground.policy)
    asks = one.guards and disposition is not Disposition.IGNORE
    ended = overtaken_as(one.expected, one.phase, ground.moment.now, guarded=asks)
    return None if one.known else _found(one, disposition, mixed=mixed, ended=ended)


def _put_right(ground: Ground, one: Look) -> FoundDrift | None:
    """Return the drift of an answered edit that somebody now took back to what the record says: nothing is open."""
    if not one.answered or one.calendar is not Calendar.AS_RECORDED or one.known or ground.case.expected is None:
        return None
    disposition = disposition_of(one.kind or DriftKind.MOVED, one.phase, ground.policy)
    drift = _found(one, disposition, mixed=False, ended=Resolution.WITHDRAWN)
    return replace(drift, expected=one.reference)


def _overtaken(ground: Ground, one: Look, drift: Drift) -> DriftChange:
    if same_state(one.shown.seen, one.expected) and one.shown.copy_id is None:
        return _change(drift, one.shown.seen, Resolution.RECORD_CORRECTED)
    ended = overtaken_as(one.expected, one.phase, ground.moment.now, guarded=one.guards)
    # It may be another edit by now than it was told as: what goes is on the books as it stood last.
    changed = replace(_change(drift, one.shown.seen, ended), copy_id=one.shown.copy_id)
    return changed if one.kind is None else replace(changed, kind=one.kind)


def _back(ground: Ground, one: Look, drift: Drift) -> tuple[DriftChange, ...]:
    """End an upcoming edit that somebody undid; a later one was evidence, and stays open (R-11).

    Where a person said before that it is to be put back, that is answered: there is nothing left to do.
    """
    if drift.is_asked_back:
        return (_change(drift, drift.observed, Resolution.ACKNOWLEDGED),)
    if one.phase is not Phase.UPCOMING:
        holds = disposition_once_undone(drift, one.phase, ground.policy)
        changed = replace(_change(drift, drift.observed, None), disposition=holds)
        return () if holds is drift.disposition else (changed,)
    return (_change(drift, one.shown.seen, Resolution.WITHDRAWN),)


def _change(drift: Drift, observed: Appearance | None, ended: Resolution | None) -> DriftChange:
    return DriftChange(drift.id, observed, drift.kind, drift.disposition, ended)
