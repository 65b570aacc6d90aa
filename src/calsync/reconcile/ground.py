"""What deciding stands on: which event was agreed, which is there, and how we know. Pure; called by `decide` only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from calsync.domain.drift import NOTES, Drift, DriftKind, Resolution
from calsync.domain.event import Appearance, Event, OriginalStart
from calsync.domain.notation import content_hash
from calsync.reconcile.case import ConfirmedAbsent, DecisionPolicy, LinkCase, Moment, SeenNow, SentWrite
from calsync.reconcile.compare import differences, standing, view
from calsync.reconcile.hers import is_wholly_her_own
from calsync.reconcile.shown import NOTHING_TOLD, Told, View, same_state


@dataclass(frozen=True, slots=True)
class Ground:
    """One link's case, made ready: `agreed` is the baseline to measure both sides against.

    `observed` is the event as far as known, None when it is not there. `arrived` is a write of ours that turned out to
    have taken effect. `first_seen`: the books have no baseline, and yet an event of ours is there. `looked`: read now.
    `single`: the record wants one occurrence, which goes by None. `hers`: the record wants nothing, and our event is a
    person's own by now, all of it.
    """

    case: LinkCase
    moment: Moment
    policy: DecisionPolicy
    agreed: Event | None
    observed: Event | None
    view: View
    expected: Mapping[OriginalStart, Appearance]
    before: Mapping[OriginalStart, Appearance | None]
    arrived: SentWrite | None = None
    first_seen: bool = False
    looked: bool = False
    single: bool = True
    hers: bool = False

    @property
    def elsewhere(self) -> str | None:
        """Where else in the account the event was found, if it left this calendar."""
        return self.case.sight.elsewhere if isinstance(self.case.sight, ConfirmedAbsent) else None

    @property
    def version(self) -> str | None:
        """The version that a write has to be conditional on."""
        return self.case.sight.version if isinstance(self.case.sight, SeenNow) else self.case.link.version

    def arrived_state(self, key: OriginalStart) -> Appearance | None:
        """Return what our arrived write put at an occurrence."""
        if self.arrived is None or self.arrived.event is None:
            return None
        return standing(self.arrived.event, self.moment.window, single=self.single).get(key)


def survey(case: LinkCase, moment: Moment, policy: DecisionPolicy) -> Ground:
    """Find out what was agreed and what is there."""
    looked = isinstance(case.sight, SeenNow | ConfirmedAbsent)
    known = _last_known(case)
    observed = case.sight.event if isinstance(case.sight, SeenNow) else None if looked else known
    arrived = _arrived(case, moment)
    agreed = arrived.event if arrived is not None else case.link.baseline
    first_seen = agreed is None and observed is not None
    if agreed is None and observed is not None:
        agreed = _presumed(case, observed)
    single = _is_single(case)
    told = _told(case, moment)
    seen = view(agreed, observed, window=moment.window, copies=case.copies, told=told, single=single)
    before = seen if known is observed else view(agreed, known, window=moment.window, told=told, single=single)
    return Ground(
        case=case,
        moment=moment,
        policy=policy,
        agreed=agreed,
        observed=observed,
        view=seen,
        expected=_wanted(case, agreed, seen, moment),
        before={key: shown.own for key, shown in before.shown.items()},
        arrived=arrived,
        first_seen=first_seen,
        looked=looked,
        single=single,
        hers=case.expected is None and observed is not None and is_wholly_her_own(observed, (agreed,)),
    )


def without_renaming(case: LinkCase) -> LinkCase:
    """Return the case with a copy taken for the link's event, if its own is gone: the same event under another name.

    A copy that a person let be is none that could: it stays beside, whatever becomes of our own event. Nor does any
    take the place of an event whose record is cancelled, or one that a person made into an event of her own.
    """
    let_be = _copies_let_be(case)
    ours = (case.link.baseline, case.link.observed, case.expected)
    able = [copy for copy in case.copies if copy.remote_id not in let_be and not is_wholly_her_own(copy.event, ours)]
    if not isinstance(case.sight, ConfirmedAbsent) or not able or case.expected is None:
        return case
    first = min(able, key=lambda one: (one.event.master.span.start_at, one.remote_id))
    link = replace(case.link, remote_id=first.remote_id, version=first.version)
    if first.told:
        # What it shows was recorded when it was a copy.
        link = replace(link, observed=first.event, absent=False)
    return replace(
        case,
        link=link,
        sight=SeenNow(first.version, first.event, first.marker),
        copies=tuple(copy for copy in case.copies if copy is not first),
        gone_copies=case.gone_copies | {first.remote_id},
    )


def _copies_let_be(case: LinkCase) -> frozenset[str | None]:
    told = [drift for drift in case.drifts if drift.kind is DriftKind.DUPLICATED]
    waiting = {drift.copy_id for drift in told if drift.resolution is Resolution.OPEN}
    return frozenset(drift.copy_id for drift in told if drift.accepted) - waiting


def open_drifts(case: LinkCase) -> dict[OriginalStart, Drift]:
    """Return the open drift of each occurrence, but for those about a copy beside our own event."""
    return {
        drift.original_start: drift
        for drift in case.drifts
        if drift.resolution is Resolution.OPEN and drift.kind is not DriftKind.DUPLICATED
    }


def accepted_drifts(case: LinkCase) -> dict[OriginalStart, Drift]:
    """Return the answered drift of each occurrence whose seen state is the accepted one (R-10).

    What is noted of the event as a whole accepts nothing of what its occurrences show.
    """
    return {
        drift.original_start: drift
        for drift in case.drifts
        if drift.resolution is not Resolution.OPEN
        and drift.kind not in (DriftKind.DUPLICATED, *NOTES)
        and (drift.accepted or drift.resolution is Resolution.IGNORED)
    }


def marker_is_lost(ground: Ground) -> bool:
    """Tell whether our event has come without its marker and that is news."""
    link, sight = ground.case.link, ground.case.sight
    if (
        not isinstance(sight, SeenNow)
        or sight.marker is not None
        or link.baseline is None
        or ground.arrived is not None
    ):
        return False
    told = (drift for drift in ground.case.drifts if drift.kind is DriftKind.MARKER_LOST)
    return not any(link.confirmed_at is None or drift.detected_at >= link.confirmed_at for drift in told)


def _told(case: LinkCase, moment: Moment) -> Told:
    """Return what the drifts that stand say of our event and of what is beside it."""
    if not case.drifts:
        return NOTHING_TOLD
    extra: dict[str, dict[OriginalStart, Appearance | None]] = {}
    for one in case.drifts:
        if one.kind is DriftKind.DUPLICATED and one.copy_id:
            extra.setdefault(one.copy_id, {})[one.original_start] = one.observed
    beside = frozenset(extra)
    standing_ones = {**accepted_drifts(case), **open_drifts(case)}
    added = {key: one.observed for key, one in standing_ones.items() if one.expected is None}
    split = [(one.copy_id, one) for one in standing_ones.values() if one.kind is DriftKind.SPLIT and one.copy_id]
    if not split or case.expected is None:
        return Told({}, beside, added, extra)
    wanted = standing(case.expected, moment.window, single=_is_single(case))
    rests: dict[str, dict[OriginalStart, Appearance | None]] = {}
    for copy_id, one in split:
        if one.original_start in wanted:
            rests.setdefault(copy_id, {})[one.original_start] = one.observed
    return Told(rests, beside - rests.keys(), added, extra)


def _wanted(case: LinkCase, agreed: Event | None, seen: View, moment: Moment) -> Mapping[OriginalStart, Appearance]:
    if case.expected is None:
        return {}
    if case.expected == agreed:
        return seen.agreed
    return standing(case.expected, moment.window, single=_is_single(case))


def _is_single(case: LinkCase) -> bool:
    event = case.expected or case.link.baseline
    return event is None or not event.is_series


def _last_known(case: LinkCase) -> Event | None:
    if case.link.absent:
        return None
    return case.link.observed if case.link.observed is not None else case.link.baseline


def _presumed(case: LinkCase, observed: Event) -> Event:
    """Return what must have been agreed, where the books were lost: the marker knows what we wrote."""
    marker = case.sight.marker if isinstance(case.sight, SeenNow) else None
    untouched = marker is not None and marker.content == content_hash(observed)
    # Written by us for an older state of the record, and left alone since: simply ours. Otherwise whatever differs from
    # the record may be an edit, and is recorded before anything is written over it.
    return observed if untouched or case.expected is None else case.expected


def _arrived(case: LinkCase, moment: Moment) -> SentWrite | None:
    """Return the write of ours that took effect though its answer never came, the latest if there are several."""
    sight = case.sight
    for sent in reversed(case.sent):
        if isinstance(sight, ConfirmedAbsent) and sent.event is None and not sent.given_up:
            return sent
        if isinstance(sight, SeenNow) and sent.event is not None and _proves(case, sight, sent, sent.event, moment):
            return sent
    return None


def _proves(case: LinkCase, sight: SeenNow, sent: SentWrite, target: Event, moment: Moment) -> bool:
    marked = sight.marker is not None and sight.marker.content == sent.content
    if sent.given_up:
        # A later write may have carried the same: only what stands there just as it went out is that one. Where none
        # was ever confirmed, there was no other.
        as_it_went_out = content_hash(sight.event) == sent.content or case.link.baseline is None
        return marked and as_it_went_out and sent.content != case.link.baseline_hash
    if sent.content != case.link.baseline_hash and sight.marker is not None:
        # Nobody else can sign: what differs from it was edited on top, and what bears our last one is not this.
        return marked
    # A revert writes what the marker said before: then only the sight of what it put back proves that it arrived.
    drifts = [d for key, d in open_drifts(case).items() if d.disposition.reverts or key in sent.restores]
    if marked and drifts:
        single = _is_single(case)
        shown = view(target, sight.event, window=moment.window, single=single).shown
        wrote = standing(target, moment.window, single=single)
        return all(
            drift.original_start in shown
            and same_state(shown[drift.original_start].own, wrote.get(drift.original_start))
            for drift in drifts
        )
    guarded = (
        difference
        for difference in differences(target, sight.event, window=moment.window)
        if not same_state(difference.expected, difference.observed)
    )
    return next(guarded, None) is None
