"""Transactions, the database's time, and errors that a person can act on."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, literal, select, text, update
from sqlalchemy.exc import IntegrityError, ProgrammingError

from calsync.errors import ConfigError
from calsync.store import dialect
from calsync.store.alone import Alone
from calsync.store.database import Database, open_database
from calsync.store.errors import NotUpgraded, StoreUnavailable
from calsync.store.schema import clients
from calsync.store.schema_effects import budgets
from calsync.store.upgrade import create_for_tests
from calsync.system_ports import SystemClock
from tests.servers.process import free_port
from tests.unit.store.samples import NOW


class StillClock:
    """Always the same instant."""

    def now(self) -> datetime:
        return NOW


def names(conn: Connection) -> list[str]:
    return list(conn.execute(select(clients.c.id).order_by(clients.c.id)).scalars())


def test_a_block_that_ends_well_is_committed(db: Database) -> None:
    with db.transaction() as conn:
        conn.execute(insert(clients).values(id="c1"))
    with db.reading() as conn:
        assert names(conn) == ["c1"]


def test_a_block_that_an_error_leaves_is_rolled_back(db: Database) -> None:
    def stumble() -> None:
        with db.transaction() as conn:
            conn.execute(insert(clients).values(id="c1"))
            raise KeyError

    with pytest.raises(KeyError):
        stumble()
    with db.reading() as conn:
        assert names(conn) == []


def test_reading_sees_one_moment_and_waits_for_no_writer(db: Database) -> None:
    with db.reading() as reader:
        assert names(reader) == []
        with db.transaction() as writer:
            writer.execute(insert(clients).values(id="c1"))
            assert names(reader) == []
        assert names(reader) == []
    with db.reading() as reader:
        assert names(reader) == ["c1"]


def test_reading_does_not_write(db: Database) -> None:
    if db.is_sqlite:
        return  # SQLite keeps no such promise; that nothing is written there is the callers' care
    with pytest.raises(StoreUnavailable, match="may not be written"), db.reading() as conn:
        conn.execute(insert(clients).values(id="c1"))


def test_threads_that_read_and_then_write_lose_nothing(db: Database) -> None:
    with db.transaction() as conn:
        conn.execute(insert(budgets).values(key="k", tokens=0, refilled_at=NOW))

    def add_one(_: int) -> None:
        with db.transaction() as conn:
            tokens = conn.execute(select(budgets.c.tokens).with_for_update()).scalar_one()
            conn.execute(update(budgets).values(tokens=tokens + 1))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add_one, range(100)))
    with db.reading() as conn:
        assert conn.execute(select(budgets.c.tokens)).scalar_one() == 100


def test_sqlite_is_set_up_to_survive_a_power_cut(db: Database) -> None:
    if not db.is_sqlite:
        return
    with db.reading() as conn:
        told = {
            name: conn.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert told == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 15000}


def test_the_database_has_the_time_where_it_has_a_clock(db: Database) -> None:
    with db.transaction() as conn:
        first, second = db.now(conn, StillClock()), db.now(conn, StillClock())
    assert first.utcoffset() == timedelta(0)
    if db.is_sqlite:
        assert first == second == NOW
    else:
        assert NOW != first < second  # it goes on inside a transaction


def test_faults_of_the_program_stay_loud(db: Database) -> None:
    with pytest.raises(IntegrityError), db.transaction() as conn:
        conn.execute(insert(clients), [{"id": "c1"}, {"id": "c1"}])
    if not db.is_sqlite:
        with pytest.raises(ProgrammingError), db.transaction() as conn:
            conn.execute(text("SELEKT 1"))


def test_in_memory_all_connections_share_one_database() -> None:
    database = open_database("sqlite://")
    create_for_tests(database)
    with database.transaction() as conn:
        conn.execute(insert(clients).values(id="c1"))
    with database.reading() as conn:
        assert names(conn) == ["c1"]
    database.dispose()


def test_a_missing_file_is_not_made(tmp_path: Path) -> None:
    file = tmp_path / "calsync.db"
    with pytest.raises(NotUpgraded, match=r"no database yet.*calsync db upgrade"):
        open_database(f"sqlite:///{file}").reading().__enter__()
    assert not file.exists()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("sqlite:////nowhere/at/all/calsync.db", "/nowhere/at/all/calsync.db.*cannot be opened.*folder"),
        ("postgresql://ada:hunter2@127.0.0.1:{port}/x", r"ada:\*\*\*@.*cannot be reached.*Check"),
        ("postgresql+psycopg://ada:hunter2@/x?host=/nowhere&password=hunter2", "cannot be reached"),
    ],
)
def test_what_cannot_be_reached_is_named_without_passwords(url: str, says: str) -> None:
    database = open_database(url.format(port=free_port()))
    with pytest.raises(StoreUnavailable, match=says) as caught, database.transaction():
        pass
    assert "hunter2" not in str(caught.value)
    assert all(problem.what and problem.where and problem.remedy for problem in caught.value.problems)


def test_a_database_that_the_server_does_not_have(empty_url: str, backend: str) -> None:
    if backend == "sqlite":
        return
    missing = empty_url.replace("/test", "/missing")
    with pytest.raises(StoreUnavailable, match="no such database"):
        open_database(missing).transaction().__enter__()
    stranger = empty_url.replace("calsync@", "stranger@")
    with pytest.raises(StoreUnavailable, match="refuses the user or the password"):
        open_database(stranger).transaction().__enter__()


def test_the_servers_own_form_of_dates_does_not_matter(db: Database) -> None:
    if db.is_sqlite:
        return
    with db.engine.begin() as conn:
        conn.execute(text("SET DateStyle TO 'German'"))
        conn.execute(text("SET TimeZone TO 'Asia/Kathmandu'"))
        at = db.now(conn, SystemClock())
        assert abs(at - SystemClock().now()) < timedelta(minutes=1)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    file = tmp_path / "calsync.db"
    file.write_text("my notes\n" * 100)
    with pytest.raises(StoreUnavailable, match="not a database"):
        open_database(f"sqlite:///{file}").transaction().__enter__()


def test_a_locked_file_says_so(empty_books: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialect, "_PRAGMAS", ("PRAGMA journal_mode = WAL", "PRAGMA busy_timeout = 1"))
    file = tmp_path / "calsync.db"
    shutil.copy(empty_books, file)
    first, second = open_database(f"sqlite:///{file}"), open_database(f"sqlite:///{file}")
    with first.transaction(), pytest.raises(StoreUnavailable, match=r"locked.*Try again"), second.transaction():
        pass
    with second.transaction() as conn:
        assert names(conn) == []
    first.dispose()
    second.dispose()


def test_a_full_disk_says_so_and_loses_nothing(empty_books: Path, tmp_path: Path) -> None:
    file = tmp_path / "calsync.db"
    shutil.copy(empty_books, file)
    database = open_database(f"sqlite:///{file}")
    with database.transaction() as conn:
        conn.execute(insert(clients).values(id="c1"))

    def fill() -> None:
        with database.transaction() as conn:
            pages = conn.execute(text("PRAGMA page_count")).scalar_one()
            conn.execute(text(f"PRAGMA max_page_count = {pages}"))
            conn.execute(insert(clients), [{"id": f"x{number}", "name": "x" * 1000} for number in range(100)])

    with pytest.raises(StoreUnavailable, match="disk is full"):
        fill()
    with database.reading() as conn:
        assert names(conn) == ["c1"]
    database.dispose()


def test_a_connection_that_the_server_broke_is_replaced(db: Database, url: str) -> None:
    if db.is_sqlite:
        return
    with db.reading() as conn:
        backend = conn.execute(text("SELECT pg_backend_pid()")).scalar_one()
    elsewhere = open_database(url)
    with elsewhere.transaction() as conn:
        conn.execute(text(f"SELECT pg_terminate_backend({backend})"))
    elsewhere.dispose()
    with db.reading() as conn:
        assert names(conn) == []


def test_single_statements_replace_the_connections_that_the_server_broke(db: Database, url: str) -> None:
    if db.is_sqlite:
        return
    at_once = [db._swift.raw_connection() for _ in range(3)]
    for one in at_once:
        one.close()
    elsewhere = open_database(url)
    with elsewhere.transaction() as conn:
        ended = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        assert conn.execute(text(f"{ended} AND datname = current_database()")).scalar_one() >= 3
    elsewhere.dispose()
    assert db.alone(Alone(select(literal(1).label("one"))), {}) == [(1,)]


def test_a_single_statement_without_a_server_is_unavailable(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    if db.is_sqlite:
        return
    assert db.alone(Alone(select(literal(1).label("one"))), {}) == [(1,)]
    nobody_listens = dialect.make_swift_engine(db.url.set(host="127.0.0.1", port=1, query={}), db.engine)
    monkeypatch.setitem(db.__dict__, "_swift", nobody_listens)
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        db.alone(Alone(select(literal(1).label("one"))), {})


def test_a_server_that_ends_the_request_is_unavailable_not_a_fault(db: Database) -> None:
    if db.is_sqlite:
        return

    def be_ended() -> None:
        with db.transaction() as conn:
            own = conn.execute(text("SELECT pg_backend_pid()")).scalar_one()
            with db.reading() as other:
                other.execute(text(f"SELECT pg_terminate_backend({own})"))
            conn.execute(text("SELECT 1"))

    with pytest.raises(StoreUnavailable):
        be_ended()


@pytest.mark.parametrize("url", ["", "calsync.db", "mysql://x/y", "oracle+nothing://x", "postgresql+nothing://x/y"])
def test_addresses_that_cannot_be_used(url: str) -> None:
    with pytest.raises(ConfigError, match=r"database.*Write sqlite:///FILE or postgresql"):
        open_database(url)
