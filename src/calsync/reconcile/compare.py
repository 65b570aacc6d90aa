"""What differs between the event that was agreed and the events that are there, per occurrence, as people see it.

Both sides are expanded and paired (`align`), so two services' ways of writing the same times are equal. What is *true*
is said here; what is *allowed* stands in `disposition`, and what is done in `decide`. Pure.

`relocated` is recognised here too: the event is gone, and the account's other calendars were asked (`elsewhere`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise

from calsync.domain.drift import DriftKind
from calsync.domain.event import Appearance, Event, OriginalStart
from calsync.domain.recurrence import slots_between
from calsync.domain.span import Window, wall_time
from calsync.reconcile.align import Keyed, align, keyed, pair_in_order, touches
from calsync.reconcile.case import Copy
from calsync.reconcile.level import Level, Levels


@dataclass(frozen=True, slots=True)
class Shown:
    """One occurrence as seen. `own`: in the link's own event; `seen`: anywhere, so also in the rest of a split.

    `copy_id`: remote id of the copy that shows it after a split. `relabelled`: the series was put into another zone.
    `headless`: of the series only single changes are left.
    """

    own: Appearance | None
    seen: Appearance | None
    level: Level = Level.MASTER
    copy_id: str | None = None
    relabelled: bool = False
    headless: bool = False


@dataclass(frozen=True, slots=True)
class Duplicate:
    """An occurrence that a copy shows once more, beside our own."""

    original_start: OriginalStart
    copy: Copy
    seen: Appearance


@dataclass(frozen=True, slots=True)
class Told:
    """What standing drifts say of this event, so that it is not read another way once something else changes.

    `rests`: by remote id of the rest of a split, what it showed for which occurrence. `beside`: remote ids of copies
    that are no such rest. `added`: what our event showed besides all that was agreed, by its own start.
    """

    rests: Mapping[str, Mapping[OriginalStart, Appearance | None]] = field(default_factory=dict)
    beside: frozenset[str] = frozenset()
    added: Mapping[OriginalStart, Appearance | None] = field(default_factory=dict)


NOTHING_TOLD = Told()


@dataclass(frozen=True, slots=True)
class View:
    """All that can be seen of one event inside a window, keyed by the original starts of the agreed event.

    `beyond`: what the rest of a split shows besides that lies near no session of ours, by its own start.
    """

    agreed: dict[OriginalStart, Appearance]
    shown: dict[OriginalStart, Shown]
    duplicates: tuple[Duplicate, ...] = ()
    beyond: tuple[Duplicate, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference on one occurrence. `expected` None: nothing was agreed; `observed` None: nothing is there."""

    original_start: OriginalStart
    kind: DriftKind
    expected: Appearance | None
    observed: Appearance | None
    level: Level
    copy_id: str | None = None


def same_state(one: Appearance | None, other: Appearance | None) -> bool:
    """Tell whether two appearances agree in what is guarded: both off, or both on at the same time."""
    off_one, off_other = one is None or one.cancelled, other is None or other.cancelled
    if one is None or other is None or off_one or off_other:
        return off_one and off_other
    return one.span.same_time_as(other.span)


def kind_of(expected: Appearance | None, observed: Appearance | None) -> DriftKind | None:
    """Name the gravest difference between an agreed and a seen appearance; None if nothing of weight differs."""
    if not same_state(expected, observed):
        return _guarded_kind(expected, observed)
    if expected is None or observed is None or observed.cancelled:
        return None
    if observed.answer == "declined" != expected.answer:
        return DriftKind.DECLINED
    if observed.proposed is not None and observed.proposed != expected.proposed:
        return DriftKind.NEW_TIME_PROPOSED
    if observed.busy != expected.busy:
        return DriftKind.MARKED_FREE
    return DriftKind.RETITLED if observed.title != expected.title else None


