"""What differs between the event that was agreed and the events that are there, per occurrence, as people see it.

Both sides are expanded and paired (`align`), so two services' ways of writing the same times are equal. What is *true*
is said here; what is *allowed* stands in `disposition`, and what is done in `decide`. Pure.

How differences are called stands in `shown`, and which copy is the rest of a series that was cut in two, in `split`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from calsync.domain.drift import DriftKind
from calsync.domain.event import Appearance, Event, OriginalStart
from calsync.domain.span import Window
from calsync.reconcile.align import align, keyed, touches
from calsync.reconcile.case import Copy
from calsync.reconcile.level import Level, Levels
from calsync.reconcile.shown import (
    NOTHING_TOLD,
    Difference,
    Duplicate,
    Shown,
    Told,
    View,
    kind_of,
    shown_kind,
    sort_key,
)
from calsync.reconcile.split import Ours, begins, beside_rest, taken_over


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
    for copy in sorted(copies, key=lambda one: (one.remote_id not in told.rests, begins(one), one.remote_id)):
        ours = None if observed is None else Ours(agreed, observed, window)
        if ours is not None and (taken := taken_over(ours, copy, found, told)):
            found |= {
                key: replace(found.get(key, Shown(None, None)), seen=seen, copy_id=copy.remote_id)
                for key, seen in taken.items()
            }
            near, far = beside_rest(ours, copy, found, taken=taken, base=base)
            duplicates += near
            beyond += far
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


def _duplicates(
    agreed: Event, copy: Copy, base: dict[OriginalStart, Appearance], *, window: Window, single: bool
) -> list[Duplicate]:
    aligned = align(agreed, copy.event, window)
    named = {_name(agreed, key, single=single): aligned.other[at] for key, at in aligned.pairs.items()}
    beside = [Duplicate(key, copy, seen) for key, seen in named.items() if key in base]
    # Where ours agreed to show nothing here any more, all of it is told of by itself: nobody else would tell of it.
    alone = ((at, seen) for at, seen in sorted(aligned.other.items()) if not base and window.touches(seen.span))
    return beside or [Duplicate(at, copy, seen) for at, seen in alone if not seen.cancelled]
