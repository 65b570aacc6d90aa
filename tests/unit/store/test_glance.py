"""The three single statements of a quiet pass say what the many statements before them said, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from calsync.domain.appointment import Subject, SubjectKind
from calsync.store import calendars, glance, link_changes, providers, stops, subject_changes, work
from calsync.store.database import Database
from calsync.store.glance import Ending
from calsync.store.providers import ProviderRow
from calsync.store.stops import StopRow
from tests.unit.store.plans import query_plan
from tests.unit.store.samples import add_calendar, link

LEASE = timedelta(seconds=120)
PAUSE = timedelta(minutes=5)
SECOND = timedelta(seconds=1)


@pytest.fixture
def now() -> datetime:
    """The host's time: PostgreSQL counts leases by its own, which is about the same here."""
    return datetime.now(UTC)


@pytest.fixture
def books(db: Database) -> Database:
    """One provider and one calendar."""
    with db.transaction() as conn:
        add_calendar(conn, "k1")
        providers.put(conn, ProviderRow("p1", "Dr. Made Up", "p1@example.org", "Europe/Berlin", "north"))
        subject_changes.take_away_all(conn, "k1", subject_changes.pending(conn, "k1", 100))
    return db


def test_one_of_two_gets_the_calendar_and_the_fence_moves(books: Database, now: datetime) -> None:
    first = glance.claim(books, "k1", "me", now, LEASE)
    assert first is not None
    assert first.fence == 1
    assert abs(first.until - now - LEASE) < 30 * SECOND
    assert glance.claim(books, "k1", "you", now, LEASE) is None
    assert glance.claim(books, "unknown", "you", now, LEASE) is None
    with books.transaction() as conn:
        assert work.hold_fence(conn, first)
        work.give_back(conn, first)
    second = glance.claim(books, "k1", "you", now, LEASE)
    assert second is not None
    assert second.fence == 2


def test_a_row_that_another_is_just_claiming_is_not_waited_for(books: Database, now: datetime, backend: str) -> None:
    if backend == "sqlite":
        return  # one writer at a time there: it waits, and then finds the lease
    with books.transaction() as conn:
        conn.execute(text("SELECT id FROM calendars WHERE id = 'k1' FOR UPDATE"))
        assert glance.claim(books, "k1", "me", now, LEASE) is None


def test_the_look_tells_row_people_and_what_waits(books: Database, now: datetime) -> None:
    seen = glance.look(books, "k1", now)
    assert seen is not None
    with books.reading() as conn:
        assert seen.row == calendars.get(conn, "k1")
    assert (seen.zone, seen.practice, seen.released) == ("Europe/Berlin", "north", None)
    assert seen.nothing_waits
    assert seen.busy_due
    assert not seen.is_told
    assert glance.look(books, "unknown", now) is None


def test_several_are_looked_at_as_each_alone(books: Database, now: datetime) -> None:
    names = [f"k{number}" for number in range(1, glance.TOGETHER + 4)]
    with books.transaction() as conn:
        for name in names[1:]:
            add_calendar(conn, name)
        subject_changes.take_away_all(conn, "k3", subject_changes.pending(conn, "k3", 100))
        stops.start(conn, StopRow("s1", "k4", now, "stampede", {}, ()))
        stops.release(conn, "k4", now, "edits", "support:x")
        link_changes.insert(conn, link(calendar="k5"))
        link_changes.set_read_after(conn, link().id, now)
    for count in (0, 1, 2, glance.TOGETHER, len(names)):
        found = glance.look_at_each(books, names[:count], now)
        assert found == {name: glance.look(books, name, now) for name in names[:count]}
    waiting = {name: not seen.nothing_waits for name, seen in glance.look_at_each(books, names, now).items()}
    assert (waiting["k1"], waiting["k3"], waiting["k5"]) == (False, False, True)
    assert glance.look_at_each(books, ["unknown", "k1"], now).keys() == {"k1"}


def test_marks_reads_and_releases_are_seen(books: Database, now: datetime) -> None:
    with books.transaction() as conn:
        subject_changes.mark(conn, "p1", Subject(SubjectKind.APPOINTMENT, "a1"))
        stops.start(conn, StopRow("s1", "k1", now, "stampede", {}, ()))
        stops.release(conn, "k1", now, "edits", "support:x")
    seen = glance.look(books, "k1", now)
    assert seen is not None
    assert not seen.nothing_waits
    assert seen.released == "edits"