def view(
    agreed: Event | None,
    observed: Event | None,
    *,
    window: Window,
    copies: Sequence[Copy] = (),
    told: Told = NOTHING_TOLD,
    single: bool | None = None,
) -> View:
    """Return what is seen of an event, by the original starts of the agreed one; what nothing explains by its own.

    `single`: the subject has one occurrence, whatever became of its event; not given, the agreed event tells.
    """
    if agreed is None:
        # Nothing was agreed, so nothing can be missing: all that shows is unexplained.
        shown = {} if observed is None else standing(observed, window, single=single)
        return View({}, {key: Shown(seen, seen) for key, seen in shown.items()})
    single = not agreed.is_series if single is None else single
    base = standing(agreed, window, single=single)
    found = dict.fromkeys(base, Shown(None, None))
    if observed == agreed:
        # By far the most frequent case, and the cheapest.
        found = {key: Shown(seen, seen) for key, seen in base.items()}
    elif observed is not None:
        found = _paired(agreed, observed, base, window=window, single=single, added=told.added)
    duplicates, beyond = list[Duplicate](), list[Duplicate]()
    # Those that are known to be the rest of a split come first: what they show is taken.
    for copy in sorted(copies, key=lambda one: (one.remote_id not in told.rests, _begins(one), one.remote_id)):
        goes_on = observed is not None and _goes_on(agreed, observed, found, copy, window=window, told=told)
        if goes_on:
            near, far = _beside_rest(copy, found, base, window=window)
            duplicates += near
            beyond += [one for one in far if not _may_be_of_another(agreed, one, found, window)]
        else:
            duplicates += _duplicates(agreed, copy, base, window=window, single=single)
    return View(base, found, tuple(duplicates), tuple(beyond))


def differences(
    agreed: Event,
    observed: Event | None,
    *,
    window: Window,
    copies: Sequence[Copy] = (),
    elsewhere: str | None = None,
) -> tuple[Difference, ...]:
    """Return every difference inside the window, in order of original start, duplicates last."""
    seen = view(agreed, observed, window=window, copies=copies)
    found = [
        Difference(key, kind, seen.agreed.get(key), shown.seen, shown.level, shown.copy_id)
        for key, shown in sorted(seen.shown.items(), key=lambda item: sort_key(item[0]))
        if (kind := shown_kind(seen.agreed.get(key), shown, elsewhere=elsewhere)) is not None
    ]
    doubled = [
        Difference(
            one.original_start,
            DriftKind.DUPLICATED,
            seen.agreed.get(one.original_start),
            one.seen,
            Level.MASTER,
            one.copy.remote_id,
        )
        for one in seen.duplicates
    ]
    return (*found, *doubled)


def shown_kind(agreed: Appearance | None, shown: Shown, *, elsewhere: str | None = None) -> DriftKind | None:
    """Name the difference of an occurrence, with what only the whole event can tell: split and relocated."""
    if shown.copy_id is not None:
        return DriftKind.SPLIT
    kind = kind_of(agreed, shown.seen)
    if kind is DriftKind.DELETED and elsewhere is not None:
        return DriftKind.RELOCATED
    if kind is DriftKind.DELETED and shown.headless:
        return DriftKind.RECURRENCE_CHANGED
    if kind in (DriftKind.MOVED, DriftKind.RESIZED) and shown.relabelled:
        return DriftKind.ZONE_CHANGED
    return kind


def sort_key(key: OriginalStart) -> tuple[bool, float]:
    """Order original starts by time, the one of a single event first."""
    return (key is not None, key.timestamp() if key is not None else 0.0)


def _guarded_kind(expected: Appearance | None, observed: Appearance | None) -> DriftKind:
    if observed is None:
        return DriftKind.DELETED
    if expected is None or expected.cancelled:
        return DriftKind.RECURRENCE_CHANGED
    if observed.cancelled:
        return DriftKind.CANCELLED
    before, after = expected.span, observed.span
    if before.all_day != after.all_day:
        return DriftKind.MADE_ALL_DAY
    if before.zone != after.zone and (before.start, before.end) == (after.start, after.end):
        return DriftKind.ZONE_CHANGED
    return DriftKind.RESIZED if before.start_at == after.start_at else DriftKind.MOVED


