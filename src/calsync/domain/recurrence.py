"""Bounded expansion of an event to what people see inside a window. Pure; never runs a hostile rule.

Wall time counts: a session at 10:00 stays at 10:00 when the clocks change. A wall time that the clocks skip is read
with the offset before the gap (RFC 5545 3.3.5) and shown as the clocks then show it; one that they show twice means the
first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from calsync.domain.event import Appearance, Event, OriginalStart, Recurrence
from calsync.domain.rule import Rule, RuleRefused, Until, normalise_rule, parse_rule, rule_with_until
from calsync.domain.rule_days import rule_times
from calsync.domain.span import Span, Window, instant, wall_time

__all__ = [
    "RuleRefused",
    "expand",
    "expand_slots",
    "normalise_rule",
    "refuse_hostile",
    "rule_with_until",
    "slots_between",
]

MAX_DATES = 500
MAX_OVERRIDES = 200
FIRST_YEAR, LAST_YEAR = 1900, 2200
_DAY = timedelta(days=1)


def expand(event: Event, window: Window) -> dict[OriginalStart, Appearance]:
    """Return every occurrence whose span touches the window, by original start (aware UTC; None for a single event).

    An override counts where it was moved to, not where its slot is. One that belongs to no slot shows under its own
    original start; an excluded slot shows nothing, even if an override of it is left over. Cancelled occurrences are
    included, marked as such. Raises `RuleRefused` for hostile recurrences, before running them.
    """
    return {key: shown for key, (_, shown) in _occurrences(event, window).items() if window.touches(shown.span)}


def expand_slots(event: Event, window: Window) -> dict[OriginalStart, Appearance]:
    """Return what `expand` does, and also occurrences moved out of the window whose slot touches it."""
    return {
        key: shown
        for key, (slot, shown) in _occurrences(event, window).items()
        if window.touches(shown.span) or (slot is not None and window.touches(slot))
    }


def slots_between(event: Event, first: datetime, last: datetime) -> dict[datetime, Span]:
    """Return the slots of a series that start within two aware instants (inclusive): rule and RDATE, less EXDATE."""
    refuse_hostile(event)
    if event.recurrence is None:
        return {}
    excluded = _Excluded(event.recurrence, event.master.span)
    return {
        at: span
        for at, span in _pattern(event.master.span, event.recurrence, first, last)
        if first <= at <= last and not excluded.covers(at)
    }


def refuse_hostile(event: Event) -> None:
    """Raise `RuleRefused` if the event's recurrence breaks a limit; cheap, expands nothing."""
    if not FIRST_YEAR <= event.master.span.start.year <= LAST_YEAR:
        raise RuleRefused("start-year", f"not within {FIRST_YEAR} and {LAST_YEAR}")
    if len(event.overrides) > MAX_OVERRIDES:
        raise RuleRefused("too-many-overrides", f"more than {MAX_OVERRIDES}")
    if event.recurrence is not None:
        if max(len(event.recurrence.added), len(event.recurrence.excluded)) > MAX_DATES:
            raise RuleRefused("too-many-dates", f"more than {MAX_DATES}")
        if event.recurrence.rule:
            parse_rule(event.recurrence.rule)


def _occurrences(event: Event, window: Window) -> dict[OriginalStart, tuple[Span | None, Appearance]]:
    """Return candidates by original start: the slot (None where there is none) and what is shown for it."""
    overrides = {override.original_start: override.appearance for override in event.overrides}
    found: dict[OriginalStart, tuple[Span | None, Appearance]] = {}
    if event.recurrence is None:
        refuse_hostile(event)
        span = event.master.span
        found[None] = (span, overrides.pop(span.start_at, event.master))
        excluded = None
    else:
        length = max(event.master.span.length, timedelta(0))
        slots = slots_between(event, window.start - length - _DAY, window.end + _DAY)
        for at, span in slots.items():
            found[at] = (span, overrides.pop(at, replace(event.master, span=span)))
        excluded = _Excluded(event.recurrence, event.master.span)
    for at, appearance in overrides.items():
        if excluded is None or not excluded.covers(at):
            found[at] = (None, appearance)
    return found


class _Excluded:
    """Which slots EXDATE takes away: those at its instants, and the whole day where it is a date (a midnight)."""

    def __init__(self, recurrence: Recurrence, master: Span) -> None:
        self._instants = frozenset(recurrence.excluded)
        self._zone = master.zone
        # EXDATE;VALUE=DATE reaches us as that day's midnight. In a series that never starts at midnight it can only
        # mean the day.
        walls = (wall_time(at, master.zone) for at in recurrence.excluded) if master.start.time() != time() else ()
        self._days = frozenset(wall.date() for wall in walls if wall.time() == time())

    def covers(self, at: datetime) -> bool:
        return at in self._instants or (bool(self._days) and wall_time(at, self._zone).date() in self._days)


def _pattern(master: Span, recurrence: Recurrence, first: datetime, last: datetime) -> Iterator[tuple[datetime, Span]]:
    """Yield slots in order of the rule, then RDATEs; a superset of those between the two instants."""
    zone = master.zone
    # A day more on both sides: within it lies every difference between wall times and instants.
    lower, upper = wall_time(first, zone).replace(fold=0) - _DAY, wall_time(last, zone).replace(fold=0) + _DAY
    if recurrence.rule:
        rule = parse_rule(recurrence.rule)
        if rule.until is not None:
            upper = min(upper, rule.until.at + 2 * _DAY)
        for wall in rule_times(rule, master.start, first=lower, last=upper):
            if not _is_over(rule, wall, master):
                yield _slot(master, wall)
    elif lower <= master.start <= upper:
        yield _slot(master, master.start)
    for at in recurrence.added:
        if first <= at <= last:
            yield at, master.starting(wall_time(at, zone))


def _slot(master: Span, wall: datetime) -> tuple[datetime, Span]:
    if wall == master.start:
        return master.start_at, master
    at = instant(wall, master.zone)
    # Brought back from the instant, so that a skipped hour reads as the clocks show it.
    return at, master.starting(wall if master.all_day else wall_time(at, master.zone))


def _is_over(rule: Rule, wall: datetime, master: Span) -> bool:
    if rule.until is None:
        return False
    return (
        wall > _last_wall(rule.until, master)
        if not _is_instant(rule.until, master)
        else (instant(wall, master.zone) > rule.until.at.replace(tzinfo=UTC))
    )


def _is_instant(until: Until, master: Span) -> bool:
    return until.utc and not master.all_day


def _last_wall(until: Until, master: Span) -> datetime:
    if until.whole_day or master.all_day:
        return datetime.combine(until.at.date(), time.max)
    return until.at
