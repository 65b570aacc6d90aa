"""Workers that sleep past their lease, at any request of a pass, while another one takes over and people edit.

Real processes, a real Radicale; the books where the caller says. Each edit comes to be one drift and is put back.
"""

from __future__ import annotations

import random
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import psycopg
from sqlalchemy.engine import make_url

from tests.endurance.progress import Progress
from tests.servers.meddling_proxy import MeddlingProxy, Spoil
from tests.servers.radicale_server import radicale
from tests.system.hands import Hands
from tests.system.programs import Program
from tests.system.site import ZONE, Site, row
from tests.system.test_kill import a_morning

SESSIONS = 12
# One person drags all day long, and every drag is to be put back.
_BRAKES = 'revert_limit = 100000\nstampede_share = 1.0\nstampede_period = "1s"\n'
_END_LEASES = "UPDATE calendars SET lease_until = 1 WHERE lease_owner IS NOT NULL"


@dataclass(slots=True)
class Told:
    """What happened, and what was not as it must be."""

    rounds: int = 0
    slept: dict[str, int] = field(default_factory=dict)
    edits: int = 0
    problems: list[str] = field(default_factory=list)


def storm(folder: Path, rounds: int, database: str, progress: Progress) -> Told:
    """So many rounds; `database` is the address of empty books, "" for SQLite's own file."""
    told, chance = Told(), random.Random(20261123)
    with _office(folder, database) as office:
        for number in range(rounds):
            _round(office, told, chance)
            told.rounds += 1
            progress.step(number + 1, rounds, f"{told.edits} edits")
            if told.problems:
                break
        if office.site.calsync("audit", "verify").code != 0:
            told.problems.append("the audit chain is broken")
    return told


@dataclass(slots=True)
class _Office:
    """One practice with one calendar, mirrored, and the person who edits it."""

    site: Site
    proxy: MeddlingProxy
    hands: Hands
    database: str
    booked: list[str] = field(default_factory=list)
    drags: int = 0

    def drag(self, session: int) -> None:
        """To a time at which nobody has put anything yet: what is meant twice is let be."""
        self.drags += 1
        start = a_morning() + timedelta(days=session, hours=1, seconds=20 * self.drags)
        self.hands.drag(self.hands.name_of(f"SUMMARY:Session {session}\n"), start, start + timedelta(minutes=50), ZONE)

    def end_leases(self) -> None:
        """As if the time of every lease had passed."""
        if self.database:
            address = make_url(self.database).set(drivername="postgresql").render_as_string(hide_password=False)
            with psycopg.connect(address, autocommit=True) as server:
                server.execute(_END_LEASES)
        else:
            with closing(sqlite3.connect(self.site.folder / "calsync.db", isolation_level=None, timeout=30)) as file:
                file.execute(_END_LEASES)


@contextmanager
def _office(folder: Path, database: str) -> Iterator[_Office]:
    (folder / "site").mkdir()
    (folder / "radicale").mkdir()
    server = radicale(folder / "radicale")
    server.start()
    try:
        with MeddlingProxy(server.port) as proxy:
            site = Site(folder / "site")
            site.add_provider("P-1", f"http://127.0.0.1:{proxy.port}/user1/", "user1")
            more = f'[database]\nurl = "{database}"\n' if database else ""
            site.set_up(settle="0s", brakes=_BRAKES, more=more)
            site.mirror([row(str(n), "P-1", a_morning() + timedelta(days=n)) for n in range(SESSIONS)])
            office = _Office(site, proxy, Hands(server.account(1).home, "user1").find(), database)
            office.booked = office.hands.starts()
            yield office
    finally:
        server.stop()


def _round(office: _Office, told: Told, chance: random.Random) -> None:
    six, nth = chance.sample(range(SESSIONS), 6), chance.randint(1, 2)
    before, during, after = six[:2], six[2:4], six[4:]
    for one in before:
        office.drag(one)
    where, slept = chance.choice(("PUT", "PUT", "REPORT")), _Sleeper(nth, nth)
    office.proxy.clear()
    office.proxy.spoil(Spoil(where, before=slept.strike, times=slept.strikes))
    slept.program = office.site.fork("sync")
    try:
        _until_asleep(slept)
        for one in during:
            office.drag(one)
        if slept.is_asleep:
            told.slept[where] = told.slept.get(where, 0) + 1
            office.end_leases()
        office.site.calsync("sync", "--json")
        for one in after:
            office.drag(one)
    finally:
        slept.program.send_signal(signal.SIGCONT)
    office.proxy.spoils.clear()
    if slept.program.wait(60) not in (0, 1, 3):
        told.problems.append(f"the sleeper ended with {slept.program.returncode}")
    told.edits += len(before + during + after)
    _compare(office, told)


@dataclass(slots=True)
class _Sleeper:
    """Is stopped at one of the requests that the proxy is to strike at."""

    strikes: int
    left: int
    program: Program | None = None
    is_asleep: bool = False

    def strike(self) -> None:
        """One more request came."""
        self.left -= 1
        if self.left == 0 and self.program is not None and self.program.poll() is None:
            self.program.send_signal(signal.SIGSTOP)
            self.is_asleep = True


def _until_asleep(slept: _Sleeper) -> None:
    deadline = time.monotonic() + 60
    while slept.program is not None and slept.program.poll() is None and not slept.is_asleep:
        assert time.monotonic() < deadline
        time.sleep(0.005)


def _compare(office: _Office, told: Told) -> None:
    for _ in range(2):
        office.site.calsync("sync", "--json")
    drifts = office.site.drifts()
    if len(drifts) != told.edits:
        told.problems.append(f"round {told.rounds}: {told.edits} edits, {len(drifts)} drifts")
    if left := [one["appointment"] for one in drifts if one["resolution"] != "reverted"]:
        told.problems.append(f"round {told.rounds}: not put back: {left}")
    if office.hands.starts() != office.booked:
        told.problems.append(f"round {told.rounds}: the calendar does not show what is booked")
    quiet = office.site.sync()
    if (quiet["written"], quiet["drifts"]) != (0, 0):
        told.problems.append(f"round {told.rounds}: it does not come to rest")
