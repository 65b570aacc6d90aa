"""What is noted of an event as a whole: that it lost its marker, and that somebody made it public. Pure.

Each is told once, and nobody is asked. Our next write marks an event again; one that was made public is written at
once, but is not fought over (I5, I8). Called by `decide` only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from calsync.domain.drift import Disposition, DriftKind, Resolution
from calsync.reconcile.disposition import disposition_of, standing_disposition
from calsync.reconcile.ground import Ground, marker_is_lost
from calsync.reconcile.judge import Verdict
from calsync.reconcile.looks import Look
from calsync.reconcile.plan import FoundDrift


@dataclass(frozen=True, slots=True)
class Notes:
    """What is new, and whether the event is to be made private again."""

    found: tuple[FoundDrift, ...] = ()
    private: bool = False


def take_notes(ground: Ground, verdicts: Sequence[Verdict]) -> Notes:
    """Note what is news of the event; an occurrence that nothing else was found of stands for it."""
    quiet = (one.look for one in verdicts if one.found is None and one.look.shown.own is not None)
    one: Look | None = next(quiet, None)
    if one is None:
        return Notes()
    found = []
    if marker_is_lost(ground):
        found.append(_note(one, DriftKind.MARKER_LOST, disposition_of(DriftKind.MARKER_LOST, one.phase, ground.policy)))
    if not is_exposed(ground):
        return Notes(tuple(found))
    is_news, wanted = _about_exposure(ground, one)
    if is_news:
        found.append(_note(one, DriftKind.MADE_PUBLIC, wanted))
    return Notes(tuple(found), private=wanted.reverts)


def is_exposed(ground: Ground) -> bool:
    """Tell whether our event can be read by all who may see the calendar, and was not made so by our own write."""
    if ground.case.expected is None or ground.observed is None or not ground.observed.public:
        return False
    return ground.agreed is None or not ground.agreed.public


def _about_exposure(ground: Ground, one: Look) -> tuple[bool, Disposition]:
    """Tell whether that it is public is news, and what becomes of it.

    Where it was made private of late and is public again, somebody or something means it: that is told, and left.
    """
    written_at = ground.case.link.confirmed_at
    told = [drift for drift in ground.case.drifts if drift.kind is DriftKind.MADE_PUBLIC]
    last = max(told, key=lambda drift: drift.detected_at, default=None)
    if last is not None and (written_at is None or last.detected_at >= written_at):
        return False, standing_disposition(last, one.phase, ground.policy)
    wanted = disposition_of(DriftKind.MADE_PUBLIC, one.phase, ground.policy)
    insists = last is not None and ground.moment.now - last.detected_at < ground.policy.revert_limit_period
    return True, Disposition.FLAG if insists and wanted.reverts else wanted


def _note(one: Look, kind: DriftKind, disposition: Disposition) -> FoundDrift:
    return FoundDrift(
        original_start=one.key,
        appointment=None,
        kind=kind,
        phase=one.phase,
        expected=one.reference,
        observed=one.shown.seen,
        scope=one.scope,
        mixed=False,
        disposition=disposition,
        # There is nothing to answer: whatever policy says, noting it is all there is to do.
        ended=Resolution.IGNORED,
    )
