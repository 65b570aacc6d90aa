"""What people see of an event: its occurrences as instants. An expander of its own, so that the code under test is not
asked about itself."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

from calsync.domain.event import Appearance, Event
from calsync.domain.span import Span

# Start and end as seconds since 1970, and whether it is all-day.
Shown = tuple[int, int, bool]
UNREADABLE: Shown = (-1, -1, False)
AT_MOST = 400


def instant_of(wall: datetime, zone: str) -> datetime:
    """The instant of a wall time."""
    return wall.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def span_key(span: Span) -> Shown:
    """A span as seen."""
    start, end = instant_of(span.start, span.zone), instant_of(span.end, span.zone)
    return int(start.timestamp()), int(end.timestamp()), span.all_day


def seen_key(appearance: Appearance | None) -> Shown | None:
    """An appearance as seen; None when it does not stand."""
    return None if appearance is None or appearance.cancelled else span_key(appearance.span)


@lru_cache(maxsize=50_000)
def spans_of(event: Event) -> tuple[Shown, ...]:
    """All occurrences that stand, in order."""
    if event.recurrence is None:
        key = seen_key(event.master)
        return () if key is None else (key,)
    return tuple(sorted(key for one in by_slot(event).values() if (key := seen_key(one)) is not None))


@lru_cache(maxsize=50_000)
def counted(event: Event) -> Counter[Shown]:
    """The same as a bag. Not to be changed."""
    return Counter(spans_of(event))


OUR_TITLES = "Session"  # how they begin


def renamed(event: Event, ours: str) -> Counter[Shown]:
    """As `counted`, of the occurrences alone whose title does not begin as ours do."""
    shown = [event.master] if event.recurrence is None else by_slot(event).values()
    keys = (seen_key(one) for one in shown if not one.title.startswith(ours))
    return Counter(key for key in keys if key is not None)


def by_slot(event: Event) -> dict[datetime, Appearance]:
    """Every occurrence by its original start."""
    assert event.recurrence is not None
    master = event.master
    length = instant_of(master.span.end, master.span.zone) - instant_of(master.span.start, master.span.zone)
    overrides = {one.original_start: one.appearance for one in event.overrides}
    # A single change that lost its slot to another rule still shows where it was put.
    slots = {*_rule_slots(event), *event.recurrence.added, *overrides} - set(event.recurrence.excluded)
    return {slot: overrides.get(slot) or _at(master, slot, length) for slot in sorted(slots)}


def _at(master: Appearance, slot: datetime, length: timedelta) -> Appearance:
    zone = ZoneInfo(master.span.zone)
    start = slot.astimezone(zone).replace(tzinfo=None)
    end = (slot + length).astimezone(zone).replace(tzinfo=None)
    if master.span.all_day:
        end = start + (master.span.end - master.span.start)
    span = Span(start, end, master.span.zone, master.span.all_day)
    return Appearance(span, master.title, master.cancelled, master.busy, master.answer, master.proposed)


def _rule_slots(event: Event) -> list[datetime]:
    assert event.recurrence is not None
    span = event.master.span
    parts = dict(part.split("=", 1) for part in event.recurrence.rule.upper().split(";"))
    count = int(parts.pop("COUNT", AT_MOST))
    until = _until(parts.pop("UNTIL", None), span.zone)
    rule = ";".join(f"{name}={value}" for name, value in parts.items())
    slots: list[datetime] = []
    for wall in rrulestr(rule, dtstart=span.start):
        at = instant_of(wall, span.zone)
        if len(slots) >= count or (until is not None and at > until):
            break
        slots.append(at)
    return slots


def _until(text: str | None, zone: str) -> datetime | None:
    if text is None:
        return None
    if text.endswith("Z"):
        return datetime.strptime(text[:-1] + "+0000", "%Y%m%dT%H%M%S%z").astimezone(UTC)
    if "T" in text:
        return instant_of(datetime.fromisoformat(text), zone)
    return instant_of(datetime.fromisoformat(text) + timedelta(days=1, seconds=-1), zone)
