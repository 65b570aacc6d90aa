"""Both ways of carrying due passes, on a real PostgreSQL: nothing is lost or run twice at once, urgent goes first."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import text

from calsync.store import calendars, carried_jobs, work, workers
from calsync.store.database import Database, open_database
from calsync.store.listening import listen
from calsync.store.upgrade import upgrade
from calsync.store.work import Priority
from calsync.system_ports import StopEvent, SystemClock, SystemSleep
from calsync.worker.carried import CarriedDispatch
from calsync.worker.dispatch import run_safely
from tests.servers.postgres import Postgres, running_postgres
from tests.unit.worker.engine_world import Process, Runs, add_calendars
from tests.waiting import until

KINDS = ["embedded", "procrastinate"]


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    """A server of this module's own."""
    with running_postgres() as server:
        yield server


@pytest.fixture
def url(postgres: Postgres) -> str:
    """A database with all tables."""
    address = postgres.url(postgres.create())
    upgrade(address)
    return address


@pytest.fixture
def books(url: str) -> Iterator[Database]:
    """The same, open."""
    database = open_database(url)
    yield database
    database.dispose()


def jobs(books: Database) -> dict[str, int]:
    with books.reading() as conn:
        return carried_jobs.counts(conn)


def has_lines(file: Path, count: int) -> bool:
    return file.exists() and len(file.read_text().splitlines()) >= count


def push(books: Database, calendar: str, priority: Priority = Priority.PUSH) -> None:
    with books.transaction() as conn:
        work.push(conn, calendar, SystemClock().now(), priority)


@pytest.mark.parametrize("kind", KINDS)
def test_each_due_calendar_is_run_once_by_one_of_two_workers(books: Database, url: str, kind: str) -> None:
    names = add_calendars(books, 40)
    runs = Runs(seconds=0.02)
    both = [Process(url, kind, runs).start() for _ in range(2)]
    until(lambda: len(runs.order) >= 40)
    time.sleep(0.7)
    for one in both:
        one.end()
    assert sorted(runs.order) == names
    assert runs.overlaps == 0
    assert [one.drained for one in both] == [True, True]
    assert workers.count(books) == 0
    with books.reading() as conn:
        assert work.owners(conn) == []
    if kind == "procrastinate":
        assert jobs(books) == {}


@pytest.mark.parametrize("kind", KINDS)
def test_twenty_pushes_during_a_run_are_one_more_run(books: Database, url: str, kind: str) -> None:
    add_calendars(books, 1)
    runs = Runs(seconds=1.0)
    one = Process(url, kind, runs).start()
    until(lambda: len(runs.order) == 1)
    for _ in range(20):
        push(books, "k000")
    until(lambda: len(runs.order) == 2)
    time.sleep(1.7)
    one.end()
    assert runs.order == ["k000", "k000"]
    assert runs.overlaps == 0


