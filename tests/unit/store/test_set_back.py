"""What a clock that was ahead left on the books is brought back once it was set right."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection, select

from calsync.domain.appointment import Subject, SubjectKind
from calsync.domain.link import Link
from calsync.store import calendars, claims, link_changes, links, observations, set_back, work
from calsync.store.calendars import CalendarSpec
from calsync.store.observations import Observation
from calsync.store.schema import calendars as table
from calsync.testing.fake_ports import A_MONDAY as NOW

LONGEST = timedelta(minutes=70)
READING = Observation("work", "L-1", "A-1", NOW - timedelta(hours=1), None, "v1", after_end=True, linked_at=NOW)


@pytest.fixture
def books(conn: Connection) -> Connection:
    """Two calendars, one with a link."""
    for name in ("work", "home"):
        calendars.register(conn, CalendarSpec(name, "P-1", "c", "caldav", "mirror", "existing", "config"), NOW)
        conn.execute(table.update().where(table.c.id == name).values(due_at=NOW + timedelta(minutes=30)))
    link_changes.insert(conn, Link("L-1", "work", "P-1", Subject(SubjectKind.APPOINTMENT, "A-1"), 1, "r-1", "u-1"))
    return conn


def is_ahead(conn: Connection) -> bool:
    return set_back.is_ahead(conn, NOW, NOW, LONGEST)


def bring_back(conn: Connection) -> dict[str, int]:
    return set_back.bring_back(conn, NOW, NOW, LONGEST)


def test_books_that_are_not_ahead_stay_as_they_are(books: Connection) -> None:
    observations.insert(books, READING)
    calendars.save_reading(books, "work", "cursor", NOW + timedelta(seconds=50), inventory_at=None)
    assert not is_ahead(books)
    assert bring_back(books) == {}
    assert observations.of_appointments(books, ["A-1"])["A-1"] == [READING]


def test_a_reading_of_the_future_is_taken_away_and_made_again(books: Connection) -> None:
    observations.insert(books, READING)
    observations.insert(books, replace(READING, read_at=NOW + timedelta(hours=1)))
    calendars.save_reading(books, "work", "cursor", NOW + timedelta(hours=1), inventory_at=NOW + timedelta(hours=1))
    claims.take_away(books, "A-1", 1)
    assert is_ahead(books)
    assert bring_back(books) == {"readings": 1, "calendars": 2}
    assert observations.of_appointments(books, ["A-1"])["A-1"] == [READING]
    row = calendars.get(books, "work")
    assert row is not None
    assert (row.last_read_at, row.inventory_at) == (NOW, None)
    assert [one.id for one in links.reads_due(books, "work", NOW, 10)] == ["L-1"]
    assert [name for name, _ in claims.touched(books, 10)] == ["A-1"]
    assert [lease.calendar for lease in work.claim(books, "w", 10, NOW, timedelta(minutes=2))] == ["work"]
    assert not is_ahead(books)
    assert bring_back(books) == {}


@pytest.mark.parametrize(
    "put_off",
    [
        {"due_at": NOW + timedelta(days=3)},
        {"due_at": NOW + timedelta(days=3), "not_before": NOW + timedelta(days=3)},
        {"due_at": NOW, "lease_owner": "dead", "lease_until": NOW + timedelta(days=3)},
    ],
    ids=["poll", "backing-off", "lease"],
)
def test_a_calendar_that_is_put_off_to_another_day_is_due(books: Connection, put_off: dict[str, object]) -> None:
    books.execute(table.update().where(table.c.id == "home").values(**put_off))
    assert work.claim(books, "w", 10, NOW, timedelta(minutes=2)) == []
    assert is_ahead(books)
    assert bring_back(books) == {"calendars": 1}
    assert [lease.calendar for lease in work.claim(books, "w", 10, NOW, timedelta(minutes=2))] == ["home"]


def test_a_calendar_that_its_service_wants_left_alone_for_a_day_stays_so(books: Connection) -> None:
    wait = NOW + timedelta(hours=24)
    books.execute(table.update().where(table.c.id == "home").values(due_at=wait, not_before=wait))
    assert not is_ahead(books)
    bring_back(books)
    assert books.execute(select(table.c.not_before).where(table.c.id == "home")).scalar_one() == wait


def test_an_event_stood_by_now_at_the_latest(books: Connection) -> None:
    later = NOW + timedelta(hours=5)
    link_changes.confirm(
        books, "L-1", version="v", baseline=None, baseline_hash=None, remote_id="r-1", confirmed_at=later
    )
    assert bring_back(books) == {"links": 2}
    (link,) = links.by_ids(books, ["L-1"])
    assert (link.linked_at, link.confirmed_at) == (NOW, NOW)
