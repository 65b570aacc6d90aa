"""Events beside our own that carry our marker: a copy that a person made, or the rest of a series that they cut. Pure.

Our marker proves that the copy is ours to take away (I3), once what it showed is on the books; but a copy that a person
made into an event of her own, with a title and a time of its own, goes by her word only. Called by `decide` only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from calsync.domain.drift import Disposition, Drift, DriftKind, Phase, Resolution, Scope
from calsync.domain.event import Appearance, OriginalStart
from calsync.domain.write import Cause, WriteKind
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
from calsync.reconcile.judge import Verdict
from calsync.reconcile.looks import Look
from calsync.reconcile.plan import DriftChange, FoundDrift, WantedWrite
from calsync.reconcile.shown import Duplicate, same_state, sort_key
from calsync.reconcile.table import Record

_FLAGS = (Disposition.FLAG, Disposition.WOULD_FLAG)
_LEFT_ALONE = (*_FLAGS, Disposition.WOULD_REVERT)
_ACTING = (Disposition.FLAG, Disposition.REVERT, Disposition.REVERT_AND_FLAG)


@dataclass(frozen=True, slots=True)
class CopiesDecision:
    """What to record about copies and which of them to take away."""

    found: tuple[FoundDrift, ...] = ()
    changed: tuple[DriftChange, ...] = ()
    writes: tuple[WantedWrite, ...] = ()


@dataclass(frozen=True, slots=True)
class _Judged:
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


def judge_copies(ground: Ground, verdicts: Sequence[Verdict]) -> CopiesDecision:
    """Judge every copy; the rest of a split goes when the verdicts put the series back.

    A copy can only be taken away whole. So it stays whole if anything of it has to stay, but for what is over and goes
    along with its series (R-9); what would have been put back waits for a person then. What is left alone of a rest
    that goes stands in our own event by then.
    """
    found: list[FoundDrift] = []
    changed: list[DriftChange] = list(_undone(ground))
    writes: list[WantedWrite] = []
    for copy in ground.case.copies:
        if copy.unreadable:
            changed += _left_to_people(ground, copy)
            continue
        mine = _news_or_known(ground, copy)
        rest = [one for one in verdicts if one.look.shown.copy_id == copy.remote_id]
        kept = any(one.keep for one in rest) and copy.remote_id not in rests_to_go(ground, rest)
        mine += _shown_in_vain(ground, copy, rest, mine) if kept else []
        judged = [*_judge_one(ground, mine), *_left_over(ground, copy, mine)]
        stays = _stays(ground, judged, kept=kept)
        if stays and not kept:
            mine += _shown_in_vain(ground, copy, rest, mine)
            judged = [*_judge_one(ground, mine), *_left_over(ground, copy, mine)]
        if stays:
            judged = [_flagged(one) for one in judged]
        if kept or stays:
            rest = []
        found += [one.found for one in judged if one.found is not None]
        changed += [one.change for one in judged if one.change is not None]
        write = _write(ground, copy, judged, rest)
        writes += [] if write is None else [write]
    return CopiesDecision(tuple(found), tuple(changed), tuple(writes))


def _stays(ground: Ground, judged: Sequence[_Judged], *, kept: bool) -> bool:
    """Tell whether a copy stays: for what is let be of it, or for what our event leaves to it (`kept`)."""
    if any(one.by_word for one in judged):
        return False
    left_alone = kept or any(one.stays for one in judged)
    return any(one.hers for one in judged) or (left_alone and ground.case.expected is not None)


def rest_of(ground: Ground, one: Look) -> str | None:
    """Return the remote id of the rest of a split that shows an occurrence, or that took it along when it went."""
    drift = one.drift
    if one.shown.copy_id is not None or drift is None or drift.kind is not DriftKind.SPLIT:
        return one.shown.copy_id
    stands = any(copy.remote_id == drift.copy_id for copy in ground.case.copies)
    return None if stands or not same_state(one.shown.own, None) else drift.copy_id


def rests_to_go(ground: Ground, verdicts: Sequence[Verdict]) -> frozenset[str]:
    """Return the rests of which something is put back into our own event: what is kept of them has to go there, too."""
    going = (rest_of(ground, one.look) for one in verdicts if one.reverts)
    return frozenset(one for one in going if one is not None)


def _left_to_people(ground: Ground, copy: Copy) -> Iterator[DriftChange]:
    """Flag what a copy showed that cannot be understood any more: to remove it would be to write blindly."""
    for drift in ground.case.drifts:
        mine = drift.resolution is Resolution.OPEN and drift.kind is DriftKind.DUPLICATED
        if mine and drift.copy_id == copy.remote_id and drift.disposition.reverts:
            yield DriftChange(drift.id, drift.observed, drift.kind, Disposition.FLAG)


def _news_or_known(ground: Ground, copy: Copy) -> list[Duplicate]:
    """Return what a copy shows; of one that was told of just as it is, only that.

    Which of our occurrences stands beside which of the copy's may read otherwise once ours change: no edit did that.
    """
    mine = [one for one in ground.view.duplicates if one.copy.remote_id == copy.remote_id]
    told = copy.told and any(
        drift.kind is DriftKind.DUPLICATED and drift.copy_id == copy.remote_id for drift in ground.case.drifts
    )
    return [one for one in mine if _on_books(ground, one) is not None] if told else mine


def _shown_in_vain(
    ground: Ground, copy: Copy, rest: Sequence[Verdict], mine: Sequence[Duplicate]
) -> Iterator[Duplicate]:
    """Yield what the rest of a split that stays shows, and the record does not want: nobody would be told of it.

    The record called a session off, or moved it, after the rest was made; or the rest repeats otherwise than we do.
    """
    looks = [one.look for one in rest if one.look.record in (Record.GONE, Record.CHANGED)]
    overtaken = [Duplicate(one.key, copy, one.shown.seen) for one in looks if one.shown.seen is not None]
    beyond = [one for one in ground.view.beyond if one.copy.remote_id == copy.remote_id]
    known = {one.original_start for one in mine}
    for one in (*overtaken, *beyond):
        if one.original_start not in known and not one.seen.cancelled:
            yield one


def _judge_one(ground: Ground, duplicates: Sequence[Duplicate]) -> list[_Judged]:
    phases = {one.original_start: _phase(ground, one.original_start, one.seen) for one in duplicates}
    mixed = len({phase is Phase.UPCOMING for phase in phases.values()}) == 2
    fights = any(
        phases[one.original_start] is Phase.UPCOMING
        and is_fight(ground.case, one.original_start, one.seen, now=ground.moment.now, policy=ground.policy)
        for one in duplicates
        if not one.copy.told and _on_books(ground, one) is None
    )
    return [
        _judge_occurrence(ground, one, phases[one.original_start], mixed=mixed, fights=fights)
        for one in sorted(duplicates, key=lambda one: sort_key(one.original_start))
    ]


def _left_over(ground: Ground, copy: Copy, duplicates: Sequence[Duplicate]) -> list[_Judged]:
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


def _judge_left(ground: Ground, copy: Copy, drift: Drift, *, nowhere: bool) -> _Judged:
    phase = _phase(ground, drift.original_start, drift.expected)
    disposition = standing_disposition(drift, phase, ground.policy)
    if drift.disposition in _FLAGS:
        # Nothing is agreed any more that could tell whose it is: a flag stays one.
        disposition = left_to_her(disposition)
    still = any(same_state(one, drift.observed) for one in keyed(copy.event, ground.moment.window).values())
    if still and drift.is_asked_back:
        since = ground.moment.now - ground.policy.settle
        return _Judged(drift.original_start, drift.disposition, since, drift=drift, by_word=True)
    stays = still and _has_to_stay(disposition, phase, drift.scope)
    if still or copy.event.is_series or not nowhere:
        return _Judged(drift.original_start, disposition, drift.changed_at, drift=drift, stays=stays)
    # It was dragged to where no session of ours lies: that is told as well, before anybody takes it away.
    change = DriftChange(drift.id, copy.event.master, drift.kind, disposition)
    return _Judged(drift.original_start, disposition, ground.moment.now, change=change, drift=drift)


def _judge_occurrence(ground: Ground, one: Duplicate, phase: Phase, *, mixed: bool, fights: bool) -> _Judged:
    drift, now = _on_books(ground, one), ground.moment.now
    hers = _is_her_own(ground, one)
    if drift is not None and drift.resolution is not Resolution.OPEN:
        # A person looked at this copy and let it be, or policy does.
        answered = drift.resolution is not Resolution.IGNORED
        return _Judged(one.original_start, Disposition.IGNORE, now, stays=answered, hers=hers and answered)
    disposition = disposition_of(DriftKind.DUPLICATED, phase, ground.policy)
    if hers or (fights and disposition.reverts):
        disposition = left_to_her(disposition)
    if drift is None and disposition in _ACTING and _was_put_back(ground, one):
        return _Judged(one.original_start, Disposition.REVERT, now - ground.policy.settle)
    if drift is None:
        ended = Resolution.IGNORED if disposition is Disposition.IGNORE else None
        found = _found(ground, one, phase, mixed, disposition, ended)
        stays = _has_to_stay(disposition, phase, found.scope)
        return _Judged(one.original_start, disposition, now, found=found, stays=stays, hers=hers)
    same = same_state(drift.observed, one.seen)
    if same and drift.is_asked_back:
        since = now - ground.policy.settle
        return _Judged(one.original_start, drift.disposition, since, drift=drift, by_word=True)
    if same:
        standing = standing_disposition(drift, phase, ground.policy)
        disposition = left_to_her(standing) if hers else standing
    change = DriftChange(drift.id, one.seen, drift.kind, disposition)
    told = same and disposition is drift.disposition
    return _Judged(
        one.original_start,
        disposition,
        drift.changed_at if same else now,
        change=None if told else change,
        drift=drift,
        stays=_has_to_stay(disposition, phase, drift.scope),
        hers=hers,
    )


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


def _found(
    ground: Ground,
    one: Duplicate,
    phase: Phase,
    mixed: bool,  # noqa: FBT001
    disposition: Disposition,
    ended: Resolution | None,
) -> FoundDrift:
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
        ended=ended,
        copy_id=one.copy.remote_id,
    )


def _undone(ground: Ground) -> Iterator[DriftChange]:
    """End the drifts of copies that somebody took away before their session; a later one stays open (R-11).

    Where a person said before that the copy is to go, that is answered: there is nothing left to do.
    """
    for drift in ground.case.drifts:
        mine = drift.resolution is Resolution.OPEN and drift.kind is DriftKind.DUPLICATED
        if not mine or drift.copy_id not in ground.case.gone_copies:
            continue
        phase = _phase(ground, drift.original_start, drift.expected)
        if drift.is_asked_back:
            yield DriftChange(drift.id, drift.observed, drift.kind, drift.disposition, Resolution.ACKNOWLEDGED)
        elif phase is Phase.UPCOMING:
            yield DriftChange(drift.id, None, drift.kind, drift.disposition, Resolution.WITHDRAWN)
        elif (holds_now := disposition_once_undone(drift, phase, ground.policy)) is not drift.disposition:
            yield DriftChange(drift.id, drift.observed, drift.kind, holds_now)


def _write(ground: Ground, copy: Copy, judged: Sequence[_Judged], rest: Sequence[Verdict]) -> WantedWrite | None:
    """Return the removal of a copy: at once where the session is cancelled, else when every edit is quiet."""
    reverted = [one for one in judged if one.goes]
    if not reverted and not rest:
        return None
    quiet = [one.quiet_since for one in reverted]
    quiet += [one.quiet_since for one in rest if one.reverts and one.quiet_since is not None]
    due = max([ground.moment.now, *(since + ground.policy.settle for since in quiet)])
    if reverted and ground.case.expected is None:
        due = ground.moment.now
    reverts = tuple(one.key for one in reverted)
    return WantedWrite(WriteKind.DELETE, copy.remote_id, None, copy.version, Cause.COPY, due, reverts)


def _flagged(one: _Judged) -> _Judged:
    """Leave to a person what would have been put back."""
    if not one.disposition.reverts:
        return one
    found = None if one.found is None else replace(one.found, disposition=Disposition.FLAG)
    change = one.change
    if one.drift is not None:
        unchanged = DriftChange(one.drift.id, one.drift.observed, one.drift.kind, one.drift.disposition)
        change = replace(change or unchanged, disposition=Disposition.FLAG)
    return replace(one, disposition=Disposition.FLAG, found=found, change=change)


def _has_to_stay(disposition: Disposition, phase: Phase, scope: Scope) -> bool:
    """Tell whether a flag keeps its copy; one about what is over and was copied with its series does not (R-9).

    So does what a practice that only observes would do.
    """
    return disposition in _LEFT_ALONE and (phase is Phase.UPCOMING or scope is Scope.OCCURRENCE)


def _on_books(ground: Ground, one: Duplicate) -> Drift | None:
    mine = [
        drift
        for drift in ground.case.drifts
        if drift.kind is DriftKind.DUPLICATED
        and (drift.original_start, drift.copy_id) == (one.original_start, one.copy.remote_id)
        and (drift.resolution is Resolution.OPEN or (drift.accepted and same_state(drift.observed, one.seen)))
    ]
    return mine[-1] if mine else None


def _phase(ground: Ground, key: OriginalStart, before: Appearance | None = None) -> Phase:
    slot = ground.case.slots.get(key)
    # By the record first: what was agreed may be an edit of our own event that was let be for now.
    shown = ground.expected.get(key) or ground.view.agreed.get(key) or before
    return phase_of(shown, ground.moment.now, claimed=slot is not None and slot.claimed)
