"""What becomes of each occurrence that a copy shows: told of, put back, left to people, or left to her. Pure.

A copy can only be taken away whole: that is decided in `copies`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from calsync.domain.drift import Disposition, Drift, DriftKind, Phase, Resolution, Scope
from calsync.domain.event import Appearance, OriginalStart
from calsync.reconcile.align import keyed
from calsync.reconcile.brakes import is_fight
from calsync.reconcile.case import Copy
from calsync.reconcile.disposition import (
    disposition_of,
    disposition_once_undone,
    phase_of,
    standing_disposition,
)
from calsync.reconcile.ground import Ground
from calsync.reconcile.hers import is_her_own, left_to_her
from calsync.reconcile.plan import DriftChange, FoundDrift
from calsync.reconcile.shown import Duplicate, same_state, sort_key

_FLAGS = (Disposition.FLAG, Disposition.WOULD_FLAG)
_LEFT_ALONE = (*_FLAGS, Disposition.WOULD_REVERT)
_ACTING = (Disposition.FLAG, Disposition.REVERT, Disposition.REVERT_AND_FLAG)


@dataclass(frozen=True, slots=True)
class Judged:
    """One occurrence of a copy, judged. `stays`: to take the copy away would write over what is let be here.

    `hers`: a person made it into an event of her own, so that it stays even where the session is cancelled.
    `by_word`: a person said that it is to go, whatever policy says.
    """

    key: OriginalStart
    disposition: Disposition
    quiet_since: datetime
    found: FoundDrift | None = None
    change: DriftChange | None = None
    drift: Drift | None = None
    stays: bool = False
    hers: bool = False
    by_word: bool = False

    @property
    def goes(self) -> bool:
        """Whether the copy is to be taken away on its account."""
        return self.by_word or self.disposition.reverts


def judge_shown(ground: Ground, copy: Copy, shown: Sequence[Duplicate]) -> list[Judged]:
    """Judge what a copy shows, in the order of the sessions, and then what is on the books of it besides."""
    return [*_judge_all(ground, shown), *_left_over(ground, copy, shown)]


def flagged(one: Judged) -> Judged:
    """Leave to a person what would have been put back."""
    if not one.disposition.reverts:
        return one
    found = None if one.found is None else replace(one.found, disposition=Disposition.FLAG)
    change = one.change
    if one.drift is not None:
        unchanged = DriftChange(one.drift.id, one.drift.observed, one.drift.kind, one.drift.disposition)
        change = replace(change or unchanged, disposition=Disposition.FLAG)
    return replace(one, disposition=Disposition.FLAG, found=found, change=change)


def _judge_all(ground: Ground, duplicates: Sequence[Duplicate]) -> list[Judged]:
    phases = {one.original_start: phase_beside(ground, one.original_start, one.seen) for one in duplicates}
    mixed = len({phase is Phase.UPCOMING for phase in phases.values()}) == 2
    fights = any(
        phases[one.original_start] is Phase.UPCOMING
        and is_fight(ground.case, one.original_start, one.seen, now=ground.moment.now, policy=ground.policy)
        for one in duplicates
        if not one.copy.told and _is_news(ground, one)
    )
    return [
        _judge_occurrence(ground, one, phases[one.original_start], mixed=mixed, fights=fights)
        for one in sorted(duplicates, key=lambda one: sort_key(one.original_start))
    ]


def _is_news(ground: Ground, one: Duplicate) -> bool:
    drift = on_books(ground, one)
    return drift is None or not same_state(drift.observed, one.seen)


def _left_over(ground: Ground, copy: Copy, duplicates: Sequence[Duplicate]) -> list[Judged]:
    """Judge the open drifts of a copy whose occurrence is no longer agreed at all: the copy still stands."""
    shown = {one.original_start for one in duplicates}
    return [
        _judge_left(ground, copy, drift, nowhere=not shown)
        for drift in ground.case.drifts
        if drift.resolution is Resolution.OPEN
        and drift.kind is DriftKind.DUPLICATED
        and drift.copy_id == copy.remote_id
        and drift.original_start not in shown
    ]


def _judge_left(ground: Ground, copy: Copy, drift: Drift, *, nowhere: bool) -> Judged:
    still = any(same_state(one, drift.observed) for one in keyed(copy.event, ground.moment.window).values())
    undone = not still and (copy.event.is_series or not nowhere)
    if drift.is_asked_back and (still or undone):
        return _by_word(ground, drift) if still else _gone_as_asked(ground, drift)
    phase = phase_beside(ground, drift.original_start, drift.expected)
    begun = undone and phase is not Phase.UPCOMING
    disposition = (disposition_once_undone if begun else standing_disposition)(drift, phase, ground.policy)
    if drift.disposition in _FLAGS:
        # Nothing is agreed any more that could tell whose it is: a flag stays one.
        disposition = left_to_her(disposition)
    change = DriftChange(drift.id, drift.observed, drift.kind, disposition)
    judged = Judged(drift.original_start, disposition, drift.changed_at, drift=drift)
    if not (still or undone):
        # It was dragged to where no session of ours lies: that is told as well, before anybody takes it away.
        return replace(judged, quiet_since=ground.moment.now, change=replace(change, observed=copy.event.master))
    told = disposition is drift.disposition
    stays = still and _has_to_stay(disposition, phase, drift.scope)
    return replace(judged, change=None if told else change, stays=stays)


def _judge_occurrence(ground: Ground, one: Duplicate, phase: Phase, *, mixed: bool, fights: bool) -> Judged:
    drift, now = on_books(ground, one), ground.moment.now
    hers = _is_her_own(ground, one)
    if drift is not None and drift.resolution is not Resolution.OPEN:
        # A person looked at this copy and let it be, or policy does.
        answered = drift.resolution is not Resolution.IGNORED
        return Judged(one.original_start, Disposition.IGNORE, now, stays=answered, hers=hers and answered)
    disposition = disposition_of(DriftKind.DUPLICATED, phase, ground.policy)
    if hers or (fights and disposition.reverts):
        disposition = left_to_her(disposition)
    if drift is None and disposition in _ACTING and _was_put_back(ground, one):
        return Judged(one.original_start, Disposition.REVERT, now - ground.policy.settle)
    if drift is None:
        found = _found(ground, one, phase, disposition, mixed=mixed)
        stays = _has_to_stay(disposition, phase, found.scope)
        return Judged(one.original_start, disposition, now, found=found, stays=stays, hers=hers)
    same = same_state(drift.observed, one.seen)
    if same and drift.is_asked_back:
        return _by_word(ground, drift)
    if same:
        standing = standing_disposition(drift, phase, ground.policy)
        disposition = left_to_her(standing) if hers else standing
    change = DriftChange(drift.id, one.seen, drift.kind, disposition)
    told = same and disposition is drift.disposition
    return Judged(
        one.original_start,
        disposition,
        drift.changed_at if same else now,
        change=None if told else change,
        drift=drift,
        stays=_has_to_stay(disposition, phase, drift.scope),
        hers=hers,
    )


def _by_word(ground: Ground, drift: Drift) -> Judged:
    """A person said that it is to go: at once, whatever policy says."""
    return Judged(
        drift.original_start, drift.disposition, ground.moment.now - ground.policy.settle, drift=drift, by_word=True
    )


def _gone_as_asked(ground: Ground, drift: Drift) -> Judged:
    """A person said that it is to go, and somebody took it away since: there is nothing left to do."""
    change = DriftChange(drift.id, drift.observed, drift.kind, drift.disposition, Resolution.ACKNOWLEDGED)
    return Judged(drift.original_start, Disposition.IGNORE, ground.moment.now, change=change, drift=drift)


def _was_put_back(ground: Ground, one: Duplicate) -> bool:
    """Tell whether it is the rest of a split that our own event has taken back, left over as its removal was refused.

    It was told of as the split, and nobody touched it since: no news, and no fight. Which of our occurrences stands
    beside it says nothing, as the rest may have begun at another time.
    """
    copy, put_back = one.copy, [past.observed for past in ground.case.reverts]
    if not copy.told or any(shown.copy_id == copy.remote_id for shown in ground.view.shown.values()):
        return False
    of_split = [
        drift.observed
        for drift in ground.case.drifts
        if drift.kind is DriftKind.SPLIT and drift.copy_id == copy.remote_id
    ]
    shown = keyed(copy.event, ground.moment.window).values()
    begun = any(same_state(one, back) for one in shown for back in put_back)
    return begun and any(same_state(one.seen, known) for known in (*put_back, *of_split))


def _is_her_own(ground: Ground, one: Duplicate) -> bool:
    if any(shown.copy_id == one.copy.remote_id for shown in ground.view.shown.values()):
        return False  # the rest of a split: sessions of ours, whatever they are called
    beside = ground.view.agreed.get(one.original_start), ground.expected.get(one.original_start)
    return is_her_own(one.seen, (ground.agreed, ground.observed, ground.case.expected), beside)


def _found(ground: Ground, one: Duplicate, phase: Phase, disposition: Disposition, *, mixed: bool) -> FoundDrift:
    return FoundDrift(
        original_start=one.original_start,
        appointment=None,
        kind=DriftKind.DUPLICATED,
        phase=phase,
        expected=ground.view.agreed.get(one.original_start),
        observed=one.seen,
        scope=Scope.SERIES if one.copy.event.is_series else Scope.OCCURRENCE,
        mixed=mixed,
        disposition=disposition,
        ended=Resolution.IGNORED if disposition is Disposition.IGNORE else None,
        copy_id=one.copy.remote_id,
    )


def _has_to_stay(disposition: Disposition, phase: Phase, scope: Scope) -> bool:
    """Tell whether a flag keeps its copy; one about what is over and was copied with its series does not (R-9).

    So does what a practice that only observes would do.
    """
    return disposition in _LEFT_ALONE and (phase is Phase.UPCOMING or scope is Scope.OCCURRENCE)


def on_books(ground: Ground, one: Duplicate) -> Drift | None:
    """Return the drift that tells of it: one that is open, or one that was let be as it still is."""
    mine = [
        drift
        for drift in ground.case.drifts
        if drift.kind is DriftKind.DUPLICATED
        and (drift.original_start, drift.copy_id) == (one.original_start, one.copy.remote_id)
        and (drift.resolution is Resolution.OPEN or (drift.accepted and same_state(drift.observed, one.seen)))
    ]
    return mine[-1] if mine else None


def phase_beside(ground: Ground, key: OriginalStart, before: Appearance | None = None) -> Phase:
    """Return where a session of ours stands that a copy shows once more; `before`: how it was told of."""
    slot = ground.case.slots.get(key)
    # By the record first: what was agreed may be an edit of our own event that was let be for now.
    shown = ground.expected.get(key) or ground.view.agreed.get(key) or before
    return phase_of(shown, ground.moment.now, claimed=slot is not None and slot.claimed)
