"""One occurrence after the other: what became of it, and what that calls for. Pure; called by `decide` only.

First every occurrence is looked at on its own (`look`), then those that belong to one edit are judged together
(`judge`), since an edit is put back or left as a whole (R-9, R-12).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from calsync.domain.drift import COSMETIC, Disposition, Drift, DriftKind, Phase, Resolution, Scope
from calsync.domain.event import Appearance, OriginalStart
from calsync.reconcile.brakes import is_fight
from calsync.reconcile.compare import Shown, same_state, shown_kind, sort_key
from calsync.reconcile.disposition import (
    disposition_of,
    disposition_once_undone,
    overtaken_as,
    phase_of,
    standing_disposition,
)
from calsync.reconcile.ground import Ground, accepted_drifts, open_drifts
from calsync.reconcile.level import Level
from calsync.reconcile.plan import DriftChange, FoundDrift
from calsync.reconcile.table import TABLE, Calendar, Do, Record


class Story(StrEnum):
    """What happened to an occurrence, seen from its drifts."""

    PLAIN = "plain"  # no drift is open and none is found; the table says what to do
    FOUND = "found"  # a new edit
    STILL = "still"  # an open edit, as it was
    OTHER = "other"  # an open edit, changed again
    BACK = "back"  # an open edit that somebody undid
    OVERTAKEN = "overtaken"  # an open edit, and the record itself changed since


@dataclass(frozen=True, slots=True)
class Look:
    """One occurrence, looked at. `reference` is what it is measured against, `kind` how it differs from that."""

    key: OriginalStart
    story: Story
    record: Record
    calendar: Calendar
    reference: Appearance | None
    expected: Appearance | None
    shown: Shown
    phase: Phase
    kind: DriftKind | None = None
    drift: Drift | None = None  # the open one
    answered: bool = False  # what is seen was accepted: leave it
    known: bool = False  # what is seen was recorded before
    put_back: Drift | None = None  # our own write had undone this one before

    @property
    def of_series(self) -> bool:
        """Whether the series was edited, and not this occurrence on its own."""
        return self.shown.level is Level.MASTER and self.key is not None

    @property
    def scope(self) -> Scope:
        """Whether a drift here concerns the series or the occurrence."""
        return Scope.SERIES if self.of_series else Scope.OCCURRENCE


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be done about one occurrence. `keep`: our event stays here as it is now.

    `reverts`: a write puts an edit back here that is quiet since `quiet_since`. `along`: it goes back with its series,
    while its drift stays open (R-9).
    """

    look: Look
    keep: bool = False
    reverts: bool = False
    along: bool = False
    quiet_since: datetime | None = None
    found: FoundDrift | None = None
    changes: tuple[DriftChange, ...] = ()


def look(ground: Ground) -> list[Look]:
    """Look at every occurrence that concerns the window, in order of original start."""
    drifts, accepted = open_drifts(ground.case), accepted_drifts(ground.case)
    keys = {*ground.view.agreed, *ground.view.shown, *ground.expected}
    keys |= {key for key, drift in drifts.items() if ground.case.expected is None or _concerns(ground, drift)}
    return [_look_at(ground, key, drifts.get(key), accepted.get(key)) for key in sorted(keys, key=sort_key)]


def judge(ground: Ground, looks: Sequence[Look]) -> list[Verdict]:
    """Judge occurrences; those that one edit touched together are put back or left together."""
    dispositions = _dispositions(ground, looks)
    restoring = any(one.of_series and dispositions[one.key].reverts for one in looks if one.key in dispositions)
    phases = {
        one.phase is Phase.UPCOMING for one in looks if one.key in dispositions and _guards(one) and one.of_series
    }
    return [
        _verdict(ground, one, dispositions.get(one.key), restoring=restoring, mixed=len(phases) == 2) for one in looks
    ]