@pytest.mark.parametrize("kind", KINDS)
def test_pushes_go_before_changes_and_changes_before_polls(books: Database, url: str, kind: str) -> None:
    names = add_calendars(books, 12)
    push(books, "k005", Priority.CHANGE)
    push(books, "k009", Priority.PUSH)
    runs = Runs(seconds=0.05)
    one = Process(url, kind, runs, threads=1).start()
    until(lambda: len(runs.order) == len(names))
    one.end()
    assert runs.order[:2] == ["k009", "k005"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_worker_that_is_told_to_end_finishes_what_it_began_and_leaves_the_rest(
    books: Database, url: str, kind: str
) -> None:
    names = add_calendars(books, 12)
    runs = Runs(seconds=0.5)
    one = Process(url, kind, runs, threads=3).start()
    until(lambda: len(runs.order) >= 3)
    one.end()
    assert one.drained
    assert sum(runs.now.values()) == 0
    assert len(runs.order) < 12
    with books.reading() as conn:
        assert work.owners(conn) == []
    runs.seconds = 0.0
    successor = Process(url, kind, runs, threads=3).start()
    until(lambda: len(runs.order) >= 12)
    successor.end()
    assert sorted(runs.order) == names


def test_a_waiting_job_becomes_as_urgent_as_its_calendar(books: Database, url: str) -> None:
    add_calendars(books, 30)
    runs = Runs(seconds=0.1)
    offering = Process(url, "procrastinate", runs, threads=1)
    assert isinstance(offering.dispatch, CarriedDispatch)
    offering.dispatch._prepare()
    assert offering.dispatch.sweep() == 30
    push(books, "k029")
    assert offering.dispatch.sweep() == 0
    assert jobs(books) == {"todo": 30}
    offering.start()
    until(lambda: len(runs.order) >= 3)
    offering.end()
    assert runs.order[0] == "k029"


def test_a_stale_job_ends_without_a_run(books: Database, url: str) -> None:
    add_calendars(books, 3)
    runs = Runs()
    one = Process(url, "procrastinate", runs)
    assert isinstance(one.dispatch, CarriedDispatch)
    one.dispatch._prepare()
    one.dispatch.sweep()
    with books.transaction() as conn:
        conn.execute(text("UPDATE calendars SET due_at = due_at + 600000000 WHERE id <> 'k001'"))
    one.start()
    until(lambda: jobs(books) == {})
    one.end()
    assert runs.order == ["k001"]


def test_two_that_offer_at_once_do_not_undo_each_other(books: Database, url: str) -> None:
    add_calendars(books, 60)
    pair = [Process(url, "procrastinate", Runs()) for _ in range(2)]
    found: list[int] = []
    for one in pair:
        assert isinstance(one.dispatch, CarriedDispatch)
    pair[0].dispatch._prepare()  # type: ignore[attr-defined]
    threads = [threading.Thread(target=lambda one=one: found.append(one.dispatch.sweep())) for one in pair]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sum(found) == 60
    assert jobs(books) == {"todo": 60}
    for one in pair:
        one.database.dispose()


def test_a_job_whose_end_was_never_put_down_holds_nobody_up(books: Database, url: str) -> None:
    """A living worker could not say that its job had ended: without a second look its calendar would stand for ever."""
    add_calendars(books, 3)
    one = Process(url, "procrastinate", runs := Runs())
    assert isinstance(one.dispatch, CarriedDispatch)
    one.dispatch._prepare()
    one.dispatch.sweep()
    with books.transaction() as conn:
        living = "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() + interval '1 hour') RETURNING id"
        worker = conn.execute(text(living)).scalar_one()
        handed_out = (
            "UPDATE procrastinate_jobs SET status = 'doing', worker_id = :worker WHERE lock IN ('k000', 'k002')"
        )
        conn.execute(text(handed_out), {"worker": worker})
        conn.execute(text("UPDATE procrastinate_events SET at = at - interval '1 hour'"))
        held = work.claim_one(conn, "k002", "host/1/busy", SystemClock().now(), one.worker.lease_for)
    assert held is not None
    one.start()
    until(lambda: sorted(runs.order) == ["k000", "k001"])
    one.end()
    assert jobs(books) == {"doing": 1}


def test_an_engine_that_ended_is_started_again_after_a_moment(books: Database, url: str) -> None:
    add_calendars(books, 4)
    one = Process(url, "procrastinate", runs := Runs()).start()
    until(lambda: len(runs.order) == 4)
    with books.transaction() as conn:
        others = "pid <> pg_backend_pid() AND datname = current_database() AND query ~ 'procrastinate|LISTEN'"
        ended = text(f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE {others}")
        assert conn.execute(ended).scalar_one() > 0
    push(books, "k002")
    until(lambda: runs.order[4:] == ["k002"])
    one.end()


def test_old_and_new_workers_side_by_side(books: Database, url: str) -> None:
    """A rolling upgrade: one that claims row by row and never beats, one embedded, one with the carrier."""
    names = add_calendars(books, 60)
    runs = Runs(seconds=0.02)
    old = Process(url, "embedded", runs, beats=False)
    ended = threading.Event()

    def work_as_before() -> None:
        while not ended.is_set():
            with old.database.transaction() as conn:
                now = old.database.now(conn, old.worker.clock)
                leases = work.claim(conn, old.worker.owner, 2, now, old.worker.lease_for)
            for lease in leases:
                run_safely(old.worker, lease)
            ended.wait(0.01)

    before = threading.Thread(target=work_as_before)
    before.start()
    new = [Process(url, kind, runs, threads=2).start() for kind in KINDS]
    until(lambda: len(runs.order) >= 60)
    ended.set()
    before.join(20)
    for one in new:
        one.end()
    assert sorted(set(runs.order)) == names
    assert len(runs.order) == 60
    assert runs.overlaps == 0


def test_a_push_on_another_machine_is_heard_at_once(books: Database, url: str) -> None:
    add_calendars(books, 1)
    heard, stop = threading.Event(), StopEvent()
    listener = threading.Thread(target=listen, args=(open_database(url), heard.set, stop, SystemSleep()))
    listener.start()
    assert heard.wait(10)  # it listens
    heard.clear()
    began = time.monotonic()
    push(books, "k000")
    assert heard.wait(5)
    took = time.monotonic() - began
    stop.set()
    listener.join(10)
    assert took < 3.0  # looking by itself, it would come to it after five


def test_killed_workers_are_taken_over_from_within_15_seconds(postgres: Postgres, tmp_path: Path) -> None:
    """Both kinds at once: eight calendars each in the hands of a process that is killed while it works on them."""
    sites = []
    for kind in KINDS:
        address = postgres.url(postgres.create())
        upgrade(address)
        database = open_database(address)
        add_calendars(database, 4)
        command = [sys.executable, "-m", "tests.unit.worker.engine_world", address, kind]
        slow, quick = tmp_path / f"slow-{kind}", tmp_path / f"quick-{kind}"
        killed = subprocess.Popen([*command, str(slow)])
        sites.append((database, command, slow, quick, killed))
    heirs = []
    try:
        for _, command, slow, quick, killed in sites:
            until(partial(has_lines, slow, 4), 30)
            heirs.append(subprocess.Popen([*command, str(quick)]))
            os.kill(killed.pid, signal.SIGKILL)
            killed.wait()
        died_at = time.time()
        for _, _, _, quick, _ in sites:
            until(partial(has_lines, quick, 4), 30)
            last = max(float(line.split()[0]) for line in quick.read_text().splitlines()[:4])
            assert last - died_at < 15
    finally:
        for heir in heirs:
            heir.terminate()
            heir.wait(20)
        for site in sites:
            site[4].kill()
            site[0].dispose()


def test_sqlite_takes_over_as_well(tmp_path: Path) -> None:
    file = f"sqlite:///{tmp_path / 'books.db'}"
    upgrade(file)
    database = open_database(file)
    add_calendars(database, 2)
    clock = SystemClock()
    with database.transaction() as conn:
        work.claim(conn, "host/1/dead", 2, clock.now(), Process(file, "embedded", Runs()).worker.lease_for)
        conn.execute(text("INSERT INTO workers (owner, began_at, beat_at) VALUES ('host/1/dead', 0, 0)"))
    runs = Runs()
    heir = Process(file, "embedded", runs).start()
    until(lambda: sorted(runs.order) == ["k000", "k001"])
    heir.end()
    with database.reading() as conn:
        assert {row.lease_owner for row in calendars.rows(conn)} == {None}
    database.dispose()
