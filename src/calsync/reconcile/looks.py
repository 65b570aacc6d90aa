"""One occurrence after the other: what became of it since it was last known. Pure; called by `decide` only.

Each is looked at on its own here, against what both sides agreed on or what a person answered; what that calls for
is judged in `judge`, where the occurrences of one edit stand together.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from calsync.domain.drift import COSMETIC, Drift, DriftKind, Phase, Scope
from calsync.domain.event import Appearance, OriginalStart
from calsync.reconcile.disposition import phase_of
from calsync.reconcile.ground import Ground, accepted_drifts, open_drifts
from calsync.reconcile.hers import is_her_own
from calsync.reconcile.level import Level
from calsync.reconcile.shown import Shown, same_state, shown_kind, sort_key
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
    hers: bool = False  # the record wants it no more, and our event shows what a person made into her own

    @property
    def of_series(self) -> bool:
        """Whether the series was edited, and not this occurrence on its own."""
        return self.shown.level is Level.MASTER and self.key is not None

    @property
    def guards(self) -> bool:
        """Whether what is seen says that the session took place at another time than recorded, or not at all."""
        return self.kind is not None and _is_time(self.kind)

    @property
    def scope(self) -> Scope:
        """Whether a drift here concerns the series or the occurrence."""
        return Scope.SERIES if self.of_series else Scope.OCCURRENCE


def look(ground: Ground) -> list[Look]:
    """Look at every occurrence that concerns the window, in order of original start."""
    drifts, accepted = open_drifts(ground.case), accepted_drifts(ground.case)
    keys = {*ground.view.agreed, *ground.view.shown, *ground.expected}
    keys |= {key for key, drift in drifts.items() if ground.case.expected is None or _concerns(ground, drift)}
    if ground.case.expected is not None:
        # An extra session that was let be and has gone since: nothing agreed says that it ever was.
        extra = (key for key, drift in accepted.items() if drift.expected is None)
        keys |= {key for key in extra if ground.before.get(key) is not None}
    return [_look_at(ground, key, drifts.get(key), accepted.get(key)) for key in sorted(keys, key=sort_key)]


def _look_at(ground: Ground, key: OriginalStart, drift: Drift | None, accepted: Drift | None) -> Look:
    shown = ground.view.shown.get(key, Shown(None, None))
    expected, agreed = ground.expected.get(key), ground.view.agreed.get(key)
    put_back = drift if drift is not None and _was_put_back(ground, key, drift, expected) else None
    if put_back is not None:
        drift = None
    hers = expected is None and _is_hers(ground, (key, shown), agreed, drift or accepted)
    reference, answered = agreed, False
    if drift is not None:
        reference = drift.expected
    elif accepted is not None and not _is_overwritten(ground, accepted, agreed):
        # The answer holds as long as the record says what it said then, or what it is about is a person's own.
        answered = same_state(accepted.expected, expected)
        answered = answered or (hers and same_state(accepted.observed, shown.seen))
        # A record that has come to say what is seen is not an answer any more, but what both sides agree on.
        if answered or (same_state(accepted.observed, shown.seen) and not same_state(expected, shown.own)):
            reference = accepted.observed
    let_be = answered and accepted is not None and _is_still_rest(accepted, shown)
    kind = shown_kind(reference, replace(shown, copy_id=None) if let_be else shown, elsewhere=ground.elsewhere)
    record = Record.SAME if answered or hers else _record_side(reference, expected)
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
        hers=hers,
    )


def _is_hers(ground: Ground, seen: tuple[OriginalStart, Shown], agreed: Appearance | None, drift: Drift | None) -> bool:
    """Tell whether our event shows something of a person's own; of a whole event all of it has to be."""
    key, shown = seen
    if shown.own is None or (ground.case.expected is None and not ground.hers):
        return False
    before, ours = agreed, ground.agreed
    if drift is not None and ours is not None and same_state(agreed, drift.observed):
        # What is let be becomes part of what we write: it is measured against what was there before she edited it. The
        # record may have moved it since.
        before = drift.expected
        ours = replace(ours, overrides=tuple(one for one in ours.overrides if one.original_start != key))
    if before is None or shown.own.title == before.title:
        return False
    return is_her_own(shown.own, (ours, ground.case.expected), (before,))


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
    # What the rest of a split showed says nothing of our own event, which had lost it, be it at the same time.
    return same_state(wrote, expected) and (_is_of_rest(drift) or not same_state(wrote, drift.observed))


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