def _look_at(ground: Ground, key: OriginalStart, drift: Drift | None, accepted: Drift | None) -> Look:
    shown = ground.view.shown.get(key, Shown(None, None))
    expected, agreed = ground.expected.get(key), ground.view.agreed.get(key)
    put_back = drift if drift is not None and _was_put_back(ground, key, drift, expected) else None
    if put_back is not None:
        drift = None
    reference, answered = agreed, False
    if drift is not None:
        reference = drift.expected
    elif accepted is not None and not _is_overwritten(ground, accepted, agreed):
        # The answer holds as long as the record says what it said then.
        answered = same_state(accepted.expected, expected)
        # A record that has come to say what is seen is not an answer any more, but what both sides agree on.
        if answered or (same_state(accepted.observed, shown.seen) and not same_state(expected, shown.own)):
            reference = accepted.observed
    let_be = answered and accepted is not None and _is_still_rest(accepted, shown)
    kind = shown_kind(reference, replace(shown, copy_id=None) if let_be else shown, elsewhere=ground.elsewhere)
    record = Record.SAME if answered else _record_side(reference, expected)
    calendar = _calendar_side(reference, expected, shown, kind)
    return Look(
        key=key,
        story=_story(ground, (key, drift), sides=(record, calendar), shown=shown, kind=kind),
        record=record,
        calendar=calendar,
        reference=reference,
        expected=expected,
        shown=shown,
        phase=_phase(ground, key, reference or expected or shown.seen or (drift.observed if drift else None)),
        kind=kind,
        drift=drift,
        answered=answered,
        known=_is_known(ground, key, shown),
        put_back=put_back,
    )


def _is_known(ground: Ground, key: OriginalStart, shown: Shown) -> bool:
    """Tell whether what is seen was recorded before: in our own event, and in the rest of a split beside it."""
    if shown.copy_id is None:
        return key in ground.before and _same_look(ground.before[key], shown.seen)
    told = (one.told for one in ground.case.copies if one.remote_id == shown.copy_id)
    return any(told) and _same_look(ground.before.get(key), shown.own)


def _is_overwritten(ground: Ground, accepted: Drift, agreed: Appearance | None) -> bool:
    """Tell whether a later write of ours ended an answer: what shows now, be it the same again, is another edit."""
    confirmed_at, answered_at = ground.case.link.confirmed_at, accepted.resolved_at
    later = confirmed_at is not None and answered_at is not None and confirmed_at > answered_at
    # A write that was under way when the answer was given counts as well, once it turns out to have arrived.
    later = later or ground.arrived is not None
    # Where it was the rest of a split that was let be, our own event goes on without it until it takes it over.
    without = _is_of_rest(accepted) and same_state(agreed, None)
    return later and not without and not same_state(agreed, accepted.observed)


def _is_of_rest(drift: Drift) -> bool:
    return drift.kind is DriftKind.SPLIT and drift.copy_id is not None


def _is_still_rest(accepted: Drift, shown: Shown) -> bool:
    """Tell whether the rest of a split that a person let be shows an occurrence as it did then."""
    return _is_of_rest(accepted) and accepted.copy_id == shown.copy_id and same_state(accepted.observed, shown.seen)


def _concerns(ground: Ground, drift: Drift) -> bool:
    """Tell whether an open drift lies inside the window, whether or not anything shows there now."""
    window = ground.moment.window
    return any(one is not None and window.touches(one.span) for one in (drift.expected, drift.observed))


def _was_put_back(ground: Ground, key: OriginalStart, drift: Drift, expected: Appearance | None) -> bool:
    """Tell whether our write, whose answer was lost, had undone this edit: then what shows now is another story."""
    if ground.arrived is None or not (drift.disposition.reverts or key in ground.arrived.restores):
        return False
    wrote = ground.arrived_state(key)
    return same_state(wrote, expected) and not same_state(wrote, drift.observed)


def _record_side(reference: Appearance | None, expected: Appearance | None) -> Record:
    if same_state(reference, expected):
        return Record.SAME
    if expected is None:
        return Record.GONE
    return Record.NEW if reference is None or reference.cancelled else Record.CHANGED


def _calendar_side(
    reference: Appearance | None, expected: Appearance | None, shown: Shown, kind: DriftKind | None
) -> Calendar:
    if kind is None:
        return Calendar.SAME
    if kind in COSMETIC:
        return Calendar.COSMETIC
    as_recorded = shown.copy_id is None and same_state(shown.seen, expected) and not same_state(shown.seen, reference)
    return Calendar.AS_RECORDED if as_recorded else Calendar.EDITED