def test_a_read_by_id_waits_once_it_is_due(books: Database, now: datetime) -> None:
    with books.transaction() as conn:
        link_changes.insert(conn, link())
        link_changes.set_read_after(conn, link().id, now + SECOND)
    before, after = glance.look(books, "k1", now), glance.look(books, "k1", now + SECOND)
    assert before is not None
    assert after is not None
    assert (before.nothing_waits, after.nothing_waits) == (True, False)


def test_a_calm_end_gives_the_calendar_back_until_the_poll(books: Database, now: datetime) -> None:
    lease = glance.claim(books, "k1", "me", now, LEASE)
    assert lease is not None
    assert glance.end_calm(books, lease, Ending("cursor-2", now, PAUSE), now)
    with books.reading() as conn:
        row = calendars.get(conn, "k1")
    assert row is not None
    assert (row.cursor, row.last_read_at, row.lease_owner, row.lease_until) == ("cursor-2", now, None, None)
    assert abs(row.due_at - now - PAUSE) < 30 * SECOND
    assert row.done_generation == lease.generation
    assert not glance.end_calm(books, lease, Ending("cursor-3", now, PAUSE), now)


def test_a_calm_end_heeds_pushes_and_reads_that_come_due(books: Database, now: datetime) -> None:
    lease = glance.claim(books, "k1", "me", now, LEASE)
    assert lease is not None
    with books.transaction() as conn:
        link_changes.insert(conn, link())
        link_changes.set_read_after(conn, link().id, now + timedelta(minutes=1))
    assert glance.end_calm(books, lease, Ending(None, None, PAUSE), now)
    with books.transaction() as conn:
        row = calendars.get(conn, "k1")
        assert row is not None
        assert row.due_at == now + timedelta(minutes=1)
        assert row.cursor is None
        again = work.claim_one(conn, "k1", "me", now, LEASE)
        assert again is not None
        work.push(conn, "k1", now, work.Priority.PUSH)
    assert glance.end_calm(books, again, Ending(None, None, PAUSE), now)
    with books.reading() as conn:
        row = calendars.get(conn, "k1")
    assert row is not None
    assert row.due_at <= now + 30 * SECOND
    assert row.priority == work.Priority.PUSH


def test_a_worker_that_slept_past_its_lease_ends_nothing(books: Database, now: datetime) -> None:
    lost = glance.claim(books, "k1", "me", now, LEASE)
    assert lost is not None
    with books.transaction() as conn:
        held = work.claim_one(conn, "k1", "you", now + 2 * LEASE, LEASE)
    assert held is not None
    assert not glance.end_calm(books, lost, Ending("stale", now, PAUSE), now)
    with books.transaction() as conn:
        row = calendars.get(conn, "k1")
        assert row is not None
        assert row.cursor is None
        assert work.hold_fence(conn, held)


@pytest.mark.parametrize("statement", [glance.GLANCE, glance.GLANCES, glance.END_CALM, glance.CLAIM])
def test_they_go_through_indexes(db: Database, backend: str, statement: object) -> None:
    given = {"the_calendar": "k1", "the_id": "k1", "now": datetime(2026, 1, 1, tzinfo=UTC)}
    given |= {"the_fence": 1, "the_owner": "me"} | {f"calendar_{number}": "k1" for number in range(glance.TOGETHER)}
    with db.reading() as conn:
        if backend == "postgresql":
            conn.execute(text("SET LOCAL enable_seqscan = off"))
        plan = query_plan(conn, statement, given)
    whole = [line for line in plan.splitlines() if "Seq Scan" in line or ("SCAN" in line and "USING" not in line)]
    assert not whole, plan


def test_nobody_waits_for_the_disk(books: Database, now: datetime, backend: str) -> None:
    assert glance.claim(books, "k1", "me", now, LEASE) is not None
    raw = books._swift.raw_connection()
    told = raw.cursor().execute("PRAGMA synchronous" if backend == "sqlite" else "SHOW synchronous_commit").fetchone()
    raw.close()
    assert told[0] == (1 if backend == "sqlite" else "off")
    if backend == "sqlite":
        with books.reading() as conn:
            assert conn.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2
