"""The rest of a series that was cut in two: which copy goes on with ours, with which of our sessions, and what besides.

Services cut a series in two where somebody changes one session and all that follow. Pure; called by `compare` only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

from calsync.domain.event import Appearance, Event, OriginalStart
from calsync.domain.recurrence import slots_between
from calsync.domain.span import Window, wall_time
from calsync.reconcile.align import Keyed, keyed, pair_in_order
from calsync.reconcile.case import Copy
from calsync.reconcile.level import Level
from calsync.reconcile.shown import Duplicate, Shown, Told, same_state

_NOWHERE = Shown(None, None)
# How far behind the window's end a rest is followed: what it shows there may be the last of our sessions inside.
_MARGIN = timedelta(days=35)


def goes_on(
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
    wider = Window(window.start, window.end + _MARGIN)
    rest = keyed(copy.event, wider)
    same = _as_told(missing, rest, known)
    taken = set(same.values())
    # Those behind the window's end take part, so that what the rest shows for them is taken for nothing inside.
    wanted = [*missing, *_missing_beyond(agreed, observed, wider, after=window.end)]
    same |= {key: key for key in wanted if key in rest and key not in same and key not in taken}
    left, right = [key for key in wanted if key not in same], sorted(set(rest) - set(same.values()))
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


def beside_rest(
    agreed: Event,
    copy: Copy,
    found: Mapping[OriginalStart, Shown],
    base: Mapping[OriginalStart, Appearance],
    *,
    window: Window,
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
    beyond = [one for one in far if not _may_be_of_another(agreed, one, found, window)]
    return [Duplicate(key, copy, spare[at]) for key, at in near.items()], beyond


def _may_be_of_another(agreed: Event, one: Duplicate, found: Mapping[OriginalStart, Shown], window: Window) -> bool:
    """Tell whether a rest may show it for a session of ours outside the window, where our series goes on there."""
    at, margin = one.seen.span.start_at, _MARGIN
    taken = [its.seen.span.start_at for its in found.values() if its.copy_id == one.copy.remote_id and its.seen]
    if at < min(taken, default=at):
        return bool(slots_between(agreed, window.start - margin, window.start))
    return at > max(taken, default=at) and bool(slots_between(agreed, window.end, window.end + margin))


def begins(copy: Copy) -> datetime:
    """Return when a copy begins."""
    return copy.event.master.span.start_at


def _missing_beyond(agreed: Event, observed: Event, wider: Window, *, after: datetime) -> list[datetime]:
    """Return the sessions from an instant on that our event does not show any more, in order."""
    shown = keyed(observed, wider)
    return sorted(key for key in keyed(agreed, wider) if key >= after and key not in shown)


def _is_missing(shown: Shown) -> bool:
    return shown.seen is None and shown.copy_id is None


def _begins_at_cut(
    observed: Event, found: Mapping[OriginalStart, Shown], missing: Sequence[datetime], copy: Copy
) -> bool:
    """Tell whether a series ends before what is missing of it, and the copy begins nearer there than at its start."""
    own = (key for key, shown in found.items() if key is not None and shown.own is not None)
    apart = {one.original_start for one in observed.overrides}
    goes_further = any(key > missing[0] for key in own if key not in apart) if missing else True
    at, start = begins(copy), observed.master.span.start_at
    return not goes_further and abs(at - missing[0]) <= abs(at - start)


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


def _shortest(keys: Sequence[datetime]) -> timedelta | None:
    return min((later - earlier for earlier, later in pairwise(keys)), default=None)


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
