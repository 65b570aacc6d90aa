"""The rest of a series that was cut in two: which copy goes on with ours, with which of our sessions, and what besides.

Services cut a series in two where somebody changes one session and all that follow. Pure; called by `compare` only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from calsync.domain.event import Appearance, Event, OriginalStart
from calsync.domain.recurrence import slots_between
from calsync.domain.span import Window, wall_time
from calsync.reconcile.align import Keyed, keyed, pair_in_order
from calsync.reconcile.case import Copy
from calsync.reconcile.level import Level
from calsync.reconcile.shown import Duplicate, Shown, Told, same_state

# How far behind the window's end a rest is followed: what it shows there may be the last of our sessions inside.
_MARGIN = timedelta(days=35)
_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Ours:
    """Our event as it was agreed and as it is there, and the window in which it is looked at."""

    agreed: Event
    observed: Event
    window: Window


def taken_over(ours: Ours, copy: Copy, found: Mapping[OriginalStart, Shown], told: Told) -> dict[datetime, Appearance]:
    """Return what a copy shows for those of our sessions that are missing; nothing if it is not the rest of ours.

    `found`: what is seen of our sessions so far.
    """
    known = told.rests.get(copy.remote_id, {})
    missing = _missing(found, known)
    if not missing:
        return {}
    if not known and (copy.remote_id in told.beside or not _begins_at_cut(ours.observed, found, missing, copy)):
        return {}
    wider = Window(ours.window.start, ours.window.end + _MARGIN)
    rest = keyed(copy.event, wider)
    same = _as_told(missing, rest, known)
    # What was told of as standing beside ours goes on with no other of them, whatever becomes of ours.
    extra = told.extra.get(copy.remote_id, {})
    same |= _as_told([key for key in missing if key not in same], _without(rest, same), extra)
    rest = {at: shown for at, shown in rest.items() if at in same.values() or not _is_among(shown, extra)}
    spare = set(_without(rest, same))
    # Those behind the window's end take part, so that what the rest shows for them is taken for nothing inside.
    wanted = sorted({*missing, *_missing_beyond(ours, wider)})
    same |= {key: key for key in wanted if key in spare and key not in same}
    left, right = [key for key in wanted if key not in same], sorted(_without(rest, same))
    if left and right:
        same |= _in_order(ours, copy, left, right)
    return {key: rest[same[key]] for key in missing if key in same}


def beside_rest(
    ours: Ours,
    copy: Copy,
    found: Mapping[OriginalStart, Shown],
    *,
    taken: Mapping[datetime, Appearance],
    base: Mapping[OriginalStart, Appearance],
) -> tuple[list[Duplicate], list[Duplicate]]:
    """Return what the rest of a split shows besides what it took over: sessions that our own event shows as well.

    Only what lies near one of ours stands beside it; what the rest shows for longer than ours is the second list.
    """
    spare = {
        at: shown
        for at, shown in keyed(copy.event, ours.window).items()
        if not shown.cancelled and shown not in taken.values() and ours.window.touches(shown.span)
    }
    keys = sorted(key for key in base if key is not None)
    own = [key for key in keys if found[key].own is not None]
    # Half a period: one alone on each side costs as much as a pair that is a whole one apart.
    half = _shortest(keys, default=_WEEK) / 2
    near = pair_in_order(own, sorted(spare), shift=timedelta(0), zones=("UTC", "UTC"), period=half)
    starts = [shown.span.start_at for shown in taken.values()]
    beyond = [
        Duplicate(at, copy, shown)
        for at, shown in sorted(spare.items())
        if at not in near.values() and not _may_be_of_another(ours, shown.span.start_at, starts)
    ]
    return [Duplicate(key, copy, spare[at]) for key, at in sorted(near.items())], beyond


def begins(copy: Copy) -> datetime:
    """Return when a copy begins."""
    return copy.event.master.span.start_at


def _missing(found: Mapping[OriginalStart, Shown], known: Mapping[OriginalStart, Appearance | None]) -> list[datetime]:
    """Return what shows nowhere. One that was taken away on its own counts only if the rest is known to show it."""
    gone = [key for key, shown in found.items() if shown.seen is None and (shown.level is Level.MASTER or key in known)]
    # Our event may have been written anew without the occurrences that the rest shows: they are missing all the same.
    unwritten = [key for key in known if key not in found]
    return sorted(key for key in (*gone, *unwritten) if key is not None)


def _missing_beyond(ours: Ours, wider: Window) -> Iterator[datetime]:
    """Yield the sessions behind the window's end that our event does not show any more."""
    shown = keyed(ours.observed, wider)
    for key in keyed(ours.agreed, wider):
        if key >= ours.window.end and key not in shown:
            yield key


def _begins_at_cut(
    observed: Event, found: Mapping[OriginalStart, Shown], missing: Sequence[datetime], copy: Copy
) -> bool:
    """Tell whether a series ends before what is missing of it, and the copy begins nearer there than at its start."""
    apart = {one.original_start for one in observed.overrides}
    own = [key for key, shown in found.items() if shown.own is not None and key not in apart]
    goes_further = any(key is not None and key > missing[0] for key in own)
    at, start = begins(copy), observed.master.span.start_at
    return not goes_further and abs(at - missing[0]) <= abs(at - start)


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


def _without(rest: Keyed, taken: Mapping[datetime, datetime]) -> Keyed:
    return {at: shown for at, shown in rest.items() if at not in taken.values()}


def _is_among(shown: Appearance, told: Mapping[OriginalStart, Appearance | None]) -> bool:
    return any(one is not None and same_state(shown, one) for one in told.values())


def _in_order(ours: Ours, copy: Copy, left: Sequence[datetime], right: Sequence[datetime]) -> dict[datetime, datetime]:
    """Pair what is missing with what the rest shows: it begins where the series was cut, and goes on in order."""
    left = [*_kept_apart(ours.observed, before=left[0], nearest=right[0]), *left]
    zones = (ours.agreed.master.span.zone, copy.event.master.span.zone)
    shift = wall_time(right[0], zones[1]) - wall_time(left[0], zones[0])
    # One alone goes however far the rest was dragged.
    return pair_in_order(left, right, shift=shift, zones=zones, period=_shortest(left, default=timedelta.max))


def _kept_apart(observed: Event, *, before: datetime, nearest: datetime) -> list[datetime]:
    """Return what our cut event has kept on its own though its rule ends earlier, if the rest begins with it."""
    overrides = [one.original_start for one in observed.overrides if one.original_start < before]
    return [
        key for key in overrides if abs(key - nearest) < abs(before - nearest) and not slots_between(observed, key, key)
    ]


def _may_be_of_another(ours: Ours, at: datetime, taken: Sequence[datetime]) -> bool:
    """Tell whether a rest may show it for a session of ours outside the window, where our series goes on there."""
    window = ours.window
    if at < min(taken):
        return bool(slots_between(ours.agreed, window.start - _MARGIN, window.start))
    return at > max(taken) and bool(slots_between(ours.agreed, window.end, window.end + _MARGIN))


def _shortest(keys: Sequence[datetime], *, default: timedelta) -> timedelta:
    return min((later - earlier for earlier, later in pairwise(keys)), default=default)
