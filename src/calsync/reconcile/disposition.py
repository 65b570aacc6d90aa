"""Where it is decided whether an edit is ignored, put back or flagged: kind × phase, by the practice's policy. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from calsync.domain.drift import COSMETIC, Disposition, Drift, DriftKind, Phase, Resolution
from calsync.domain.event import Appearance
from calsync.reconcile.case import DecisionPolicy

Dispositions = Mapping[tuple[DriftKind, Phase], Disposition]

# What people answered about an event that stands as it was written. Their answer is theirs: we never write one.
ANSWERS_TO_INVITATIONS = frozenset({DriftKind.DECLINED, DriftKind.NEW_TIME_PROPOSED})
# Policy cannot have these put back: an event that cannot be read, and what no write of ours would change.
NOT_OURS_TO_UNDO = ANSWERS_TO_INVITATIONS | {DriftKind.UNREADABLE}


def _default(kind: DriftKind, phase: Phase) -> Disposition:
    if kind is DriftKind.MADE_PUBLIC:
        # Who may read an event is no evidence of when it was, and is the practice's to say (I8).
        return Disposition.REVERT
    if kind in COSMETIC:
        return Disposition.IGNORE
    if kind in NOT_OURS_TO_UNDO or phase is not Phase.UPCOMING:
        # After the start an edit may be evidence of when the session really was: nothing is written.
        return Disposition.FLAG
    return Disposition.REVERT


# What a practice gets that says nothing: guarded and upcoming -> revert, later -> flag, cosmetic -> ignore; made public
# -> revert.
DEFAULT_DISPOSITIONS: Dispositions = {(kind, phase): _default(kind, phase) for kind in DriftKind for phase in Phase}

_WOULD = {
    Disposition.REVERT: Disposition.WOULD_REVERT,
    Disposition.REVERT_AND_FLAG: Disposition.WOULD_REVERT,
    Disposition.FLAG: Disposition.WOULD_FLAG,
}


def disposition_of(kind: DriftKind, phase: Phase, policy: DecisionPolicy) -> Disposition:
    """Return what the practice does with such an edit; in observe mode what it would do (R-15)."""
    wanted = policy.dispositions[kind, phase]
    if wanted.reverts and kind in NOT_OURS_TO_UNDO:
        wanted = Disposition.FLAG
    return _WOULD.get(wanted, wanted) if policy.observe_only else wanted


def standing_disposition(drift: Drift, phase: Phase, policy: DecisionPolicy) -> Disposition:
    """Return what holds for an open drift that still shows: what was decided, unless the world moved on.

    An edit that could not be put back before the session began is evidence from then on, and is flagged. A change
    between observing and acting takes hold of what is open, once.
    """
    observed_only = drift.disposition in (Disposition.WOULD_REVERT, Disposition.WOULD_FLAG)
    if observed_only != policy.observe_only:
        return disposition_of(drift.kind, phase, policy)
    if drift.disposition.reverts and phase is not Phase.UPCOMING:
        later = disposition_of(drift.kind, phase, policy)
        return later if later.reverts else Disposition.FLAG
    return drift.disposition


def disposition_once_undone(drift: Drift, phase: Phase, policy: DecisionPolicy) -> Disposition:
    """Return what holds for an open drift of a session that has begun, once somebody undid it: it stays as evidence.

    There is nothing left to put back, so that what policy would put back waits for a person's answer.
    """
    holds_now = standing_disposition(drift, phase, policy)
    return Disposition.FLAG if holds_now.reverts else holds_now


def phase_of(shown: Appearance | None, now: datetime, *, claimed: bool) -> Phase:
    """Return where an occurrence stands at `now` (aware UTC); `shown` is what was expected of it."""
    if claimed:
        return Phase.CLAIMED
    if shown is None or now < shown.span.start_at:
        return Phase.UPCOMING
    return Phase.STARTED if now < shown.span.end_at else Phase.PAST


def overtaken_as(expected: Appearance | None, phase: Phase, now: datetime, *, guarded: bool) -> Resolution:
    """Return what becomes of an edit that a change of the record is written over.

    A session that was over, and by its record still is, is over: the record's change, be it by minutes, does not say
    what the edit meant. So it counts as put back, and waits for its answer.
    """
    past = phase is not Phase.UPCOMING and expected is not None
    asks = guarded and past and phase_of(expected, now, claimed=False) is not Phase.UPCOMING
    return Resolution.REVERTED if asks else Resolution.SUPERSEDED