def _story(
    ground: Ground,
    told: tuple[OriginalStart, Drift | None],
    *,
    sides: tuple[Record, Calendar],
    shown: Shown,
    kind: DriftKind | None,
) -> Story:
    key, drift = told
    if drift is None:
        return Story.PLAIN if TABLE[sides].do in _NO_DRIFT else Story.FOUND
    if sides[0] is not Record.SAME:
        # The record was changed after the edit was seen: whatever the calendar shows, the record speaks last.
        return Story.OVERTAKEN
    hidden = shown.copy_id is None and (shown.own is None or shown.own.cancelled)
    if _is_of_rest(drift) and hidden and not (_stood_until_now(ground, key, shown) or _rest_is_news(ground, drift)):
        # The rest of a split was not mentioned this time; not being mentioned is no news.
        return Story.STILL
    if kind is None:
        return Story.BACK
    if shown.copy_id is not None and not (_is_of_rest(drift) and drift.copy_id == shown.copy_id):
        # It may stand at the same time as before, but it was cut off since, or cut off once more.
        return Story.OTHER
    same = same_state(shown.seen, drift.observed) and drift.kind is not DriftKind.UNREADABLE
    return Story.STILL if same and (_is_time(kind) or kind is drift.kind) else Story.OTHER


def _stood_until_now(ground: Ground, key: OriginalStart, shown: Shown) -> bool:
    """Tell whether our own event showed an occurrence, after it was cut off as well, and shows it no more."""
    return not same_state(ground.before.get(key), shown.own)


def _rest_is_news(ground: Ground, drift: Drift) -> bool:
    """Tell whether the rest of a split was taken away, or shows something else than what was recorded of it."""
    edited = {one.remote_id for one in ground.case.copies if not one.told}
    return drift.copy_id in ground.case.gone_copies | edited


_NO_DRIFT = frozenset({Do.NOTHING, Do.PUSH, Do.CREATE, Do.REMOVE, Do.ADOPT})


def _is_time(kind: DriftKind) -> bool:
    return kind not in COSMETIC and kind not in (DriftKind.DECLINED, DriftKind.NEW_TIME_PROPOSED)


def _guards(one: Look) -> bool:
    return one.kind is not None and _is_time(one.kind)


def _phase(ground: Ground, key: OriginalStart, shown: Appearance | None) -> Phase:
    slot = ground.case.slots.get(key)
    return phase_of(shown, ground.moment.now, claimed=slot is not None and slot.claimed)


def _same_look(one: Appearance | None, other: Appearance | None) -> bool:
    if one is None or other is None:
        return one is other
    return same_state(one, other) and (one.title, one.busy, one.answer, one.proposed) == (
        other.title,
        other.busy,
        other.answer,
        other.proposed,
    )


def _dispositions(ground: Ground, looks: Sequence[Look]) -> dict[OriginalStart, Disposition]:
    """Return what becomes of each standing edit; a fight about one of them blocks the whole edit (R-12)."""
    fresh: dict[OriginalStart, Disposition] = {}
    standing: dict[OriginalStart, Disposition] = {}
    fights = False
    for one in looks:
        if one.story is Story.STILL and one.drift is not None:
            standing[one.key] = standing_disposition(one.drift, one.phase, ground.policy)
        elif one.story in (Story.FOUND, Story.OTHER) and one.kind is not None and one.record is not Record.CHANGED:
            fresh[one.key] = disposition_of(one.kind, one.phase, ground.policy)
            fights = fights or (fresh[one.key].reverts and _is_insisted_on(ground, one))
    if fights:
        fresh = {key: Disposition.FLAG if wanted.reverts else wanted for key, wanted in fresh.items()}
    return standing | fresh


def _is_insisted_on(ground: Ground, one: Look) -> bool:
    again = one.put_back is not None and same_state(one.put_back.observed, one.shown.seen)
    return again or is_fight(ground.case, one.key, one.shown.seen, now=ground.moment.now, policy=ground.policy)


