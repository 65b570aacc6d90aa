"""Which occurrence of one event is which of another: by original start, then in order for what is left over.

A series that was dragged has other original starts altogether; its n-th occurrence is still the n-th session. Pure;
called by `compare` only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

from calsync.domain.event import Appearance, Event
from calsync.domain.recurrence import expand_slots, slots_between
from calsync.domain.span import Span, Window, instant, wall_time

Keyed = dict[datetime, Appearance]

_MARGIN = timedelta(days=35)
_FARTHEST = timedelta(days=400)
_WEEK = timedelta(days=7)
_MOST_CELLS = 250_000


@dataclass(frozen=True, slots=True)
class Alignment:
    """`pairs`: key of the one event -> key of the other; `extra`: keys of the other that touch the window, unexplained.

    `one` and `other` hold what is shown under those keys; a single event's key is the instant of its start.
    """

    pairs: Mapping[datetime, datetime]
    extra: tuple[datetime, ...]
    one: Keyed
    other: Keyed


def keyed(event: Event, window: Window) -> Keyed:
    """Return what an event shows around a window; a single event, wherever it lies, under the instant of its start."""
    if event.recurrence is None and not event.overrides:
        return {event.master.span.start_at: event.master}
    start = event.master.span.start_at
    return {start if key is None else key: shown for key, shown in expand_slots(event, window).items()}


def align(
    one: Event, other: Event, window: Window, *, alone: Mapping[datetime, Appearance | None] | None = None
) -> Alignment:
    """Pair the occurrences of two readings of one event; keys of `one` without a pair have no counterpart.

    `alone`: what of the other is known to be nobody's counterpart, by its key, as long as it looks like that.
    """
    shift = _wall_shift(one.master.span, other.master.span)
    wide = _widened(window, shift)
    left, right = keyed(one, wide), keyed(other, wide)
    for key in set(right) - set(left):
        _fetch(one, key, into=left, beyond=wide)
    for key in set(left) - set(right):
        _fetch(other, key, into=right, beyond=wide)
    zones = one.master.span.zone, other.master.span.zone
    along = {key: at for key, at in _taken_along(left, other, shift, zones).items() if at in right}
    gone_on = set(along.values())
    pairs = along | {key: key for key in left if key in right and key not in along and key not in gone_on}
    spare_left = sorted(key for key in left if key not in pairs)
    # A cancelled occurrence without a slot shows nobody anything.
    paired = set(pairs.values())
    spare_right = sorted(key for key in right if key not in paired and not right[key].cancelled)
    known = alone or {}
    by_itself = [key for key in spare_right if key in known and _is_as_known(right[key], known[key])]
    spare_right = [key for key in spare_right if key not in by_itself]
    pairs |= pair_in_order(spare_left, spare_right, shift=shift, zones=zones, period=_period(left))
    taken = set(pairs.values())
    # What nothing explains is paired in order, so that an occurrence taken away and one added read as a move.
    lost = [key for key in spare_left if key not in pairs and touches(one, key, left[key], window)]
    found = [key for key in spare_right if key not in taken and window.touches(right[key].span)]
    pairs |= dict(zip(lost, found, strict=False))
    extra = sorted([*found[len(lost) :], *(key for key in by_itself if window.touches(right[key].span))])
    return Alignment(pairs, tuple(extra), left, right)


def pair_in_order(
    left: Sequence[datetime],
    right: Sequence[datetime],
    *,
    shift: timedelta,
    zones: tuple[str, str],
    period: timedelta,
) -> dict[datetime, datetime]:
    """Pair two sorted lists of instants, never crossing: those that a common shift explains, then the nearest."""
    # A shift by a whole period or more means a series that begins elsewhere, not one that was dragged.
    usual = shift if abs(shift) < period else timedelta(0)
    predicted = {key: instant(wall_time(key, zones[0]) + usual, zones[1]) for key in left}
    pairs = {key: at for key, at in predicted.items() if at in set(right)}
    taken = set(pairs.values())
    rest_left = [key for key in left if key not in pairs]
    rest_right = [key for key in right if key not in taken]
    if len(rest_left) * len(rest_right) > _MOST_CELLS:
        return pairs
    return pairs | _nearest(rest_left, rest_right, predicted=predicted, period=period)


def touches(event: Event, key: datetime, shown: Appearance, window: Window) -> bool:
    """Tell whether an occurrence concerns a window: by its span, or by its slot."""
    slot = event.master.span.starting(wall_time(key, event.master.span.zone))
    return window.touches(shown.span) or window.touches(slot)


def _nearest(
    left: Sequence[datetime], right: Sequence[datetime], *, predicted: Mapping[datetime, datetime], period: timedelta
) -> dict[datetime, datetime]:
    """Return the cheapest pairing in order; leaving one alone costs a period, a pair costs its distance."""
    alone = period.total_seconds()
    rows, columns = len(left) + 1, len(right) + 1
    cost = [[0.0] * columns for _ in range(rows)]
    for i in range(rows):
        for j in range(columns):
            ways = [] if i or j else [0.0]
            if i:
                ways.append(cost[i - 1][j] + alone)
            if j:
                ways.append(cost[i][j - 1] + alone)
            if i and j:
                ways.append(cost[i - 1][j - 1] + _distance(predicted[left[i - 1]], right[j - 1]))
            cost[i][j] = min(ways)
    pairs, i, j = {}, rows - 1, columns - 1
    while i and j:
        if cost[i][j] == cost[i - 1][j - 1] + _distance(predicted[left[i - 1]], right[j - 1]):
            i, j = i - 1, j - 1
            pairs[left[i]] = right[j]
        elif cost[i][j] == cost[i - 1][j] + alone:
            i -= 1
        else:
            j -= 1
    return pairs


def _taken_along(left: Keyed, other: Event, shift: timedelta, zones: tuple[str, str]) -> dict[datetime, datetime]:
    """Pair what stands on its own where it stood, in a series that was dragged: its slot went along with the others.

    By a whole period, that is where the next one's was.
    """
    there = {change.original_start: change.appearance for change in other.overrides} if shift else {}
    pairs = {}
    for at, shown in there.items():
        key = instant(wall_time(at, zones[1]) - shift, zones[0])
        if key in left and not shown.cancelled and shown.span.same_time_as(left[key].span):
            pairs[key] = at
    return pairs


def _is_as_known(shown: Appearance, known: Appearance | None) -> bool:
    return known is not None and shown.span.same_time_as(known.span)


def _distance(a: datetime, b: datetime) -> float:
    return abs((a - b).total_seconds())


def _fetch(event: Event, key: datetime, *, into: Keyed, beyond: Window) -> None:
    """Add the slot of a series under a key that lies outside what was expanded, if it has one there."""
    span = None if beyond.start <= key < beyond.end else slots_between(event, key, key).get(key)
    if span is not None:
        into[key] = replace(event.master, span=span)


def _wall_shift(one: Span, other: Span) -> timedelta:
    return other.start - one.start


def _widened(window: Window, shift: timedelta) -> Window:
    margin = min(_FARTHEST, abs(shift) + _MARGIN)
    return Window(window.start - margin, window.end + margin)


def _period(shown: Keyed) -> timedelta:
    keys = sorted(shown)
    gaps = [later - earlier for earlier, later in pairwise(keys)]
    return min(gaps, default=_WEEK)
