"""Events beside our own that carry our marker: a copy that a person made, or the rest of a series that they cut. Pure.

Our marker proves that the copy is ours to take away (I3), once what it showed is on the books; but a copy that a person
made into an event of her own, with a title and a time of its own, goes by her word only. What it shows is judged one by
one in `copy_shown`. Called by `decide` only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from calsync.domain.drift import Disposition, Drift, DriftKind, Phase, Resolution
from calsync.domain.write import Cause, WriteKind
from calsync.reconcile.case import Copy
from calsync.reconcile.copy_shown import Judged, flagged, judge_shown, on_books, phase_beside
from calsync.reconcile.disposition import (
    disposition_once_undone,
)
from calsync.reconcile.ground import Ground
from calsync.reconcile.judge import Verdict
from calsync.reconcile.looks import Look
from calsync.reconcile.plan import DriftChange, FoundDrift, WantedWrite
from calsync.reconcile.shown import Duplicate, same_state
from calsync.reconcile.table import Record


@dataclass(frozen=True, slots=True)
class CopiesDecision:
    """What to record about copies and which of them to take away."""

    found: tuple[FoundDrift, ...] = ()
    changed: tuple[DriftChange, ...] = ()
    writes: tuple[WantedWrite, ...] = ()


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
        judged, rest = _judge_copy(ground, copy, [one for one in verdicts if one.look.shown.copy_id == copy.remote_id])
        found += [one.found for one in judged if one.found is not None]
        changed += [one.change for one in judged if one.change is not None]
        write = _write(ground, copy, judged, rest)
        writes += [] if write is None else [write]
    return CopiesDecision(tuple(found), tuple(changed), tuple(writes))


def _judge_copy(ground: Ground, copy: Copy, rest: Sequence[Verdict]) -> tuple[list[Judged], Sequence[Verdict]]:
    """Judge all that a copy shows; `rest`, what of our series it goes on with, comes back where it goes with that."""
    shown = _news_or_known(ground, copy)
    judged = judge_shown(ground, copy, shown)
    going = rests_to_go(ground, rest) - rests_to_go_at_word(ground, rest)
    kept = any(one.keep for one in rest) and copy.remote_id not in going
    stays = not any(one.by_word for one in rest) and _stays(ground, judged, kept=kept)
    if kept or stays:
        # What it shows in vain is told as well: nobody else would tell of it.
        judged, rest = judge_shown(ground, copy, [*shown, *_shown_in_vain(ground, copy, rest, shown)]), ()
    return [flagged(one) for one in judged] if stays else judged, rest


def _stays(ground: Ground, judged: Sequence[Judged], *, kept: bool) -> bool:
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
    """Return the rests of which something is put back into our own event: what is kept of them has to go there, too.

    One that stays for what it shows besides keeps all of it, but at a person's word; and at a word about what it shows
    besides it goes as well.
    """
    back = [(rest_of(ground, one.look), one.by_word) for one in verdicts if one.reverts]
    at_word = {rest for rest, by_word in back if by_word} | rests_to_go_at_word(ground, verdicts)
    beside = (copy for copy in ground.case.copies if copy.remote_id not in at_word)
    staying = {copy.remote_id for copy in beside if _stays_on_its_own(ground, copy)}
    return frozenset(rest for rest in (*at_word, *(rest for rest, _ in back)) if rest is not None) - staying


def rests_to_go_at_word(ground: Ground, verdicts: Sequence[Verdict]) -> set[str | None]:
    """Return the rests that go at a word about what they show besides, with what is let be of them."""
    rests = {one.look.shown.copy_id for one in verdicts if one.keep}
    beside = (copy for copy in ground.case.copies if copy.remote_id in rests)
    shown = ((copy, judge_shown(ground, copy, _news_or_known(ground, copy))) for copy in beside)
    return {copy.remote_id for copy, judged in shown if any(one.by_word for one in judged)}


def _stays_on_its_own(ground: Ground, copy: Copy) -> bool:
    return _stays(ground, judge_shown(ground, copy, _news_or_known(ground, copy)), kept=False)


def _left_to_people(ground: Ground, copy: Copy) -> Iterator[DriftChange]:
    """Flag what a copy showed that cannot be understood any more: to remove it would be to write blindly."""
    for drift in ground.case.drifts:
        if _is_open_copy(drift) and drift.copy_id == copy.remote_id and drift.disposition.reverts:
            yield DriftChange(drift.id, drift.observed, drift.kind, Disposition.FLAG)


def _news_or_known(ground: Ground, copy: Copy) -> list[Duplicate]:
    """Return what a copy shows; of one that was told of just as it is, only that.

    Which of our occurrences stands beside which of the copy's may read otherwise once ours change: no edit did that.
    But what our own event shows again, and the rest of a split went on with, is double from then on.
    """
    mine = [one for one in ground.view.duplicates if one.copy.remote_id == copy.remote_id]
    told = copy.told and any(
        drift.kind is DriftKind.DUPLICATED and drift.copy_id == copy.remote_id for drift in ground.case.drifts
    )
    return [one for one in mine if on_books(ground, one) is not None or _was_cut_off(ground, one)] if told else mine


def _was_cut_off(ground: Ground, one: Duplicate) -> bool:
    """Whether it is on the books as a session that the rest of a split went on with."""
    return any(
        drift.kind is DriftKind.SPLIT
        and (drift.original_start, drift.copy_id) == (one.original_start, one.copy.remote_id)
        and same_state(drift.observed, one.seen)
        for drift in ground.case.drifts
    )


def _shown_in_vain(
    ground: Ground, copy: Copy, rest: Sequence[Verdict], mine: Sequence[Duplicate]
) -> Iterator[Duplicate]:
    """Yield what the rest of a split that stays shows, and the record does not want: nobody would be told of it.

    The record called a session off, or moved it, after the rest was made; or it is put back in our own event all the
    same; or the rest repeats otherwise than we do.
    """
    looks = [one.look for one in rest if one.reverts or one.look.record in (Record.GONE, Record.CHANGED)]
    overtaken = [Duplicate(one.key, copy, one.shown.seen) for one in looks if one.shown.seen is not None]
    told = {one.original_start for one in mine}
    for one in (*overtaken, *_beyond(ground, copy)):
        if one.original_start not in told and not one.seen.cancelled:
            told.add(one.original_start)
            yield one


def _beyond(ground: Ground, copy: Copy) -> Iterator[Duplicate]:
    """Yield what lies near no session of ours; of one that was called off since it may be on the books already."""
    known = [one.observed for one in ground.case.drifts if one.copy_id == copy.remote_id and _is_open_copy(one)]
    for one in ground.view.beyond:
        if one.copy.remote_id == copy.remote_id and not any(same_state(one.seen, before) for before in known):
            yield one


def _is_open_copy(drift: Drift) -> bool:
    return drift.resolution is Resolution.OPEN and drift.kind is DriftKind.DUPLICATED


def _undone(ground: Ground) -> Iterator[DriftChange]:
    """End the drifts of copies that somebody took away before their session; a later one stays open (R-11).

    Where a person said before that the copy is to go, that is answered: there is nothing left to do.
    """
    for drift in ground.case.drifts:
        if not _is_open_copy(drift) or drift.copy_id not in ground.case.gone_copies:
            continue
        phase = phase_beside(ground, drift.original_start, drift.expected)
        if drift.is_asked_back:
            yield DriftChange(drift.id, drift.observed, drift.kind, drift.disposition, Resolution.ACKNOWLEDGED)
        elif phase is Phase.UPCOMING:
            yield DriftChange(drift.id, None, drift.kind, drift.disposition, Resolution.WITHDRAWN)
        elif (holds_now := disposition_once_undone(drift, phase, ground.policy)) is not drift.disposition:
            yield DriftChange(drift.id, drift.observed, drift.kind, holds_now)


def _write(ground: Ground, copy: Copy, judged: Sequence[Judged], rest: Sequence[Verdict]) -> WantedWrite | None:
    """Return the removal of a copy: at once where the session is cancelled, else when every edit is quiet."""
    reverted = [one for one in judged if one.goes]
    if not reverted and not rest:
        return None
    quiet = [one.quiet_since for one in reverted]
    quiet += [one.quiet_since for one in rest if one.reverts and one.quiet_since is not None]
    due = max([ground.moment.now, *(since + ground.policy.settle for since in quiet)])
    if ground.case.expected is None:
        due = ground.moment.now
    reverts = tuple(one.key for one in reverted)
    return WantedWrite(WriteKind.DELETE, copy.remote_id, None, copy.version, Cause.COPY, due, reverts)
