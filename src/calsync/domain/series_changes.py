"""What becomes of a series when it ends, or goes on in another way from some slot on. Pure.

A platform's "this and following" ends the old series and starts one that continues it; the sessions keep their ids and
take a new series and slot with them (R-2). Called by booking and by the file import.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from calsync.domain.appointment import Appointment, AppointmentStatus, Series
from calsync.domain.cadence import rule_parts, shifted_rule, with_count
from calsync.domain.rule import rule_with_until
from calsync.domain.series_slots import (
    SeriesDefaults,
    add_slots,
    is_in_slot,
    make_sessions,
    rule_slots,
    series_slots,
    slot_span,
)
from calsync.domain.span import Span

_GONE: Final = (AppointmentStatus.CANCELLED, AppointmentStatus.LATE_CANCELLED)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCourse:
    """How a series is to go on: from which slot of the old one, as which series, and how far sessions are made.

    `in_step`: the n-th slot follows the n-th, as when a series is moved as a whole; otherwise sessions take the new
    slots in order, and cancelled ones stay behind. `placed` gives single sessions their slot beforehand. `keep_moved`:
    a session that was moved on its own stays where it is.
    """

    cut: datetime
    id: str
    first: Span
    rule: str
    now: datetime
    horizon: datetime
    in_step: bool = True
    keep_moved: bool = True
    placed: Mapping[str, datetime] = field(default_factory=dict)
    defaults: SeriesDefaults = field(default_factory=SeriesDefaults)


@dataclass(frozen=True, slots=True)
class Continued:
    """The old series as it stays, the one that continues it, and every session that changes (before, after) or is new.

    `surplus` are upcoming sessions for which the new rule has no slot left.
    """

    ended: Series
    series: Series
    moved: tuple[tuple[Appointment, Appointment], ...]
    made: tuple[Appointment, ...]
    surplus: tuple[Appointment, ...]
    defaults: SeriesDefaults
    horizon: datetime


def end_series(series: Series, cut: datetime, late: Iterable[datetime] = ()) -> Series:
    """Return the series without its slots from `cut` on, but for those in `late`; cancelled if nothing is left."""
    before = rule_slots(series.span, series.rule, cut)
    added = {at for at in series.added if at < cut} | set(late)
    if not before and not added:
        return replace(series, cancelled=True, added=(), excluded=())
    first = series.span.start_at
    last = before[-1] if before else first
    excluded = {at for at in series.excluded if at < cut} | (set() if before else {first} - added)
    return replace(
        series, rule=rule_with_until(series.rule, last), added=tuple(sorted(added)), excluded=tuple(sorted(excluded))
    )


def continuing_rule(series: Series, cut: datetime, first: Span) -> str | None:
    """Return the series' rule as it goes on from `cut` with `first` as its first session; None if it must be said anew.

    A COUNT is lessened by the sessions before the cut; weekdays turn with the day.
    """
    old = slot_span(series, cut)
    days = (first.start.date() - old.start.date()).days
    rule = shifted_rule(series.rule, days, first.start_at - old.start_at)
    if rule is None or "COUNT" not in rule_parts(rule):
        return rule
    before = len(rule_slots(series.span, series.rule, cut))
    return with_count(rule, max(1, int(rule_parts(rule)["COUNT"]) - before))


def continue_series(series: Series, members: Iterable[Appointment], course: NewCourse) -> Continued:
    """Return what becomes of a series and its sessions when it takes a new course.

    Sessions before the cut stay as they are, and so do those after it that have already started or ended in any way.
    """
    later = [one for one in members if one.original_start is not None and one.original_start >= course.cut]
    upcoming = [one for one in later if _may_move(one, course.now)]
    stay = [one for one in later if one.status not in _GONE and not _may_move(one, course.now)]
    gone = [one for one in later if one.status in _GONE]
    successor = replace(
        series,
        id=course.id,
        span=course.first,
        rule=course.rule,
        added=(),
        excluded=(),
        continues=series.id,
        cancelled=False,
        version=1,
    )
    slots = rule_slots(course.first, course.rule, course.horizon)
    places = _places_in_step(series, course, slots) if course.in_step else {}
    blocked = {places[at] for one in stay if (at := one.original_start) in places}
    carried = [*upcoming, *(one for one in gone if one.original_start in places)]
    chosen = _choose(carried, slots, places, blocked, course)
    successor = replace(successor, excluded=tuple(sorted(blocked)))
    successor = add_slots(successor, set(chosen.values()) - set(slots))
    moved = tuple(
        (one, _carried(one, series, successor, chosen[one.id], course)) for one in carried if one.id in chosen
    )
    free = [slot for slot in slots if slot not in blocked and slot not in set(chosen.values())]
    late = [at for one in stay if (at := one.original_start) is not None]
    return Continued(
        ended=end_series(series, course.cut, late),
        series=successor,
        moved=moved,
        made=tuple(make_sessions(successor, course.defaults, free)),
        surplus=tuple(one for one in upcoming if one.id not in chosen),
        defaults=course.defaults,
        horizon=course.horizon,
    )


def _may_move(one: Appointment, now: datetime) -> bool:
    return one.status is AppointmentStatus.SCHEDULED and one.span.start_at > now


def _places_in_step(series: Series, course: NewCourse, slots: Sequence[datetime]) -> dict[datetime, datetime]:
    old = [slot for slot in rule_slots(series.span, series.rule, course.horizon) if slot >= course.cut]
    return dict(zip(old, slots, strict=False))


def _choose(
    carried: Sequence[Appointment],
    slots: Sequence[datetime],
    places: Mapping[datetime, datetime],
    blocked: set[datetime],
    course: NewCourse,
) -> dict[str, datetime]:
    chosen = {one.id: course.placed[one.id] for one in carried if one.id in course.placed}
    taken = blocked | set(chosen.values())
    in_order = sorted(
        (one for one in carried if one.id not in chosen), key=lambda one: one.original_start or course.cut
    )
    rest = iter([slot for slot in slots if slot not in taken])
    for one in in_order:
        if course.in_step:
            # A date added outside the rule has no place in it, and stays the date it is.
            place = places.get(one.original_start) if one.original_start else None
            slot = place if place is not None and place not in taken else _own_slot(one, places, taken)
        else:
            slot = next(rest, None)
        if slot is not None:
            chosen[one.id] = slot
            taken.add(slot)
    return chosen


def _own_slot(one: Appointment, places: Mapping[datetime, datetime], taken: set[datetime]) -> datetime | None:
    own = one.original_start
    return None if own is None or own in places or own in taken else own


def _carried(one: Appointment, old: Series, new: Series, slot: datetime, course: NewCourse) -> Appointment:
    stays = one.id in course.placed or (course.keep_moved and not is_in_slot(one, old))
    was_added = one.original_start in old.added and slot == one.original_start
    span = one.span if stays or was_added else slot_span(new, slot)
    return replace(one, series=new.id, original_start=slot, span=span)


def upcoming_slots(series: Series, now: datetime, horizon: datetime) -> list[datetime]:
    """Return the slots of a series after `now` and before `horizon`."""
    return [slot for slot in series_slots(series, horizon) if slot > now]