def standing(event: Event, window: Window, *, single: bool | None = None) -> dict[OriginalStart, Appearance]:
    """Return what an event shows that concerns the window.

    A single event always does, for it may have been moved out (R-8), and so does an occurrence whose slot lies inside.
    `single` as in `view`: the master's own slot then goes by None, even if the event was made to repeat.
    """
    single = not event.is_series if single is None else single
    start = event.master.span.start_at
    around = keyed(event, window)
    if single and start not in around:
        # It was made to repeat, and its own slot lies outside what was expanded.
        its_own = keyed(event, Window(start, start + timedelta(minutes=1)))
        around |= {key: shown for key, shown in its_own.items() if key == start}
    return {
        _name(event, key, single=single): shown
        for key, shown in around.items()
        if (single and key == start) or touches(event, key, shown, window)
    }


def _name(event: Event, key: datetime, *, single: bool) -> OriginalStart:
    return None if single and key == event.master.span.start_at else key


def _paired(
    agreed: Event,
    observed: Event,
    base: dict[OriginalStart, Appearance],
    *,
    window: Window,
    single: bool,
    added: Mapping[OriginalStart, Appearance | None],
) -> dict[OriginalStart, Shown]:
    if len(base) == 1 and not agreed.is_series and not observed.is_series and not observed.overrides:
        # One event, one occurrence: however far apart, it is the same session.
        return dict.fromkeys(base, Shown(observed.master, observed.master))
    aligned = align(agreed, observed, window, alone={key: one for key, one in added.items() if key is not None})
    levels = Levels(agreed, observed)
    relabelled = agreed.master.span.zone != observed.master.span.zone and (
        agreed.master.span.start_at == observed.master.span.start_at
    )
    headless = agreed.is_series and not observed.is_series and bool(observed.overrides)
    found: dict[OriginalStart, Shown] = {}
    for key, at in aligned.pairs.items():
        name = _name(agreed, key, single=single)
        seen = aligned.other[at]
        if name in base or window.touches(seen.span):
            before = base.setdefault(name, aligned.one[key])
            level = Level.MASTER if kind_of(before, seen) is None else levels.of(key, seen)
            found[name] = Shown(seen, seen, level, relabelled=relabelled)
    for name in base:
        if name not in found:
            level = levels.of(name, None) if name is not None else Level.MASTER
            found[name] = Shown(None, None, level, headless=headless)
    for at in aligned.extra:
        found[at] = Shown(aligned.other[at], aligned.other[at], levels.of_extra(at))
    return found


def _goes_on(
    agreed: Event,
    observed: Event,
    found: dict[OriginalStart, Shown],
    copy: Copy,
    *,
    window: Window,
    told: Told,
) -> bool:
    """Take a copy as the rest of our truncated series, filling in what it shows; False if it is no such thing."""
    known = told.rests.get(copy.remote_id, {})
    # Our event may have been written anew without the occurrences that the rest shows: they are missing all the same.
    missing = sorted(
        key
        for key in {*found, *known}
        if key is not None
        and _is_missing(shown := found.get(key, _NOWHERE))
        and (key in known or shown.level is Level.MASTER)
    )
    if not known and (copy.remote_id in told.beside or not _begins_at_cut(observed, found, missing, copy)):
        return False
    rest = keyed(copy.event, window)
    same = _as_told(missing, rest, known)
    taken = set(same.values())
    same |= {key: key for key in missing if key in rest and key not in same and key not in taken}
    left, right = [key for key in missing if key not in same], sorted(set(rest) - set(same.values()))
    zones = (agreed.master.span.zone, copy.event.master.span.zone)
    if left and right:
        left = [*_kept_apart(observed, found, before=left[0], nearest=right[0]), *left]
        # The copy begins where the series was cut: its first occurrence is the first that is missing.
        shift = rest[right[0]].span.start - wall_time(left[0], zones[0]).replace(fold=0)
        same |= pair_in_order(left, right, shift=shift, zones=zones, period=_shortest(left) or abs(shift) * 2)
    same = {key: at for key, at in same.items() if key in missing}
    for key, at in same.items():
        found[key] = replace(found.get(key, _NOWHERE), seen=rest[at], copy_id=copy.remote_id)
    return bool(same)


_NOWHERE = Shown(None, None)


