"""The lease, tested like a lock: within one process. Several processes: `test_work_processes`."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection

from calsync.store import calendars, work
from calsync.store.calendars import CalendarRow, CalendarState
from calsync.store.database import Database
from calsync.store.work import Lease, Priority
from tests.unit.store.samples import MINUTE, NOW, SECOND, add_calendar

LEASE = 30 * SECOND
POLL = 5 * MINUTE


def claim_all(conn: Connection, owner: str = "me", now: datetime = NOW) -> list[str]:
    return [lease.calendar for lease in work.claim(conn, owner, 100, now, LEASE)]


def claimed(conn: Connection, owner: str = "me", now: datetime = NOW) -> Lease:
    (lease,) = work.claim(conn, owner, 1, now, LEASE)
    return lease


def row(conn: Connection, calendar: str = "k1") -> CalendarRow:
    found = calendars.get(conn, calendar)
    assert found is not None
    return found


def test_claims_what_is_due_and_nothing_else(conn: Connection) -> None:
    add_calendar(conn, "due")
    add_calendar(conn, "later")
    lease = work.claim_one(conn, "later", "me", NOW, LEASE)
    assert lease is not None
    work.done(conn, lease, NOW + MINUTE, NOW)
    assert claim_all(conn) == ["due"]
    assert claim_all(conn, now=NOW + MINUTE - SECOND) == ["due"]  # its lease ran out, the other is not due yet
    assert claim_all(conn, now=NOW + MINUTE) == ["later"]


def test_the_urgent_go_first_then_the_longest_due(conn: Connection) -> None:
    for name, at, priority in (
        ("old poll", NOW - MINUTE, Priority.POLL),
        ("new push", NOW, Priority.PUSH),
        ("old push", NOW - SECOND, Priority.PUSH),
        ("person", NOW, Priority.PERSON),
        ("change", NOW, Priority.CHANGE),
    ):
        add_calendar(conn, name)
        work.push(conn, name, at, priority)
    assert claim_all(conn) == ["person", "old push", "new push", "change", "old poll"]


def test_claims_no_more_than_asked_for(conn: Connection) -> None:
    for number in range(5):
        add_calendar(conn, f"k{number}")
        work.push(conn, f"k{number}", NOW, Priority.PUSH if number % 2 else Priority.POLL)
    assert len(work.claim(conn, "me", 3, NOW, LEASE)) == 3
    assert len(work.claim(conn, "me", 3, NOW, LEASE)) == 2
    assert work.claim(conn, "me", 0, NOW, LEASE) == []


def test_nobody_else_gets_a_leased_calendar_until_the_lease_runs_out(conn: Connection) -> None:
    add_calendar(conn)
    first = claimed(conn)
    assert first == Lease("k1", 1, 1, "me", NOW + LEASE)
    almost = NOW + LEASE - SECOND
    assert claim_all(conn, "you", almost) == []
    assert work.claim_one(conn, "k1", "you", almost, LEASE) is None
    second = claimed(conn, "you", NOW + LEASE)
    assert second.fence == first.fence + 1


def test_every_claim_moves_the_fence_even_by_the_same_owner(conn: Connection) -> None:
    add_calendar(conn)
    fences = [claimed(conn, "me", NOW + number * LEASE).fence for number in range(3)]
    assert fences == [1, 2, 3]


@pytest.mark.parametrize("state", list(CalendarState))
def test_stopped_and_paused_calendars_are_left_alone_others_not(conn: Connection, state: CalendarState) -> None:
    add_calendar(conn)
    calendars.set_state(conn, "k1", state, None, NOW)
    assert claim_all(conn) == ([] if state in ("stopped", "paused") else ["k1"])


def test_a_person_may_take_one_before_it_is_due_and_whatever_its_state(conn: Connection) -> None:
    add_calendar(conn)
    work.done(conn, claimed(conn), NOW + POLL, NOW)
    calendars.set_state(conn, "k1", "stopped", "x", NOW)
    assert work.claim_one(conn, "k1", "me", NOW, LEASE) is not None
    assert work.claim_one(conn, "k1", "me", NOW, LEASE) is None
    assert work.claim_one(conn, "unknown", "me", NOW, LEASE) is None


def test_a_lost_lease_can_do_nothing(conn: Connection) -> None:
    add_calendar(conn)
    lost = claimed(conn)
    held = claimed(conn, "you", NOW + LEASE)
    now = NOW + LEASE
    assert not work.hold_fence(conn, lost)
    assert not work.renew(conn, lost, now, LEASE)
    assert not work.done(conn, lost, now + POLL, now)
    assert not work.defer(conn, lost, now + POLL, "throttled", now)
    assert not work.give_back(conn, lost)
    assert work.hold_fence(conn, held)
    after = row(conn)
    assert (after.lease_owner, after.lease_until, after.attempts) == ("you", held.until, 0)


def test_the_same_fence_under_another_name_is_lost_too(conn: Connection) -> None:
    add_calendar(conn)
    lease = claimed(conn)
    assert not work.hold_fence(conn, replace(lease, owner="you"))
    assert not work.hold_fence(conn, replace(lease, fence=lease.fence + 1))


def test_a_lease_that_ran_out_still_holds_while_nobody_took_it(conn: Connection) -> None:
    add_calendar(conn)
    lease = claimed(conn)
    assert work.hold_fence(conn, lease)
    assert work.renew(conn, lease, NOW + 2 * LEASE, LEASE)
    assert claim_all(conn, "you", NOW + 3 * LEASE - SECOND) == []


def test_done_gives_back_and_sets_the_next_time(conn: Connection) -> None:
    add_calendar(conn)
    work.push(conn, "k1", NOW, Priority.PERSON)
    lease = claimed(conn)
    assert work.done(conn, lease, NOW + POLL, NOW)
    after = row(conn)
    assert (after.due_at, after.priority, after.done_generation) == (NOW + POLL, Priority.POLL, lease.generation)
    assert (after.lease_owner, after.lease_until) == (None, None)
    assert not work.done(conn, lease, NOW, NOW)
    assert not work.hold_fence(conn, lease)


def test_pushes_during_a_run_make_one_more_run(conn: Connection) -> None:
    add_calendar(conn)
    lease = claimed(conn)
    for _ in range(20):
        work.push(conn, "k1", NOW + SECOND, Priority.PUSH)
    assert claim_all(conn, "you", NOW + SECOND) == []
    work.done(conn, lease, NOW + POLL, NOW + 2 * SECOND)
    assert (row(conn).due_at, row(conn).priority) == (NOW + 2 * SECOND, Priority.PUSH)
    again = claimed(conn, "me", NOW + 2 * SECOND)
    work.done(conn, again, NOW + POLL, NOW + 3 * SECOND)
    assert claim_all(conn, "me", NOW + POLL - SECOND) == []


def test_pushes_while_idle_coalesce_into_one_run(conn: Connection) -> None:
    add_calendar(conn)
    for _ in range(20):
        work.push(conn, "k1", NOW, Priority.PUSH)
    work.done(conn, claimed(conn), NOW + POLL, NOW)
    assert claim_all(conn) == []


def test_a_push_moves_nothing_back(conn: Connection) -> None:
    add_calendar(conn)
    work.push(conn, "k1", NOW, Priority.PERSON)
    work.push(conn, "k1", NOW + POLL, Priority.POLL)
    assert (row(conn).due_at, row(conn).priority) == (NOW, Priority.PERSON)
    assert not work.push(conn, "unknown", NOW)


def test_a_failed_pass_backs_off_and_a_push_does_not_shorten_that(conn: Connection) -> None:
    add_calendar(conn)
    until = NOW + POLL
    assert work.defer(conn, claimed(conn), until, "throttled", NOW)
    assert (row(conn).attempts, row(conn).last_error, row(conn).lease_owner) == (1, "throttled", None)
    work.push(conn, "k1", NOW + SECOND, Priority.PERSON)
    assert claim_all(conn, now=until - SECOND) == []
    lease = claimed(conn, now=until)
    work.defer(conn, lease, until + POLL, "throttled", until)
    assert row(conn).attempts == 2
    work.done(conn, claimed(conn, now=until + POLL), until + 2 * POLL, until + POLL)
    after = row(conn)
    assert (after.attempts, after.not_before, after.last_error) == (0, None, None)


def test_success_forgets_the_error_of_an_active_calendar_only(conn: Connection) -> None:
    add_calendar(conn)
    calendars.set_state(conn, "k1", "read-only", "write-forbidden", NOW)
    work.done(conn, claimed(conn), NOW + POLL, NOW)
    assert row(conn).last_error == "write-forbidden"


def test_given_back_it_is_due_as_it_was(conn: Connection) -> None:
    add_calendar(conn)
    work.push(conn, "k1", NOW, Priority.PUSH)
    before = row(conn)
    lease = claimed(conn)
    assert work.give_back(conn, lease)
    after = row(conn)
    assert (after.due_at, after.priority, after.attempts) == (before.due_at, before.priority, 0)
    assert claim_all(conn, "you") == ["k1"]
    assert work.give_back_all(conn, "you") == 1
    assert claim_all(conn, "me") == ["k1"]


def test_stats_tell_how_the_work_stands(conn: Connection) -> None:
    for name in ("due", "running", "expired", "failing", "stopped"):
        add_calendar(conn, name)
    calendars.set_state(conn, "stopped", "stopped", "x", NOW)
    work.claim_one(conn, "expired", "me", NOW - LEASE, LEASE)
    work.claim_one(conn, "running", "me", NOW, LEASE)
    failing = work.claim_one(conn, "failing", "me", NOW, LEASE)
    assert failing is not None
    work.defer(conn, failing, NOW + POLL, "x", NOW)
    assert work.stats(conn, NOW) == work.WorkStats(due=2, oldest_due=NOW, running=1, expired=1, failing=1)


def test_stats_of_no_calendars(conn: Connection) -> None:
    assert work.stats(conn, NOW) == work.WorkStats(0, None, 0, 0, 0)


def test_a_host_clock_that_is_wrong_changes_nothing_where_the_database_has_its_own(db: Database) -> None:
    class WrongClock:
        def now(self) -> datetime:
            return NOW - timedelta(days=365)

    with db.transaction() as conn:
        now = db.now(conn, WrongClock())
        assert (now == WrongClock().now()) is db.is_sqlite
        add_calendar(conn)
        work.push(conn, "k1", now)
        lease = claimed(conn, now=now)
    with db.transaction() as conn:
        # The other machine's clock is a year ahead; on PostgreSQL nobody asks it.
        later = db.now(conn, WrongClock())
        assert claim_all(conn, "you", later) == []
        assert lease.until > later
