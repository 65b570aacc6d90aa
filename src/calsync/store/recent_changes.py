"""Which links vanished or changed as a whole, told from their drifts (R-13). Pure; used by `link_drifts`."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from calsync.domain.drift import COSMETIC, Drift, DriftKind, Phase
from calsync.reconcile.case import RecentChange

# A copy with our marker says nothing about the event itself.
NOT_COUNTED = sorted(kind.value for kind in (*COSMETIC, DriftKind.DUPLICATED))


def recent_changes(known: Iterable[Drift]) -> list[RecentChange]:
    """One for each link among the drifts, which are sorted by link."""
    return [_change(link, list(drifts)) for link, drifts in groupby(known, key=lambda drift: drift.link)]


def _change(link: str, drifts: list[Drift]) -> RecentChange:
    gone = [drift for drift in drifts if drift.observed is None]
    starts = {
        drift.expected.span.start_at for drift in gone if drift.expected is not None and drift.phase is Phase.UPCOMING
    }
    return RecentChange(link, vanished=bool(gone), starts=tuple(sorted(starts)))
