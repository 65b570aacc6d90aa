"""What mails about sessions ask of the books: whom to remind, whose day is open, what rises with each change."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from calsync.domain.appointment import Appointment, AppointmentStatus, Series
from calsync.domain.span import Span
from calsync.store import calendars, news_rows, outbox, record_changes
from calsync.store.calendars import CalendarSpec
from tests.unit.store.samples import NOW

ZONE = "Europe/Berlin"
HOUR = timedelta(hours=1)


def put(conn: Connection, number: str, hours: float, origin: str = "book", **changes: Any) -> Appointment:
    start = Span.between(NOW + hours * HOUR, NOW + (hours + 1) * HOUR, ZONE)
    one = Appointment(number, "p1", "c1", start, **changes)
    record_changes.put_appointment(conn, one, now=NOW, actor="support:x", action="booked", origin=origin)
    return one


def test_each_session_of_the_book_is_reminded_of_once_for_each_start(conn: Connection) -> None:
    near = put(conn, "near", 5)
    put(conn, "far", 50)
    put(conn, "imported", 5, origin="import")
    put(conn, "off", 5, status=AppointmentStatus.CANCELLED)
    day = 24 * HOUR
    assert [one.id for one in news_rows.to_remind(conn, NOW, NOW + day)] == ["near"]
    key = news_rows.reminder_key(near)
    outbox.put(conn, key, news_rows.REMINDER, "client:c1", {}, now=NOW, due_at=NOW)
    assert news_rows.to_remind(conn, NOW, NOW + day) == []
    put(conn, "near", 6)
    assert [one.id for one in news_rows.to_remind(conn, NOW, NOW + day)] == ["near"]


def test_whose_day_is_open(conn: Connection) -> None:
    put(conn, "held", -3, status=AppointmentStatus.COMPLETED)
    assert news_rows.providers_with_ends(conn, NOW - 30 * HOUR, NOW) == []
    put(conn, "open", -5)
    put(conn, "imported", -7, origin="import")
    assert news_rows.providers_with_ends(conn, NOW - 30 * HOUR, NOW) == ["p1"]
    assert news_rows.ended_unrecorded(conn, "p1", NOW - 30 * HOUR, NOW) == ["open"]
    assert news_rows.last_end(conn, "p1", NOW - 30 * HOUR, NOW) == NOW - 4 * HOUR
    assert news_rows.last_end(conn, "p1", NOW, NOW + HOUR) is None


def test_a_number_rises_with_each_change_of_a_series_or_a_member(conn: Connection) -> None:
    wall = datetime(2026, 11, 24, 10)
    series = Series("s1", "p1", "c1", Span(wall, wall + HOUR, ZONE), "FREQ=WEEKLY")
    record_changes.put_series(conn, series, now=NOW, actor="x", action="booked")
    first = news_rows.last_change(conn, "s1", [])
    put(conn, "m1", 5)
    second = news_rows.last_change(conn, "s1", ["m1"])
    put(conn, "m1", 6)
    put(conn, "other", 6)
    third = news_rows.last_change(conn, "s1", ["m1"])
    assert first < second < third
    assert news_rows.last_change(conn, "s1", []) == first


def test_only_a_mirror_that_stands_counts(conn: Connection) -> None:
    assert not news_rows.has_mirror(conn, "p1")
    calendars.register(conn, CalendarSpec("busy", "p1", "c", "caldav", "busy", "existing", "config"), NOW)
    assert not news_rows.has_mirror(conn, "p1")
    calendars.register(conn, CalendarSpec("k1", "p1", "c", "caldav", "mirror", "existing", "config"), NOW)
    assert news_rows.has_mirror(conn, "p1")
    calendars.remove(conn, "k1", NOW)
    assert not news_rows.has_mirror(conn, "p1")
