"""From Graph's rows to an Event: a single one, or a master with its occurrences put together. Pure.

What people see decides: a slot of the rule that no occurrence stands for is a removed one, whether the service names
it as cancelled or not; an occurrence that looks otherwise than its slot is an override, whatever its `type` says.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from calsync.domain.event import Appearance, Event, Override, Recurrence
from calsync.domain.recurrence import RuleRefused, slots_between
from calsync.domain.span import Span, Window, instant, wall_time
from calsync_outlook.ours import MARKER, UID, ZONE, our_description
from calsync_outlook.recurrence import NotHeld, rule_of
from calsync_outlook.rows import EventRefused, Row
from calsync_outlook.zones import UTC_ZONE, iana_of, same_zone

_HALF_A_DAY = timedelta(hours=14)
_EDGE = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Aggregate:
    """An event as the service shows it: the master or single row, and for a series its occurrences in `extent`."""

    master: Row
    extent: Window
    home: str  # the provider's zone, for days without a zone
    occurrences: tuple[Row, ...] = ()

    @property
    def is_series(self) -> bool:
        """Whether it repeats."""
        return self.master.recurrence is not None

    @property
    def marker(self) -> str | None:
        """The raw text of our marker."""
        return self.master.props.get(MARKER.lower()) or None

    @property
    def version(self) -> str:
        """The version of everything together: an exception has one of its own, and a removed occurrence none."""
        if not self.is_series:
            return self.master.version
        changed = [f"{row.id}={row.version}" for row in self.occurrences if row.kind == "exception"]
        there = sorted(row.id for row in self.occurrences)
        digest = hashlib.sha256("\n".join([*sorted(changed), "", *there]).encode()).hexdigest()[:16]
        return f"{self.master.version}~{digest}"


def event_of(whole: Aggregate) -> Event:
    """Return the event; EventRefused names the rule that it breaks."""
    master = whole.master
    zone = zone_of(master, whole.home)
    looks = look_of(master, zone)
    event = Event(
        uid=master.props.get(UID.lower()) or master.uid,
        master=looks,
        location=master.location,
        description=our_description(master.text),
        # "Personal" hides nothing; what was not told is no news.
        public=master.sensitivity in ("normal", "personal"),
    )
    if master.recurrence is None:
        return event
    try:
        event = replace(event, recurrence=Recurrence(rule_of(master.recurrence, looks.span)))
        slots = slots_of(event, whole.extent)
    except NotHeld as refusal:
        raise EventRefused(refusal.reason) from None
    except RuleRefused as refusal:
        raise EventRefused(f"rule-{refusal.broken}") from None
    return _with_occurrences(event, whole, slots)


def zone_of(row: Row, home: str) -> str:
    """Return the IANA zone of an event: ours where Graph still names the one that we wrote, else what it names."""
    ours = row.props.get(ZONE.lower())
    if ours is not None and iana_of(ours) is None:
        ours = None
    if row.all_day:
        return ours or home
    if ours is not None and (same_zone(ours, row.zone_name) or _is_utc_single(row)):
        return ours
    told = iana_of(row.zone_name)
    if told is None:
        raise EventRefused("zone-unknown")
    return told


def look_of(row: Row, zone: str) -> Appearance:
    """Return how a row looks, its times as the clocks of a zone show them."""
    return Appearance(
        span=span_of(row, zone),
        title=row.title,
        cancelled=row.cancelled,
        busy=row.busy,
        answer=row.answer,
        proposed=row.proposed,
    )


def span_of(row: Row, zone: str) -> Span:
    """Return the times of a row in a zone."""
    if row.all_day:
        return Span(row.start, row.end, zone, all_day=True)
    return Span.between(row.start, row.end, zone)


def slots_of(event: Event, extent: Window) -> dict[datetime, Span]:
    """Return the slots of a series inside an extent, its edges left out: there nothing can be told for sure."""
    bare = replace(event, overrides=(), recurrence=Recurrence(event.recurrence.rule if event.recurrence else ""))
    first = max(extent.start + _EDGE, event.master.span.start_at)
    return slots_between(bare, first, extent.end - _EDGE)


def by_slot(event: Event, rows: Iterable[Row], slots: dict[datetime, Span]) -> dict[datetime, Row]:
    """Return occurrences by the slot that they stand for; EventRefused where that cannot be told."""
    found: dict[datetime, Row] = {}
    for row in rows:
        at = _slot(event, row, slots)
        if at in found:
            raise EventRefused("two-overrides")
        found[at] = row
    return found


def local_date(at: datetime, event: Event) -> str:
    """Return the date of a slot as Graph writes it in the list of cancelled ones."""
    return wall_time(at, event.master.span.zone).date().isoformat()


def missing_slots(event: Event, whole: Aggregate) -> list[datetime]:
    """Return slots that no occurrence stands for and that the service does not name as cancelled.

    They were moved out of the extent. Empty where the service does not tell.
    """
    named = whole.master.cancelled_dates
    if named is None or event.recurrence is None:
        return []
    return [at for at in event.recurrence.excluded if local_date(at, event) not in named]


def _with_occurrences(event: Event, whole: Aggregate, slots: dict[datetime, Span]) -> Event:
    zone = event.master.span.zone
    rows = by_slot(event, whole.occurrences, slots)
    overrides = []
    for at, row in sorted(rows.items()):
        shown = look_of(row, zone)
        plain = replace(event.master, span=slots[at]) if at in slots else None
        if plain is None and row.kind != "exception":
            continue  # a plain occurrence beyond the edge of what is compared
        if plain is None or not looks_alike(shown, plain):
            overrides.append(Override(at, shown))
    excluded = tuple(sorted(at for at in slots if at not in rows))
    assert event.recurrence is not None
    return replace(event, recurrence=Recurrence(event.recurrence.rule, (), excluded), overrides=tuple(overrides))


def looks_alike(one: Appearance, other: Appearance) -> bool:
    """Tell whether two looks are the same to people, whatever their zones."""
    times = one.span.same_time_as(other.span) and one.span.all_day == other.span.all_day
    return times and replace(one, span=other.span) == other


def _slot(event: Event, row: Row, slots: dict[datetime, Span]) -> datetime:
    zone = event.master.span.zone
    at = row.original_start
    if at is None:
        if row.kind == "exception":
            raise EventRefused("no-original-start")
        at = instant(row.start, zone) if row.all_day else row.start
    if at in slots or not event.master.span.all_day:
        return at
    # Days have no zone: the service may count them from any midnight.
    nearest = min(slots, key=lambda slot: abs(slot - at), default=at)
    return nearest if abs(nearest - at) <= _HALF_A_DAY else at


def _is_utc_single(row: Row) -> bool:
    # Single events are sent in UTC, which is exact; the zone that they are meant in is a property of ours.
    return row.recurrence is None and iana_of(row.zone_name) == UTC_ZONE
