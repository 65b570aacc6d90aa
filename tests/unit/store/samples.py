"""Made-up records and links for the store's tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from calsync.domain.appointment import Appointment, Block, Series, Subject, SubjectKind
from calsync.domain.drift import Disposition, Drift, DriftKind, Phase, Resolution, Scope
from calsync.domain.event import Appearance, Event, Override, Recurrence
from calsync.domain.link import Link
from calsync.domain.span import Span, Window
from calsync.domain.write import Cause, WriteKind
from calsync.store import calendars, providers
from calsync.store.calendars import CalendarSpec
from calsync.store.owed_writes import OwedWrite
from calsync.store.providers import ProviderRow

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
WINDOW = Window(NOW - 60 * DAY, NOW + 400 * DAY)
SPAN = Span(datetime(2026, 11, 25, 10), datetime(2026, 11, 25, 10, 50), "Europe/Berlin")
LATER = SPAN.starting(datetime(2026, 11, 25, 15))
BY: Any = {"now": NOW, "actor": "support:ada", "action": "book"}


def spec(calendar: str, provider: str = "p1", **changes: Any) -> CalendarSpec:
    """A calendar's declaration."""
    return replace(CalendarSpec(calendar, provider, "c1", "caldav", "mirror", "dedicated", "config"), **changes)


def add_calendar(conn: Connection, calendar: str = "k1", provider: str = "p1", **changes: Any) -> None:
    """Put a provider and a calendar of theirs on the books, due now."""
    providers.put(conn, ProviderRow(provider, "Dr. Ada Example", f"{provider}@example.org", "Europe/Berlin"))
    calendars.register(conn, spec(calendar, provider, **changes), NOW)


def appointment(number: str = "a1", **changes: Any) -> Appointment:
    """A single session tomorrow."""
    return replace(Appointment(number, "p1", "c1", SPAN), **changes)


def series(number: str = "s1", **changes: Any) -> Series:
    """A weekly series."""
    return replace(Series(number, "p1", "c1", SPAN, "FREQ=WEEKLY"), **changes)


def block(number: str = "b1", **changes: Any) -> Block:
    """A day off."""
    whole_day = Span(datetime(2026, 11, 26), datetime(2026, 11, 27), "Europe/Berlin", all_day=True)
    return replace(Block(number, "p1", whole_day, "Away"), **changes)


def subject(number: str = "a1") -> Subject:
    """An appointment as a subject."""
    return Subject(SubjectKind.APPOINTMENT, number)


def event(title: str = "Session 1", span: Span = SPAN) -> Event:
    """A single event as calsync writes it."""
    return Event("u1", Appearance(span, title))


def series_event(title: str = "Session 1") -> Event:
    """A recurring event with one occurrence moved."""
    moved = Override(SPAN.start_at + 7 * DAY, Appearance(LATER, title, answer="declined", proposed=SPAN))
    recurrence = Recurrence("FREQ=WEEKLY", added=(NOW,), excluded=(NOW + DAY,))
    return Event("u2", Appearance(SPAN, title, busy=False), recurrence, (moved,), "Room 1", "ours")


def link(number: str = "L1", **changes: Any) -> Link:
    """A link that was never written."""
    return replace(Link(number, "k1", "p1", subject(), 1, f"r-{number}", f"u-{number}"), **changes)


def owed(number: str = "w1", **changes: Any) -> OwedWrite:
    """A create that is owed now."""
    return replace(
        OwedWrite(
            id=number,
            calendar="k1",
            link="L1",
            kind=WriteKind.CREATE,
            remote_id="r1",
            target=event(),
            content="hash",
            version=None,
            cause=Cause.RECORD,
            reverts=(),
            not_before=NOW,
            created_at=NOW,
        ),
        **changes,
    )


def drift(number: str = "d1", **changes: Any) -> Drift:
    """A session dragged from the morning to the afternoon."""
    return replace(
        Drift(
            id=number,
            edit="e1",
            link="L1",
            calendar="k1",
            provider="p1",
            appointment="a1",
            block=None,
            series=None,
            original_start=None,
            episode=1,
            kind=DriftKind.MOVED,
            phase=Phase.UPCOMING,
            expected=Appearance(SPAN, "Session 1"),
            observed=Appearance(LATER, "Session 1"),
            scope=Scope.OCCURRENCE,
            mixed=False,
            disposition=Disposition.REVERT,
            resolution=Resolution.OPEN,
            detected_at=NOW,
            changed_at=NOW,
        ),
        **changes,
    )
