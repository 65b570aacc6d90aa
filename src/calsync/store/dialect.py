"""All that differs between SQLite and PostgreSQL. No other module asks which database it talks to.

Row locks need no word here: SQLAlchemy leaves `FOR UPDATE` out for SQLite, where a write transaction is the only one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import (
    URL,
    Column,
    Connection,
    Engine,
    Executable,
    Select,
    Table,
    bindparam,
    case,
    create_engine,
    event,
    literal_column,
    select,
    text,
)
from sqlalchemy.dialects import postgresql, registry, sqlite
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.pool import PoolProxiedConnection, QueuePool, StaticPool
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import ColumnElement
from tenacity import retry, retry_if_exception, stop_after_delay, wait_fixed

from calsync.ports import Clock
from calsync.store import postgres
from calsync.store.columns import Instant

BUSY_TIMEOUT_S: Final = 15
_READING: Final = "calsync_reading"
_POOL: Final[dict[str, Any]] = {"pool_size": 10, "max_overflow": 30}
_KEPT_STATEMENTS: Final = 1000  # more than there are; the driver's own default is fewer, and each would be parsed anew
_UPGRADE_LOCK: Final = 0x63616C73  # any number that no other program of the database uses: "cals"

Changes = Callable[[Any], dict[str, Any]]


class Upsert:
    """An insert that meets an existing row peacefully, prebuilt for both databases.

    `changes` is handed the row that was to be inserted and says which columns of the existing one become what; without
    it the existing row stays as it is. `source` inserts the rows of a select instead of bound values.
    """

    def __init__(
        self,
        table: Table,
        keys: Sequence[Column[Any]],
        changes: Changes | None = None,
        source: tuple[Sequence[str], Select[Any]] | None = None,
    ) -> None:
        self._lite = self._built(sqlite.insert(table), keys, changes, source)
        self._postgres = self._built(postgresql.insert(table), keys, changes, source)

    @staticmethod
    def _built(insert: Any, keys: Sequence[Column[Any]], changes: Changes | None, source: Any) -> Executable:
        if source is not None:
            insert = insert.from_select(*source)
        if changes is None:
            built: Executable = insert.on_conflict_do_nothing(index_elements=keys)
        else:
            built = insert.on_conflict_do_update(index_elements=keys, set_=changes(insert.excluded))
        return built

    def run(self, conn: Connection, parameters: Any) -> int:
        """Execute with one mapping or a list of them; the number of rows that were inserted or changed."""
        if isinstance(parameters, list) and not parameters:
            return 0
        statement = self._lite if on_sqlite(conn) else self._postgres
        return conn.execute(statement, parameters, execution_options={"preserve_rowcount": True}).rowcount


def on_sqlite(conn: Connection) -> bool:
    """Whether this connection talks to SQLite."""
    return conn.dialect.name == "sqlite"


def smaller(left: Any, right: Any) -> Any:
    """The smaller of two values that are not null (PostgreSQL has `least` for it, SQLite `min`)."""
    return case((left < right, left), else_=right)


def larger(left: Any, right: Any) -> Any:
    """The larger of two values that are not null."""
    return case((left > right, left), else_=right)


def database_now(conn: Connection, clock: Clock) -> datetime:
    """The present instant: PostgreSQL's own, so that the machines' clocks do not matter (R-28), else the clock's."""
    if on_sqlite(conn):
        return clock.now()
    at: datetime = conn.execute(_DATABASE_TIME).scalar_one()
    return at


class DatabaseTime(ColumnElement[datetime]):
    """The same inside a statement: PostgreSQL's own time, else the value of the parameter `now`."""

    inherit_cache = True
    type = Instant()


@compiles(DatabaseTime, "sqlite")
def _time_given(_element: DatabaseTime, compiler: SQLCompiler, **kw: Any) -> str:
    return compiler.process(bindparam("now", type_=Instant()), **kw)


@compiles(DatabaseTime, "postgresql")
def _time_there(_element: DatabaseTime, _compiler: SQLCompiler, **_kw: Any) -> str:
    return "CAST(EXTRACT(EPOCH FROM statement_timestamp()) * 1000000 AS BIGINT)"


def notify_workers(conn: Connection) -> None:
    """Wake the workers of all processes once this is committed (PostgreSQL); on SQLite they look by themselves."""
    if not on_sqlite(conn):
        conn.execute(_NOTIFY)


def database_identity(conn: Connection, host: str) -> str:
    """What tells a database from a copy of it: the host for SQLite's file, the cluster and the name for PostgreSQL."""
    if on_sqlite(conn):
        return host
    cluster, name = conn.execute(_CLUSTER).one()
    return f"postgresql:{cluster}/{name}"