def _shortest(keys: Sequence[datetime]) -> timedelta | None:
    return min((later - earlier for earlier, later in pairwise(keys)), default=None)


def _is_missing(shown: Shown) -> bool:
    return shown.seen is None and shown.copy_id is None


def _begins_at_cut(
    observed: Event, found: Mapping[OriginalStart, Shown], missing: Sequence[datetime], copy: Copy
) -> bool:
    """Tell whether a series ends before what is missing of it, and the copy begins nearer there than at its start."""
    own = (key for key, shown in found.items() if key is not None and shown.own is not None)
    apart = {one.original_start for one in observed.overrides}
    goes_further = any(key > missing[0] for key in own if key not in apart) if missing else True
    begins, start = _begins(copy), observed.master.span.start_at
    return not goes_further and abs(begins - missing[0]) <= abs(begins - start)


def _kept_apart(
    observed: Event, found: Mapping[OriginalStart, Shown], *, before: datetime, nearest: datetime
) -> list[datetime]:
    """Return what our cut event has kept on its own though its rule ends earlier, if the rest begins with it."""
    overrides = [one.original_start for one in observed.overrides if one.original_start < before]
    return sorted(
        key
        for key in overrides
        if key in found and abs(key - nearest) < abs(before - nearest) and not slots_between(observed, key, key)
    )


def _begins(copy: Copy) -> datetime:
    return copy.event.master.span.start_at


def _as_told(
    missing: Sequence[datetime], rest: Keyed, known: Mapping[OriginalStart, Appearance | None]
) -> dict[datetime, datetime]:
    """Pair what a rest still shows as it did with what it was told to show."""
    left, found = dict(rest), dict[datetime, datetime]()
    for key in missing:
        before = known.get(key)
        at = next((at for at, shown in left.items() if before is not None and same_state(shown, before)), None)
        if at is not None:
            found[key] = at
            del left[at]
    return found


def _beside_rest(
    copy: Copy, found: Mapping[OriginalStart, Shown], base: Mapping[OriginalStart, Appearance], *, window: Window
) -> tuple[list[Duplicate], list[Duplicate]]:
    """Return what the rest of a split shows besides what it took over: sessions that our own event shows as well.

    Only what lies near one of ours stands beside it; what the rest shows for longer than ours is the second list.
    """
    taken = [one.seen for one in found.values() if one.copy_id == copy.remote_id]
    spare = {
        at: shown
        for at, shown in keyed(copy.event, window).items()
        if not shown.cancelled and shown not in taken and window.touches(shown.span)
    }
    keys = sorted(key for key in base if key is not None)
    own = [key for key in keys if found[key].own is not None]
    # Half a period: one alone on each side costs as much as a pair that is a whole one apart.
    half = (_shortest(keys) or timedelta(0)) / 2
    near = pair_in_order(own, sorted(spare), shift=timedelta(0), zones=("UTC", "UTC"), period=half) if spare else {}
    far = [Duplicate(at, copy, shown) for at, shown in sorted(spare.items()) if at not in near.values()]
    return [Duplicate(key, copy, spare[at]) for key, at in near.items()], far


def _may_be_of_another(agreed: Event, one: Duplicate, found: Mapping[OriginalStart, Shown], window: Window) -> bool:
    """Tell whether a rest may show it for a session of ours outside the window, where our series goes on there."""
    at, margin = one.seen.span.start_at, timedelta(days=35)
    taken = [its.seen.span.start_at for its in found.values() if its.copy_id == one.copy.remote_id and its.seen]
    if at < min(taken, default=at):
        return bool(slots_between(agreed, window.start - margin, window.start))
    return at > max(taken, default=at) and bool(slots_between(agreed, window.end, window.end + margin))


def _duplicates(
    agreed: Event, copy: Copy, base: dict[OriginalStart, Appearance], *, window: Window, single: bool
) -> list[Duplicate]:
    aligned = align(agreed, copy.event, window)
    named = {_name(agreed, key, single=single): aligned.other[at] for key, at in aligned.pairs.items()}
    return [Duplicate(key, copy, seen) for key, seen in named.items() if key in base]
