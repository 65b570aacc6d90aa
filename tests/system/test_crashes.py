"""What machines do to a running calsync: it sleeps past its lease, its server dies, its disk is full, its books go."""

from __future__ import annotations

import os
import random
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

import psycopg
import pytest

from tests.servers.meddling_proxy import MeddlingProxy, Spoil
from tests.servers.postgres import Postgres, running_postgres
from tests.servers.process import Server
from tests.system.hands import Hands
from tests.system.programs import Program
from tests.system.site import Answer, Site, at, client_calendar, row
from tests.system.test_kill import a_morning

KILLS = 5


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server of this module's own."""
    with running_postgres() as running:
        yield running


def rows_of(count: int) -> list[dict[str, str]]:
    """So many sessions on the days after tomorrow, ten a day."""
    return [row(str(n), "P-1", a_morning() + timedelta(days=n // 10, hours=n % 10)) for n in range(count)]


def uids(server: Server) -> Counter[str]:
    """How often each event is in the calendar."""
    events = client_calendar(server.account(1).home, "user1").events()
    return Counter(str(event.icalendar_instance.walk("VEVENT")[0]["uid"]) for event in events)


def check_rest(site: Site, server: Server, proxy: MeddlingProxy, events: int) -> None:
    """Every event is there exactly once; then a pass is one request and writes nothing; the audit chain is whole."""
    assert site.sync()["calendars"][0]["error"] is None
    found = uids(server)
    assert (len(found), set(found.values())) == (events, {1})
    proxy.clear()
    quiet = site.sync()
    assert (quiet["written"], quiet["drifts"], len(proxy.exchanges)) == (0, 0, 1)
    assert site.calsync("audit", "verify").code == 0


def test_one_that_sleeps_past_its_lease_commits_nothing_when_it_wakes(
    site: Site, server: Server, proxy: MeddlingProxy
) -> None:
    site.add_provider("P-1", f"http://127.0.0.1:{proxy.port}/user1/", "user1")
    site.set_up()
    assert site.import_rows(rows_of(40)).code == 0
    sleeper: list[Program] = []
    proxy.spoil(Spoil("PUT", before=lambda: sleeper[0].send_signal(signal.SIGSTOP)))
    sleeper.append(site.fork("sync"))
    try:
        wait_for(lambda: proxy.count("PUT") >= 1, sleeper[0], site)
        end_the_lease(site)
        other = site.sync()
        assert other["calendars"][0]["error"] is None
        before = books(site)
    finally:
        sleeper[0].send_signal(signal.SIGCONT)
    assert sleeper[0].wait(60) in (0, 1, 3)
    assert "Traceback" not in (site.folder / "process.log").read_text()
    assert books(site)["owed_writes"] == before["owed_writes"]
    assert books(site)["links"] == before["links"]
    check_rest(site, server, proxy, 40)


def test_a_server_that_dies_during_a_pass_is_an_outage_and_no_deletion(
    site: Site, server: Server, proxy: MeddlingProxy
) -> None:
    site.add_provider("P-1", f"http://127.0.0.1:{proxy.port}/user1/", "user1")
    site.set_up()
    assert site.import_rows(rows_of(30)).code == 0
    proxy.spoil(Spoil("PUT", before=lambda: None, times=5))
    proxy.spoil(Spoil("PUT", before=server.stop))
    told = site.sync()
    assert told["calendars"][0]["error"] is not None
    again = site.sync()
    assert (again["drifts"], again["written"]) == (0, 0)
    server.start()
    check_rest(site, server, proxy, 30)
    assert site.drifts() == []


def test_a_full_disk_stops_the_work_and_loses_nothing(site: Site, server: Server, proxy: MeddlingProxy) -> None:
    site.add_provider("P-1", f"http://127.0.0.1:{proxy.port}/user1/", "user1")
    site.set_up()
    assert site.import_rows(rows_of(5)).code == 0
    site.sync()
    site.import_rows(rows_of(5))  # leaves the file that is imported below in place
    path = site.folder / "rows.csv"
    with path.open("a", encoding="utf-8") as file:
        for one in rows_of(300)[5:]:
            file.write(",".join(one.get(name, "") for name in path.read_text().splitlines()[0].split(",")) + "\n")
    full = on_a_full_disk(site, "appointments", "import", str(path), room=100_000)
    assert full.code != 0
    assert "Traceback" not in full.out + full.err
    assert whole(site)
    # With room again the same import is taken whole, and every event is there once.
    assert site.calsync("appointments", "import", str(path)).code == 0
    check_rest(site, server, proxy, 300)


def test_nothing_is_cleared_on_a_full_disk(practice: Site, hands: Hands) -> None:
    practice.set_up(more='[claims]\nbackfilled = "clear"\n')
    practice.mirror([row("1", "P-1", at(-2), status="completed")])
    assert practice.check("1")["1"]["verdict"] == "cleared"
    assert practice.calsync("claims", "check", "1").code == 0
    told = on_a_full_disk(practice, "claims", "check", "1", "--json", room=4096)
    assert '"cleared"' not in told.out
    assert told.code != 0
    assert "Traceback" not in told.out + told.err
    assert practice.check("1")["1"]["verdict"] == "cleared"
    assert hands.find().starts() != []


def test_a_locked_database_is_waited_for_and_then_named(practice: Site) -> None:
    practice.set_up(more='[claims]\nbackfilled = "clear"\n')
    practice.mirror([row("1", "P-1", at(-2), status="completed")])
    with closing(sqlite3.connect(practice.folder / "calsync.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        told = practice.calsync("claims", "check", "1", "--json")
        other.execute("ROLLBACK")
    assert '"cleared"' not in told.out
    assert told.code != 0
    assert "database" in told.err
    assert practice.check("1")["1"]["verdict"] == "cleared"


def test_a_database_that_is_gone_clears_nothing_and_says_what_to_do(practice: Site) -> None:
    practice.set_up(more='[claims]\nbackfilled = "clear"\n')
    practice.mirror([row("1", "P-1", at(-2), status="completed")])
    for file in practice.folder.glob("calsync.db*"):
        file.rename(file.with_name(file.name + ".away"))
    told = practice.calsync("claims", "check", "1", "--json")
    assert '"cleared"' not in told.out
    assert told.code == 1
    assert "calsync db upgrade" in told.err


def test_kills_during_a_first_push_with_the_books_in_postgresql(
    site: Site, server: Server, proxy: MeddlingProxy, postgres: Postgres
) -> None:
    name = postgres.create()
    site.add_provider("P-1", f"http://127.0.0.1:{proxy.port}/user1/", "user1")
    site.set_up(more=f'[database]\nurl = "{postgres.url(name)}"\n')
    assert site.import_rows(rows_of(40)).code == 0
    moments = random.Random(20261122)
    for number in range(KILLS):
        goal = max(1, int(40 * (number + moments.random()) / KILLS))
        process = site.fork("sync")
        wait_for(lambda goal=goal: proxy.count("PUT") >= goal, process, site)
        process.kill()
        process.wait(10)
    check_rest(site, server, proxy, 40)
    with psycopg.connect(host=str(postgres.folder), user="calsync", dbname=name) as conn:
        assert conn.execute("SELECT count(*) FROM owed_writes WHERE state IN ('owed', 'sent')").fetchone() == (0,)


def wait_for(reached: object, process: Program, site: Site) -> None:
    """Wait until something is so, or the process has ended."""
    assert callable(reached)
    deadline = time.monotonic() + 60
    while process.poll() is None and not reached():
        assert time.monotonic() < deadline, (site.folder / "process.log").read_text()[-2000:]
        time.sleep(0.005)


def end_the_lease(site: Site) -> None:
    """As if the time of the lease had passed."""
    with closing(sqlite3.connect(site.folder / "calsync.db", isolation_level=None)) as conn:
        assert conn.execute("UPDATE calendars SET lease_until = 1 WHERE lease_owner IS NOT NULL").rowcount == 1


def books(site: Site) -> dict[str, list[tuple[object, ...]]]:
    """The rows that tell of work done."""
    with closing(sqlite3.connect(site.folder / "calsync.db")) as conn:
        return {name: conn.execute(f"SELECT * FROM {name} ORDER BY id").fetchall() for name in ("owed_writes", "links")}


def whole(site: Site) -> bool:
    """Whether the database file is in order, and the audit chain with it."""
    with closing(sqlite3.connect(site.folder / "calsync.db")) as conn:
        in_order = conn.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    return in_order and site.calsync("audit", "verify").code == 0


def on_a_full_disk(site: Site, *line: str, room: int) -> Answer:
    """Run a command that can write nothing beyond so many bytes of any file."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    environ = dict(os.environ)
    if site.now is not None:
        environ["CALSYNC_NOW"] = site.now.isoformat()
    command = [sys.executable, "-m", "calsync", *line, "--config", str(site.folder / "calsync.toml")]
    done = subprocess.run(
        command, capture_output=True, text=True, env=environ, preexec_fn=limit, check=False, timeout=120
    )
    return Answer(done.returncode, done.stdout, done.stderr)
