"""What people do to events, as pure functions from an event to an event.

Shifts are in wall time, as a drag in a calendar is. `original_start` names an occurrence of a series; None means the
event itself (the one occurrence of a single event, or the whole series).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from dateutil.rrule import rrulestr

from calsync.domain.event import Appearance, Event, OriginalStart, Override, Recurrence
from calsync.domain.span import Span, instant, wall_time

Edit = Callable[[Event], Event]

_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def dragged(event: Event, by: timedelta, original_start: OriginalStart = None) -> Event:
    """Move one occurrence, or all of them, by a wall-time shift."""
    if original_start is None:
        return _all_dragged(event, by) if event.is_series else _master(event, lambda a: _shifted(a, by))
    return _occurrence(event, original_start, lambda appearance: _shifted(appearance, by))


def resized(event: Event, by: timedelta, original_start: OriginalStart = None) -> Event:
    """Make it longer, or shorter with a negative `by`; the start stays."""

    def stretch(appearance: Appearance) -> Appearance:
        span = appearance.span
        end = wall_time(span.end_at + by, span.zone)
        return replace(appearance, span=replace(span, end=end))

    return changed(event, stretch, original_start)


def called_off(event: Event, original_start: OriginalStart = None) -> Event:
    """Cancel it without removing it (STATUS:CANCELLED)."""
    return changed(event, lambda appearance: replace(appearance, cancelled=True), original_start)


def freed(event: Event, original_start: OriginalStart = None) -> Event:
    """Show it as free time."""
    return changed(event, lambda appearance: replace(appearance, busy=False), original_start)


def retitled(event: Event, title: str, original_start: OriginalStart = None) -> Event:
    """Give it another title; of a whole series, the single changes keep theirs."""
    return changed(event, lambda appearance: replace(appearance, title=title), original_start)


def published(event: Event) -> Event:
    """Let everybody read it who may see the calendar."""
    return replace(event, public=True)


def answered(event: Event, answer: str, original_start: OriginalStart = None) -> Event:
    """Set the owner's own answer: `accepted`, `tentative` or `declined`."""
    return changed(event, lambda appearance: replace(appearance, answer=answer), original_start)


def made_all_day(event: Event, original_start: OriginalStart = None) -> Event:
    """Turn it into an all-day event on the days that it touches."""

    def widen(appearance: Appearance) -> Appearance:
        span = appearance.span
        first = datetime.combine(span.start.date(), datetime.min.time())
        last = datetime.combine(span.end.date(), datetime.min.time())
        return replace(appearance, span=Span(first, last + timedelta(days=1), span.zone, all_day=True))

    return changed(event, widen, original_start)


def rezoned(event: Event, zone: str) -> Event:
    """Keep the wall time and change the zone, so that the instants move."""
    return _master(event, lambda appearance: replace(appearance, span=replace(appearance.span, zone=zone)))


def without_occurrence(event: Event, original_start: datetime) -> Event:
    """Remove one occurrence of a series: excluded, and its single change gone."""
    assert event.recurrence is not None
    excluded = tuple(sorted({*event.recurrence.excluded, original_start}))
    overrides = tuple(o for o in event.overrides if o.original_start != original_start)
    return replace(event, recurrence=replace(event.recurrence, excluded=excluded), overrides=overrides)


def with_rule(event: Event, rule: str) -> Event:
    """Repeat by another rule."""
    assert event.recurrence is not None
    return replace(event, recurrence=replace(event.recurrence, rule=rule))


def split(event: Event, original_start: datetime, by: timedelta, uid: str) -> tuple[Event, Event]:
    """Change "this and following": the series cut off before `original_start`, and its rest, shifted, under `uid`."""
    assert event.recurrence is not None
    head = replace(
        event,
        recurrence=_recurrence_where(event.recurrence, _until(event, original_start), lambda at: at < original_start),
        overrides=tuple(o for o in event.overrides if o.original_start < original_start),
    )
    span = event.master.span.starting(wall_time(original_start, event.master.span.zone))
    rest = replace(
        event,
        uid=uid,
        master=replace(event.master, span=span),
        recurrence=_recurrence_where(
            event.recurrence, _rest_rule(event, original_start), lambda at: at >= original_start
        ),
        overrides=tuple(o for o in event.overrides if o.original_start >= original_start),
    )
    return head, dragged(rest, by)


