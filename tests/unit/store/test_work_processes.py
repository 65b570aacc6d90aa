"""The lease between real processes: killed, frozen past their lease, and working side by side."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from calsync.store import calendars, work
from calsync.store.database import Database
from calsync.store.schema import holds
from calsync.store.schema_effects import budgets
from tests.unit.store.lock_program import LEASE
from tests.unit.store.samples import NOW, add_calendar

ROOT = Path(__file__).parents[3]
EXPIRED = int(LEASE.total_seconds())


class Process:
    """A worker in a process of its own."""

    def __init__(self, url: str, owner: str) -> None:
        command = [sys.executable, "-m", "tests.unit.store.lock_program", url, owner]
        self.popen = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)

    def send(self, line: str) -> None:
        assert self.popen.stdin
        self.popen.stdin.write(line + "\n")
        self.popen.stdin.flush()

    def read(self) -> str:
        assert self.popen.stdout
        return self.popen.stdout.readline().strip()

    def ask(self, line: str) -> str:
        self.send(line)
        return self.read()

    def kill(self) -> None:
        self.popen.kill()
        self.popen.wait(30)

    def freeze(self) -> None:
        self.popen.send_signal(signal.SIGSTOP)
        _, status = os.waitpid(self.popen.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)

    def thaw(self) -> None:
        self.popen.send_signal(signal.SIGCONT)

    def end(self) -> None:
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGCONT)
            self.popen.kill()
            self.popen.wait(30)
        for pipe in (self.popen.stdin, self.popen.stdout):
            if pipe:
                pipe.close()


@pytest.fixture
def process(url: str) -> Iterator[Callable[[str], Process]]:
    started: list[Process] = []

    def start(owner: str) -> Process:
        started.append(Process(url, owner))
        return started[-1]

    yield start
    for one in started:
        one.end()


@pytest.fixture
def booked(db: Database) -> Database:
    with db.transaction() as conn:
        add_calendar(conn)
    return db


def committed(db: Database) -> list[str]:
    with db.reading() as conn:
        return list(conn.execute(select(holds.c.appointment).order_by(holds.c.drift)).scalars())


def test_the_calendar_of_a_killed_worker_is_taken_over_when_its_lease_ends(
    booked: Database, process: Callable[[str], Process]
) -> None:
    first, second = process("first"), process("second")
    assert first.ask("claim 0") == "1"
    first.kill()
    assert second.ask(f"claim {EXPIRED - 1}") == "nothing"
    assert second.ask(f"claim {EXPIRED}") == "2"


def test_a_worker_killed_inside_a_transaction_leaves_no_lock_and_no_row(
    booked: Database, process: Callable[[str], Process]
) -> None:
    first, second = process("first"), process("second")
    first.ask("claim 0")
    assert first.ask("begin") == "holding"
    assert first.ask("write") == "written"
    first.kill()
    assert second.ask(f"claim {EXPIRED}") == "2"
    assert second.ask("begin") == "holding"
    assert second.ask("write") == "written"
    assert second.ask("commit") == "committed"
    assert committed(booked) == ["second"]


def test_a_worker_that_slept_past_its_lease_commits_nothing(
    booked: Database, process: Callable[[str], Process]
) -> None:
    sleeper, second = process("sleeper"), process("second")
    assert sleeper.ask("claim 0") == "1"
    sleeper.freeze()
    assert second.ask(f"claim {EXPIRED}") == "2"
    sleeper.send("begin")
    sleeper.thaw()
    assert sleeper.read() == "lost"
    with booked.reading() as conn:
        row = calendars.get(conn, "k1")
    assert row is not None
    assert (row.lease_owner, row.fence) == ("second", 2)


def test_while_a_worker_commits_under_its_fence_nobody_can_take_over(
    booked: Database, process: Callable[[str], Process]
) -> None:
    first, second = process("first"), process("second")
    first.ask("claim 0")
    assert first.ask("begin") == "holding"
    first.ask("write")
    first.freeze()
    second.send(f"claim {EXPIRED}")
    if not booked.is_sqlite:
        # There the row is skipped while it is locked; SQLite lets nobody else write, so the claim waits.
        assert second.read() == "nothing"
        second.send(f"claim {EXPIRED}")
        assert second.read() == "nothing"
        second.send(f"claim {EXPIRED}")
    first.thaw()
    assert first.ask("commit") == "committed"
    answer = second.read()
    assert answer in ("2", "nothing")
    assert answer == "2" or second.ask(f"claim {EXPIRED}") == "2"
    assert committed(booked) == ["first"]


def test_a_push_from_another_process_during_a_run_is_not_lost(
    booked: Database, process: Callable[[str], Process]
) -> None:
    worker = process("worker")
    assert worker.ask("claim 0") == "1"
    with booked.transaction() as conn:
        assert work.push(conn, "k1", NOW, work.Priority.PUSH)
        assert work.claim(conn, "me", 1, NOW, LEASE) == []
    worker.send("storm 1")
    with booked.transaction() as conn:
        row = calendars.get(conn, "k1")
        assert row is not None
        assert row.generation == 2
    # The worker's lease is of generation 1: when it is done, the calendar is due again at once.
    with booked.transaction() as conn:
        row = calendars.get(conn, "k1")
        assert row is not None
        assert row.lease_until is not None
        lease = work.Lease("k1", 1, row.fence, "worker", row.lease_until)
        work.done(conn, lease, NOW + LEASE, NOW)
    assert worker.read() == "done"


def test_two_workers_never_run_one_calendar_at_once(booked: Database, process: Callable[[str], Process]) -> None:
    with booked.transaction() as conn:
        for number in range(2, 8):
            add_calendar(conn, f"k{number}")
    first, second = process("first"), process("second")
    first.send("storm 300")
    second.send("storm 300")
    assert (first.read(), second.read()) == ("done", "done")
    with booked.reading() as conn:
        runs = conn.execute(select(holds.c.appointment, holds.c.drift)).all()
        assert conn.execute(select(budgets.c.key)).all() == []
    assert len(runs) >= 300
    # Each pass of a calendar had a fence of its own, and none is missing.
    for calendar, count in Counter(run.appointment for run in runs).items():
        assert {int(run.drift) for run in runs if run.appointment == calendar} == set(range(1, count + 1))
