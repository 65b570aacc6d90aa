"""One whole round with the books in a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tests.servers.postgres import Postgres, running_postgres
from tests.system.hands import Hands
from tests.system.site import ZONE, Site, at, row


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server of this module's own."""
    with running_postgres() as running:
        yield running


def test_a_whole_round(practice: Site, hands: Hands, postgres: Postgres) -> None:
    name = postgres.create()
    practice.set_up(more=f'[database]\nurl = "{postgres.url(name)}"\n[claims]\nbackfilled = "clear"\n')
    upcoming = [row(str(n), "P-1", at(n)) for n in range(1, 10)]
    series = row("S", "P-1", at(1, 15), series="s", rule="FREQ=WEEKLY;COUNT=4")
    practice.mirror([*upcoming, series, row("20", "P-1", at(-2), status="completed")])
    assert not (practice.folder / "calsync.db").exists()
    before = hands.find().starts()
    practice.later(minutes=5)

    for session, days in (("1", 1), ("20", -1)):
        event = hands.name_of(f"SUMMARY:Session {session}\n")
        hands.drag(event, at(days, 14), at(days, 14, 50), ZONE)
    hands.drag(hands.name_of("SUMMARY:Session s\n"), at(1, 17), at(1, 17, 50), ZONE)
    assert practice.sync()["drifts"] == 6
    assert practice.settle()["written"] == 2
    (flagged,) = practice.drifts("--open")
    assert practice.check("20")["20"]["verdict"] == "held"
    practice.calsync("drifts", "resolve", str(flagged["id"]), "--as", "restore", "--note", "asked")
    practice.sync()
    assert hands.starts() == before
    assert practice.check("20")["20"]["verdict"] == "cleared"
    assert practice.calsync("claims", "filed", "20").code == 0

    practice.later(hours=2)
    for gone in hands.names()[1:]:
        hands.delete(gone)
    assert practice.sync()["calendars"][0]["state"] == "stopped"
    assert practice.calsync("calendars", "resume", "P-1-cal", "--as", "restore").code == 0
    practice.sync()
    hands.ask("DELETE", hands.calendar)
    assert practice.sync()["calendars"][0]["state"] == "stopped"
    assert practice.calsync("calendars", "resume", "P-1-cal", "--as", "restore").code == 0
    practice.sync()
    assert hands.find().starts() == before
    quiet = practice.sync()
    assert (quiet["written"], quiet["drifts"]) == (0, 0)

    for line in ("report --format json", "appointments list --json", "appointments explain 1", "audit verify"):
        assert practice.calsync(*line.split()).code == 0, line
    with psycopg.connect(host=str(postgres.folder), user="calsync", dbname=name, autocommit=True) as conn:
        assert conn.execute("UPDATE audit SET detail = '{}' WHERE seq = 5").rowcount == 1
    told = practice.calsync("audit", "verify")
    assert (told.code, "Row 5" in told.out) == (1, True)