def _verdict(ground: Ground, one: Look, disposition: Disposition | None, *, restoring: bool, mixed: bool) -> Verdict:
    undone = () if one.put_back is None else (_change(one.put_back, one.put_back.observed, Resolution.REVERTED),)
    match one.story:
        case Story.PLAIN:
            return Verdict(one, keep=one.answered, changes=undone, found=_put_right(ground, one))
        case Story.OVERTAKEN:
            return Verdict(one, changes=_overtaken(ground, one))
        case Story.BACK:
            return Verdict(one, changes=_back(ground, one))
        case Story.FOUND if disposition is None or one.record is Record.GONE:
            return Verdict(one, changes=undone, found=_evidence(ground, one, mixed=mixed))
        case _:
            return _standing_edit(ground, one, disposition or Disposition.FLAG, undone, restoring, mixed)


def _standing_edit(
    ground: Ground,
    one: Look,
    disposition: Disposition,
    undone: tuple[DriftChange, ...],
    restoring: bool,  # noqa: FBT001
    mixed: bool,  # noqa: FBT001
) -> Verdict:
    reverts = disposition.reverts
    # What is over goes back with its series, or the series could not be restored; its evidence is on the books.
    # An occurrence that a person had changed on its own before stays where they put it.
    on_its_own = one.drift is not None and one.drift.scope is Scope.OCCURRENCE
    along = restoring and not reverts and one.of_series and not on_its_own and one.phase is not Phase.UPCOMING
    quiet_since, found, changes = ground.moment.now, None, undone
    if one.story is Story.FOUND:
        found = _found(one, disposition, mixed=mixed)
        if disposition is Disposition.IGNORE and one.known:
            found = None
    elif one.drift is not None:
        kind = one.kind if one.story is Story.OTHER and one.kind is not None else one.drift.kind
        seen = one.shown.seen if one.story is Story.OTHER else one.drift.observed
        if one.story is Story.STILL:
            quiet_since = one.drift.changed_at
        ended = Resolution.IGNORED if disposition is Disposition.IGNORE else None
        if one.story is Story.OTHER or disposition is not one.drift.disposition or ended is not None:
            copy_id = one.shown.copy_id if one.story is Story.OTHER else None
            changes = (*changes, DriftChange(one.drift.id, seen, kind, disposition, ended, copy_id))
    return Verdict(
        one,
        keep=not reverts and not along,
        reverts=reverts,
        along=along,
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
    asks = _guards(one) and disposition is not Disposition.IGNORE
    ended = overtaken_as(one.expected, one.phase, ground.moment.now, guarded=asks)
    is_told = one.known and (one.shown.copy_id is not None or not same_state(one.reference, one.shown.seen))
    return None if is_told else _found(one, disposition, mixed=mixed, ended=ended)


def _put_right(ground: Ground, one: Look) -> FoundDrift | None:
    """Return the drift of an answered edit that somebody now took back to what the record says: nothing is open."""
    if not one.answered or one.calendar is not Calendar.AS_RECORDED or one.known:
        return None
    disposition = disposition_of(one.kind or DriftKind.MOVED, one.phase, ground.policy)
    drift = _found(one, disposition, mixed=False, ended=Resolution.WITHDRAWN)
    return replace(drift, expected=one.reference)


def _overtaken(ground: Ground, one: Look) -> tuple[DriftChange, ...]:
    ended = overtaken_as(one.expected, one.phase, ground.moment.now, guarded=_guards(one))
    if same_state(one.shown.seen, one.expected) and one.shown.copy_id is None:
        ended = Resolution.RECORD_CORRECTED
    return () if one.drift is None else (_change(one.drift, one.shown.seen, ended),)


def _back(ground: Ground, one: Look) -> tuple[DriftChange, ...]:
    """End an upcoming edit that somebody undid; a later one was evidence, and stays open (R-11)."""
    if one.drift is None:
        return ()
    if one.phase is not Phase.UPCOMING:
        holds = disposition_once_undone(one.drift, one.phase, ground.policy)
        changed = replace(_change(one.drift, one.drift.observed, None), disposition=holds)
        return () if holds is one.drift.disposition else (changed,)
    return (_change(one.drift, one.shown.seen, Resolution.WITHDRAWN),)


def _change(drift: Drift, observed: Appearance | None, ended: Resolution | None) -> DriftChange:
    return DriftChange(drift.id, observed, drift.kind, drift.disposition, ended)