def changed(event: Event, change: Callable[[Appearance], Appearance], original_start: OriginalStart = None) -> Event:
    """Change how the event, or one occurrence of it, looks."""
    return _master(event, change) if original_start is None else _occurrence(event, original_start, change)


def _master(event: Event, change: Callable[[Appearance], Appearance]) -> Event:
    return replace(event, master=change(event.master))


def _occurrence(event: Event, original_start: datetime, change: Callable[[Appearance], Appearance]) -> Event:
    overrides = {override.original_start: override.appearance for override in event.overrides}
    span = event.master.span
    slot = replace(event.master, span=span.starting(wall_time(original_start, span.zone)))
    overrides[original_start] = change(overrides.get(original_start, slot))
    return replace(event, overrides=tuple(Override(at, overrides[at]) for at in sorted(overrides)))


def _shifted(appearance: Appearance, by: timedelta) -> Appearance:
    return replace(appearance, span=appearance.span.starting(appearance.span.start + by))


def _all_dragged(event: Event, by: timedelta) -> Event:
    """Shift the master and all that hangs on its starts; single changes keep the times people gave them."""
    assert event.recurrence is not None
    zone = event.master.span.zone

    def moved(at: datetime) -> datetime:
        return instant(wall_time(at, zone) + by, zone)

    days = (event.master.span.start + by).date() - event.master.span.start.date()
    recurrence = Recurrence(
        _shifted_rule(event.recurrence.rule, days.days, moved),
        tuple(moved(at) for at in event.recurrence.added),
        tuple(moved(at) for at in event.recurrence.excluded),
    )
    overrides = tuple(Override(moved(o.original_start), o.appearance) for o in event.overrides)
    return replace(_master(event, lambda a: _shifted(a, by)), recurrence=recurrence, overrides=overrides)


def _shifted_rule(rule: str, days: int, moved: Callable[[datetime], datetime]) -> str:
    parts = _parts(rule)
    if "BYDAY" in parts:
        parts["BYDAY"] = ",".join(_shifted_day(day, days) for day in parts["BYDAY"].split(","))
    if "UNTIL" in parts and parts["UNTIL"].endswith("Z"):
        until = datetime.strptime(parts["UNTIL"], "%Y%m%dT%H%M%S%z")
        parts["UNTIL"] = moved(until).strftime("%Y%m%dT%H%M%SZ")
    return _rule(parts)


def _shifted_day(day: str, days: int) -> str:
    return day[:-2] + _WEEKDAYS[(_WEEKDAYS.index(day[-2:]) + days) % 7]


def _until(event: Event, original_start: datetime) -> str:
    assert event.recurrence is not None
    parts = _parts(event.recurrence.rule)
    parts.pop("COUNT", None)
    parts["UNTIL"] = (original_start - timedelta(seconds=1)).strftime("%Y%m%dT%H%M%SZ")
    return _rule(parts)


def _rest_rule(event: Event, original_start: datetime) -> str:
    assert event.recurrence is not None
    parts = _parts(event.recurrence.rule)
    if "COUNT" in parts:
        start = event.master.span.start
        split_wall = wall_time(original_start, event.master.span.zone)
        earlier = sum(1 for at in rrulestr(event.recurrence.rule, dtstart=start) if at < split_wall)
        # One that the rule itself had long ended goes on by itself.
        parts["COUNT"] = str(max(1, int(parts["COUNT"]) - earlier))
    return _rule(parts)


def _recurrence_where(recurrence: Recurrence, rule: str, keep: Callable[[datetime], bool]) -> Recurrence:
    added = tuple(at for at in recurrence.added if keep(at))
    return Recurrence(rule, added, tuple(at for at in recurrence.excluded if keep(at)))


def _parts(rule: str) -> dict[str, str]:
    return {name.upper(): value for name, _, value in (part.partition("=") for part in rule.split(";"))}


def _rule(parts: dict[str, str]) -> str:
    return ";".join(f"{name}={value}" for name, value in parts.items())