def lock_for_upgrade(conn: Connection) -> None:
    """Wait until no other upgrade runs; the lock ends with the transaction. SQLite's transaction is lock enough."""
    if not on_sqlite(conn):
        conn.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _UPGRADE_LOCK})


def make_engine(url: URL) -> Engine:
    """An engine whose transactions behave alike on both databases: see `begin_reading` and the pragmas."""
    return _sqlite_engine(url) if url.get_backend_name() == "sqlite" else postgres.make_engine(url, **_POOL)


def make_swift_engine(url: URL, engine: Engine) -> Engine:
    """Connections for single statements that commit by themselves and are not waited for; see `store.alone`.

    A database in memory has one connection only, which stays as it is.
    """
    if url.get_backend_name() != "sqlite":
        bare = {"pool_reset_on_return": None, "pool_pre_ping": False}  # `Alone` itself sees to lost connections
        return postgres.make_engine(url, settings=postgres.NO_DISK, connect_args={"autocommit": True}, **_POOL, **bare)
    if sqlite_file(url) is None:
        return engine
    swift = _sqlite_engine(url, pool_reset_on_return=None)
    # In WAL mode NORMAL keeps the order of transactions; the next one that waits for the disk takes these along.
    event.listen(swift, "connect", lambda raw, _record: raw.execute("PRAGMA synchronous = NORMAL"))
    return swift


def sqlite_file(url: URL) -> Path | None:
    """The file of an SQLite address; None for one in memory and for PostgreSQL."""
    if url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:"):
        return None
    return Path(str(url.database))


def begin_reading(engine: Engine) -> Connection:
    """A connection whose transaction sees one moment of the database and waits for no writer."""
    conn = engine.connect()
    if on_sqlite(conn):
        conn.info[_READING] = True
        return conn
    return conn.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def take_turns(conn: Connection, what: str) -> None:
    """Until the transaction ends, others with the same word wait here. SQLite lets one write at a time anyway."""
    if not on_sqlite(conn):
        conn.execute(_TURN, {"what": what})


_TURN = text("SELECT pg_advisory_xact_lock(hashtextextended(:what, 0))")
# A number, whose form no setting of the server (DateStyle) changes.
_DATABASE_TIME = select(
    literal_column("CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)", Instant).label("now")
)
_CLUSTER = text("SELECT (SELECT system_identifier FROM pg_control_system()), current_database()")
CHANNEL: Final = "calsync_work"
_NOTIFY = text(f"SELECT pg_notify('{CHANNEL}', '')")
_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    # In WAL mode less than FULL may lose the last commits with the power, while the calendars keep what we wrote.
    "PRAGMA synchronous = FULL",
    f"PRAGMA busy_timeout = {BUSY_TIMEOUT_S * 1000}",
    "PRAGMA foreign_keys = ON",
)


def _sqlite_engine(url: URL, **more: Any) -> Engine:
    arguments: dict[str, Any] = {"check_same_thread": False, "cached_statements": _KEPT_STATEMENTS}
    url = url.set(drivername="sqlite+calsync")
    if sqlite_file(url) is None:
        # One connection that everybody shares: the database lives as long as it does.
        engine = create_engine(url, poolclass=StaticPool, connect_args=arguments)
    else:
        engine = create_engine(
            url,
            poolclass=QueuePool,
            connect_args={**arguments, "timeout": BUSY_TIMEOUT_S},
            **_POOL,
            **more,
        )
    event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(raw: Any, _record: Any) -> None:
    raw.isolation_level = None  # the driver must not begin transactions by itself: `BegunHere` does
    cursor = raw.cursor()
    for pragma in _PRAGMAS:
        _set(cursor, pragma)
    cursor.close()


def _is_locked(problem: BaseException) -> bool:
    return isinstance(problem, sqlite3.OperationalError) and "locked" in str(problem)


@retry(retry=retry_if_exception(_is_locked), wait=wait_fixed(0.05), stop=stop_after_delay(BUSY_TIMEOUT_S), reraise=True)
def _set(cursor: Any, pragma: str) -> None:
    """Run one pragma. While another connection makes a new file one with a WAL, SQLite refuses and does not wait."""
    cursor.execute(pragma)


class BegunHere(SQLiteDialect_pysqlite):
    """SQLite through Python's driver, which begins no transaction by itself.

    An event at each beginning could do the same, but SQLAlchemy would then ask for listeners at every statement.
    """

    supports_statement_cache = True

    def do_begin(self, dbapi_connection: PoolProxiedConnection) -> None:
        """Begin one that may write, unless this connection was said to read next."""
        # A writer takes its lock at the start: one that reads first and writes later could find that it has to give up.
        is_reading = dbapi_connection.info.pop(_READING, False)
        dbapi_connection.cursor().execute("BEGIN" if is_reading else "BEGIN IMMEDIATE")


registry.register("sqlite.calsync", __name__, BegunHere.__name__)
