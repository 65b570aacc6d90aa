"""What the calendar should show: the event that a record calls for, or None. Pure; called by the worker and the book.

Nothing but time, a title that obeys the practice's privacy setting and our own text goes into a calendar (ALL-3).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum

from calsync.domain.appointment import Appointment, Block, Series
from calsync.domain.event import Appearance, Event, Override, Recurrence
from calsync.domain.recurrence import expand, normalise_rule, slots_between
from calsync.domain.rule import parse_rule
from calsync.domain.span import Span, Window

BLOCK_TITLE = "Out of office"
_A_LIFETIME = timedelta(days=366 * 90)


class Privacy(StrEnum):
    """How much of the client an event's title may tell."""

    ID = "id"
    INITIALS = "initials"
    FIRST_NAME = "first-name"
    FULL_NAME = "full-name"


def title_for(
    privacy: Privacy, *, number: str, first_name: str = "", last_name: str = "", word: str = "Session"
) -> str:
    """Return a title such as "Session 4821"; where the names are not known, the number stands in for them."""
    first, last = first_name.strip(), last_name.strip()
    told = {
        Privacy.ID: "",
        Privacy.INITIALS: " ".join(f"{name[0].upper()}." for name in (first, last) if name),
        Privacy.FIRST_NAME: first,
        Privacy.FULL_NAME: " ".join(name for name in (first, last) if name),
    }[privacy]
    return f"{word} {told or number}"


def expect_appointment(appointment: Appointment, *, title: str, uid: str) -> Event | None:
    """Return the event of a single appointment; None when it was cancelled. A no-show's event stays."""
    if not appointment.status.shows_in_calendars:
        return None
    return Event(uid, Appearance(appointment.span, title))


def expect_series(series: Series, appointments: Iterable[Appointment], *, title: str, uid: str) -> Event | None:
    """Return the event of a series; None when it was cancelled or nothing of it is left.

    `appointments` are those of the series that are on the books; a slot without one is expected as the rule says.
    Cancelled ones become EXDATE, rescheduled ones overrides, and one whose original start is no slot of the rule RDATE.
    """
    if series.cancelled:
        return None
    bare = _bare(series, title=title, uid=uid)
    cancelled, overrides, added = set(series.excluded), [], set(series.added)
    known = {one.original_start: one for one in appointments if one.original_start is not None}
    slots = slots_between(replace(bare, recurrence=_rule_of(series)), min(known), max(known)) if known else {}
    for slot, appointment in sorted(known.items()):
        if not appointment.status.shows_in_calendars:
            cancelled.add(slot)
            continue
        # An appointment that stands takes its slot back from the series' own exclusions.
        cancelled.discard(slot)
        span = slots.get(slot)
        if span is None:
            added.add(slot)
            span = series.span.starting(_wall_at(slot, series.span))
        if not span.same_time_as(appointment.span):
            overrides.append(Override(slot, Appearance(appointment.span, title)))
    recurrence = Recurrence(normalise_rule(series.rule), tuple(sorted(added)), tuple(sorted(cancelled)))
    event = replace(bare, recurrence=recurrence, overrides=tuple(overrides))
    return None if _is_used_up(event) else event


def expect_block(block: Block, *, uid: str) -> Event | None:
    """Return the busy event of an out-of-office block; None when it was cancelled."""
    return None if block.cancelled else Event(uid, Appearance(block.span, block.title or BLOCK_TITLE))


def occurrences_of_series(series: Series, window: Window) -> tuple[tuple[datetime, Span], ...]:
    """Return original start and span of every slot of a series that touches the window, in order of time.

    This is what appointments are made from: the rule with `added`, without `excluded`; a cancelled series has none.
    """
    if series.cancelled:
        return ()
    shown = expand(_bare(series, title="", uid=""), window)
    return tuple(sorted((slot, appearance.span) for slot, appearance in shown.items() if slot is not None))


def _rule_of(series: Series) -> Recurrence:
    return Recurrence(normalise_rule(series.rule), tuple(sorted(series.added)))


def _bare(series: Series, *, title: str, uid: str) -> Event:
    excluded = tuple(sorted(series.excluded))
    return Event(uid, Appearance(series.span, title), replace(_rule_of(series), excluded=excluded))


def _wall_at(slot: datetime, span: Span) -> datetime:
    return Span.between(slot, slot, span.zone).start


def _is_used_up(event: Event) -> bool:
    """Tell whether a bounded series has no slot left; an endless one always has."""
    recurrence = event.recurrence
    if recurrence is None or not recurrence.excluded:
        return False
    rule = parse_rule(recurrence.rule)
    if rule.count is None and rule.until is None:
        return False
    start = event.master.span.start_at
    return not slots_between(event, start, start + _A_LIFETIME)
