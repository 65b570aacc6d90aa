"""The events that the suite writes: made-up sessions in odd zones, over changes of the clock, with single changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from calsync.domain.event import Appearance, Event, Override, Recurrence
from calsync.domain.span import Span, Window, instant

WINDOW: Final = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 6, 1, tzinfo=UTC))
ZONE: Final = "America/New_York"
TITLE: Final = "Session A1"

ODD_ZONES: Final = (
    "Etc/UTC", "America/St_Johns", "America/Phoenix", "America/Havana", "America/Asuncion", "America/Nuuk",
    "Atlantic/Azores", "Africa/Casablanca", "Africa/Cairo", "Europe/Dublin", "Europe/Berlin", "Asia/Tehran",
    "Asia/Kolkata", "Asia/Kathmandu", "Asia/Yangon", "Australia/Eucla", "Australia/Lord_Howe", "Antarctica/Troll",
    "Pacific/Chatham", "Pacific/Apia", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Pacific/Norfolk", "Asia/Jerusalem",
)  # fmt: skip
"""Zones with half and quarter hours, summer time of half an hour or backwards, and both ends of the world's day."""


def _wall(text: str) -> datetime:
    return datetime.fromisoformat(text)


def span(start: str, minutes: int = 50, zone: str = ZONE) -> Span:
    """A span from a wall time such as `2026-03-05T10:00`."""
    wall = _wall(start)
    return Span(wall, wall + timedelta(minutes=minutes), zone)


def single(name: str = "single", start: str = "2026-03-05T10:00", zone: str = ZONE) -> Event:
    """One session; its UID is made from the name."""
    return Event(f"{name}@conformance", Appearance(span(start, zone=zone), title=TITLE))


def series(name: str = "series", zone: str = ZONE) -> Event:
    """Eight Thursdays at 10:00, over the American and the European change to summer time."""
    master = Appearance(span("2026-02-19T10:00", zone=zone), title=TITLE)
    return Event(f"{name}@conformance", master, Recurrence("FREQ=WEEKLY;COUNT=8;BYDAY=TH"))


def slot(number: int, zone: str = ZONE) -> datetime:
    """The original start (aware UTC) of the n-th occurrence of `series`, counted from 1."""
    return instant(_wall("2026-02-19T10:00") + timedelta(weeks=number - 1), zone)


def changed_series(name: str = "changed-series") -> Event:
    """A series with an excluded third, a moved fifth and a renamed seventh occurrence."""
    event = series(name)
    moved = Override(slot(5), Appearance(span("2026-03-20T15:30"), title=TITLE))
    renamed = Override(slot(7), Appearance(span("2026-04-02T10:00"), title="Session A1, long"))
    recurrence = Recurrence("FREQ=WEEKLY;COUNT=8;BYDAY=TH", excluded=(slot(3),))
    return Event(event.uid, event.master, recurrence, (moved, renamed))


def repeating(name: str, start: str, rule: str, added: tuple[datetime, ...] = ()) -> Event:
    """A series by another rule."""
    return Event(f"{name}@conformance", Appearance(span(start), title=TITLE), Recurrence(rule, added=added))


def block(name: str = "block") -> Event:
    """Three days out of office, with times."""
    time = Span(_wall("2026-07-01T08:00"), _wall("2026-07-03T18:00"), ZONE)
    return Event(f"{name}@conformance", Appearance(time, title="Out of office"))


SAMPLES: Final = (
    single(),
    single("over-midnight", "2026-05-05T23:40"),
    single("first-reading-of-the-repeated-hour", "2026-11-01T01:30"),
    single("leap-day", "2028-02-29T10:00"),
    Event(
        "texts@conformance",
        Appearance(span("2026-04-07T09:00"), title='Session; with, "all" \\ of it: ü € 🙂'),
        location="Room 3; second floor, left",
        description="Line one\nLine two, with \\n that is no break",
    ),
    Event("free@conformance", Appearance(span("2026-04-08T09:00"), title=TITLE, busy=False)),
    Event("cancelled@conformance", Appearance(span("2026-04-09T09:00"), title=TITLE, cancelled=True)),
    block(),
    Event(
        "all-day@conformance",
        Appearance(Span(_wall("2026-08-03T00:00"), _wall("2026-08-08T00:00"), ZONE, all_day=True), title="Holiday"),
    ),
    series(),
    changed_series(),
    repeating("every-second-week", "2026-10-06T16:00", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU"),
    repeating("until", "2026-03-02T08:00", "FREQ=WEEKLY;BYDAY=MO,WE;UNTIL=20260429T120000Z"),
    repeating("fifth-friday", "2026-01-30T10:00", "FREQ=MONTHLY;BYDAY=5FR"),
    repeating("added", "2026-06-01T10:00", "FREQ=WEEKLY;COUNT=3", (instant(_wall("2026-06-10T12:00"), ZONE),)),
)
"""What must come back as it was written."""

BEYOND_SIMPLE_RULES: Final = SAMPLES[-2:]
"""Samples whose recurrence some services have no form for: a fifth weekday of the month, a date of its own."""
