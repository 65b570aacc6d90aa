"""What befalls books in PostgreSQL: a worker that sleeps past its lease, a replica that is behind."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from datetime import timedelta

import psycopg
import pytest

from tests.servers.meddling_proxy import MeddlingProxy, Spoil
from tests.servers.postgres import Postgres, running_postgres
from tests.servers.process import Server
from tests.system.hands import Hands
from tests.system.programs import Program
from tests.system.site import ZONE, Site, at, row
from tests.system.test_crashes import wait_for
from tests.system.test_kill import a_morning

TOLD = "SELECT count(*) FROM outbox WHERE kind LIKE 'edit-%'"


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server of this module's own."""
    with running_postgres() as running:
        yield running


def on_books(postgres: Postgres, name: str) -> Callable[[str], int]:
    """Runs a statement there; the one number that it answers, else how many rows it changed."""

    def run(statement: str) -> int:
        with psycopg.connect(postgres.address(name), autocommit=True) as conn:
            done = conn.execute(statement.encode())
            first = done.fetchone() if done.description else None
            return done.rowcount if first is None else int(first[0])

    return run


@pytest.mark.parametrize("where", ["PUT", "REPORT"])
def test_a_worker_that_slept_past_its_lease_counts_for_nothing(
    site: Site, server: Server, proxy: MeddlingProxy, postgres: Postgres, where: str
) -> None:
    name = postgres.create()
    books, morning = on_books(postgres, name), a_morning()
    hands = Hands(server.account(1).home, "user1")
    site.add_provider("P-1", f"http://127.0.0.1:{proxy.port}/user1/", "user1")
    site.set_up(settle="0s", brakes="stampede_share = 1.0", more=f'[database]\nurl = "{postgres.url(name)}"\n')
    site.mirror([row(str(n), "P-1", morning + timedelta(days=n)) for n in range(8)])
    booked = hands.find().starts()

    def drag(number: int, hours: int) -> None:
        start = morning + timedelta(days=number, hours=hours)
        hands.drag(hands.name_of(f"SUMMARY:Session {number}\n"), start, start + timedelta(minutes=50), ZONE)

    drag(0, 2)
    drag(1, 3)
    sleeper: list[Program] = []
    proxy.clear()
    proxy.spoil(Spoil(where, before=lambda: sleeper[0].send_signal(signal.SIGSTOP)))
    sleeper.append(site.fork("sync"))
    try:
        wait_for(lambda: proxy.count(where) >= 1, sleeper[0], site)
        drag(2, 4)
        assert books("UPDATE calendars SET lease_until = 1 WHERE lease_owner IS NOT NULL") == 1
        assert site.sync()["calendars"][0]["error"] is None
        assert hands.starts() == booked
        drag(3, 5)
        by_others = books("SELECT count(*) FROM drifts"), books(TOLD)
        proxy.clear()
    finally:
        sleeper[0].send_signal(signal.SIGCONT)
    assert sleeper[0].wait(60) in (0, 1, 3)
    assert "Traceback" not in (site.folder / "process.log").read_text()
    assert [one for one in proxy.exchanges if one.method == "PUT" and one.status < 300] == []
    assert (books("SELECT count(*) FROM drifts"), books(TOLD)) == by_others
    site.sync()
    site.sync()
    assert hands.starts() == booked
    told = sorted((one["appointment"], one["kind"], one["resolution"]) for one in site.drifts())
    assert told == [(str(number), "moved", "reverted") for number in range(4)]
    quiet = site.sync()
    assert (quiet["written"], quiet["drifts"]) == (0, 0)
    assert site.calsync("audit", "verify").code == 0


@pytest.mark.parametrize("told_first", [True, False])
def test_a_replica_that_is_behind_clears_nothing_by_what_was_lost_and_settles(
    practice: Site, hands: Hands, postgres: Postgres, told_first: bool
) -> None:
    name = postgres.create()
    practice.set_up(more=f'[database]\nurl = "{postgres.url(name)}"\n')
    rows = [row(str(n), "P-1", at(n)) for n in range(1, 9)]
    over = row("20", "P-1", at(0, 11))
    practice.mirror([*rows, over])
    hands.find()
    behind = postgres.create(name)

    # What the replica never hears of: a session that took place and was cleared, changes of the record, people's edits.
    practice.later(hours=4)
    moved, gone, late = row("1", "P-1", at(1, 15)), {**rows[1], "status": "cancelled"}, row("9", "P-1", at(9))
    lost = [moved, gone, *rows[2:], late, {**over, "status": "completed"}]
    assert practice.import_rows(lost).code == 0
    practice.calsync("appointments", "complete", "20", "--by", "provider:P-1")
    practice.sync()
    assert practice.check("20")["20"]["verdict"] == "cleared"
    practice.later(minutes=5)
    hands.drag(hands.name_of("SUMMARY:Session 3\n"), at(3, 17), at(3, 18), ZONE)
    hands.drag(hands.name_of("SUMMARY:Session 20\n"), at(1, 8), at(1, 9), ZONE)
    practice.sync()
    practice.settle()
    assert practice.check("20")["20"]["verdict"] == "held"

    postgres.drop(name)
    postgres.run(f"ALTER DATABASE {behind} RENAME TO {name}")
    assert practice.check("20")["20"]["verdict"] == "held"
    if not told_first:
        practice.later(minutes=5)
        practice.sync()
        practice.settle()
    assert practice.import_rows(lost).code == 0
    practice.calsync("appointments", "complete", "20", "--by", "provider:P-1")
    assert practice.check("20")["20"]["verdict"] == "held"
    practice.later(minutes=5)
    practice.sync()
    practice.settle()
    assert practice.check("20")["20"]["verdict"] == "held"
    expected = [at(1, 8), at(1, 15), *(at(n) for n in range(3, 10))]
    assert hands.starts() == sorted(f"{start:%Y%m%dT%H%M%S}" for start in expected)
    assert [one["appointment"] for one in practice.drifts("--open")] == ["20"]
    quiet = practice.sync()
    assert (quiet["written"], quiet["drifts"]) == (0, 0)
    assert practice.calsync("audit", "verify").code == 0
