"""A copy of the books made while calsync runs, and the way back: nothing doubled, nothing lost that a calendar has."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import threading
from contextlib import closing
from pathlib import Path

import pytest

from calsync.store.upgrade import check, upgrade
from tests.servers.postgres import running_postgres
from tests.system.hands import Hands
from tests.system.site import Site, at, row


@pytest.fixture
def office(practice: Site, hands: Hands) -> Site:
    """Three sessions to come."""
    practice.set_up()
    practice.mirror([row(str(n), "P-1", at(n)) for n in range(1, 4)])
    hands.find()
    return practice


def test_an_older_copy_finds_its_events_again_and_doubles_none(office: Site, hands: Hands, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    assert office.calsync("backup", str(copy)).code == 0
    # What happens after the copy is lost to it: a new session, a move, an edit that was put back, a deletion.
    office.later(hours=1)
    office.mirror([row("4", "P-1", at(4)), row("2", "P-1", at(2, 15))])
    hands.drag(hands.name_of("SUMMARY:Session 1\n"), at(1, 17), at(1, 18), "America/New_York")
    office.sync()
    before = hands.starts()
    assert len(before) == 4
    restored = office.calsync("db", "restore", str(copy))
    assert restored.code == 0, restored
    assert "before-restore" in restored.out
    # The platform sends its records again.
    office.mirror([row("1", "P-1", at(1)), row("2", "P-1", at(2, 15)), row("3", "P-1", at(3)), row("4", "P-1", at(4))])
    office.settle()
    assert len(hands.starts()) == 4
    assert hands.starts() == sorted(
        f"{at(day, hour):%Y%m%dT%H%M%S}" for day, hour in ((1, 10), (2, 15), (3, 10), (4, 10))
    )
    assert [one["appointment"] for one in office.drifts()] == ["1"]
    quiet = office.sync()
    assert (quiet["written"], quiet["drifts"]) == (0, 0)
    assert office.calsync("audit", "verify").code == 0


def test_no_claim_rests_on_a_copys_readings_before_the_calendar_is_compared(
    office: Site, hands: Hands, tmp_path: Path
) -> None:
    office.later(days=2, hours=3)
    office.sync()
    assert office.calsync("appointments", "complete", "1", "2").code == 0
    assert {one["verdict"] for one in office.check("1", "2").values()} == {"cleared"}
    copy = tmp_path / "copy.db"
    assert office.calsync("backup", str(copy)).code == 0
    hands.drag(hands.name_of("SUMMARY:Session 1\n"), at(0, 17), at(0, 18), "America/New_York")
    office.sync()
    assert office.check("1")["1"]["verdict"] == "held"
    assert office.calsync("db", "restore", str(copy)).code == 0
    for one in office.check("1", "2").values():
        assert (one["verdict"], [reason["code"] for reason in one["reasons"]]) == ("held", ["never-observed"])
        assert one["waiting_on"] == "system"
    office.sync()
    after = office.check("1", "2")
    assert (after["1"]["verdict"], after["2"]["verdict"]) == ("held", "cleared")
    assert [one["appointment"] for one in office.drifts("--open")] == ["1"]


def test_a_copy_of_a_later_release_and_the_database_itself_replace_nothing(office: Site, tmp_path: Path) -> None:
    place, later = office.folder / "calsync.db", tmp_path / "later.db"
    assert office.calsync("backup", str(later)).code == 0
    with closing(sqlite3.connect(later)) as books:
        books.execute("UPDATE alembic_version SET version_num = '9999'")
        books.commit()
    before = sorted(one.name for one in office.folder.iterdir())
    refused = office.calsync("db", "restore", str(later))
    assert (refused.code, "newer than this program" in refused.err) == (2, True), refused
    itself = office.calsync("db", "restore", str(place))
    assert (itself.code, "is the database itself" in itself.err) == (1, True), itself
    files = {one.name for one in office.folder.iterdir()} - {"calsync.db-shm", "calsync.db-wal"}
    assert files == set(before) - {"calsync.db-shm", "calsync.db-wal"}
    assert office.calsync("db", "check").code == 0


def test_a_copy_is_whole_private_and_never_written_over(office: Site, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    writer = sqlite3.connect(office.folder / "calsync.db", check_same_thread=False)
    writer.execute("BEGIN IMMEDIATE")  # somebody writes just now, until the copy is there

    def write_on() -> None:
        while not copy.exists():
            writer.execute("SELECT 1")
        writer.close()

    writing = threading.Thread(target=write_on)
    writing.start()
    assert office.calsync("backup", str(copy)).code == 0
    writing.join()
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with closing(sqlite3.connect(copy)) as books:
        assert books.execute("SELECT count(*) FROM links").fetchone() == (3,)
    made = copy.read_bytes()
    again = office.calsync("backup", str(copy))
    assert (again.code, copy.read_bytes()) == (1, made)
    assert "is there already" in again.err
    assert sorted(path.name for path in tmp_path.iterdir() if "part" in path.name) == []
    assert office.calsync("backup", str(tmp_path / "none" / "copy.db")).code == 1


def test_what_is_no_copy_and_a_database_in_use_change_nothing(office: Site, tmp_path: Path) -> None:
    place = office.folder / "calsync.db"
    copy, text = tmp_path / "copy.db", tmp_path / "text.db"
    text.write_text("not a database")
    assert office.calsync("backup", str(copy)).code == 0
    before = place.read_bytes()
    for source, why in ((text, "not a database"), (tmp_path / "none.db", "no such file")):
        answer = office.calsync("db", "restore", str(source))
        assert (answer.code, why in answer.err) == (1, True), answer
    torn = tmp_path / "torn.db"
    torn.write_bytes(copy.read_bytes()[:20_000] + b"\0" * 30_000)
    assert office.calsync("db", "restore", str(torn)).code == 1
    with closing(sqlite3.connect(place)) as worker:
        worker.execute("SELECT count(*) FROM links").fetchone()
        answer = office.calsync("db", "restore", str(copy))
        assert (answer.code, "systemctl stop" in answer.err) == (1, True), answer
    assert place.read_bytes() == before


def test_postgresql_is_copied_by_its_own_tool(practice: Site, tmp_path: Path) -> None:
    with running_postgres() as server:
        name = server.create()
        practice.set_up(more=f'[database]\nurl = "{server.url(name)}"\n')
        practice.mirror([row("1", "P-1", at(1))])
        copy = tmp_path / "copy.dump"
        assert practice.calsync("backup", str(copy)).code == 0
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
        other = server.create()
        address = server.address(other)
        subprocess.run(["pg_restore", "--exit-on-error", f"--dbname={address}", str(copy)], check=True)
        assert check(server.url(other)).is_current
        assert upgrade(server.url(other)).is_current
        refused = practice.calsync("db", "restore", str(copy))
        assert (refused.code, "pg_restore" in refused.err) == (1, True)
        practice.later(days=1, hours=3)
        practice.sync()
        assert practice.calsync("appointments", "complete", "1").code == 0
        assert practice.calsync("db", "restored").code == 0
        assert practice.check("1")["1"]["verdict"] == "held"
        practice.sync()
        assert practice.check("1")["1"]["verdict"] == "cleared"
