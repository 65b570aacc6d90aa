"""The door to the database: transactions, the database's time, and errors that a person can act on.

Everything above the store opens a transaction here and hands its connection to the tables' modules. No network call
belongs inside a transaction.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import URL, Connection, Engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from calsync.errors import ConfigError
from calsync.ports import Clock
from calsync.store import audit, claims, dialect, late
from calsync.store.alone import Alone
from calsync.store.driver_errors import as_ours, pool_exhausted
from calsync.store.revisions import require_current

_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})
_BACKENDS = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg"}


class Database:
    """One database, shared by all threads of the process.

    A database in memory has a single connection: use it from one thread at a time, one transaction after the other.
    """

    def __init__(self, url: URL) -> None:
        self.url = url
        self.engine: Engine = dialect.make_engine(url)
        self._is_current = False

    on_push: Callable[[], None] | None = None
    """Called after each transaction of this process that made a calendar due, from the thread that ended it."""

    @cached_property
    def _swift(self) -> Engine:
        return dialect.make_swift_engine(self.url, self.engine)

    @property
    def is_sqlite(self) -> bool:
        """Whether it is SQLite: one machine, one writer at a time."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A transaction that may write: committed at the end of the block, rolled back when an error leaves it.

        On SQLite it is the only one that writes from its start on. Raises `StoreUnavailable` when the database cannot
        be reached, opened or written or stays locked, `NotUpgraded` when its tables are missing or older than this
        program, and `StartRefusedError` when they are newer.
        """
        with self._translated():
            self._check_once()
            with self.engine.begin() as conn:
                late.begin(conn)
                yield conn
                claims.write_touched(conn)
                audit.write_notes(conn)
                has_pushed = late.of(conn).pushed
                if has_pushed:
                    dialect.notify_workers(conn)
            if has_pushed and self.on_push is not None:
                self.on_push()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only reads and sees one moment throughout. Raises like `transaction`."""
        with self._translated():
            self._check_once()
            with dialect.begin_reading(self.engine) as conn, conn.begin():
                yield conn

    def alone(self, statement: Alone, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """The rows that a statement answers which is a transaction of its own; not inside one of another kind.

        What it writes keeps its place in the order of transactions, but may be lost with the power. Raises like
        `transaction`.
        """
        with self._translated():
            self._check_once()
            return statement.run(self._swift, parameters)

    def now(self, conn: Connection, clock: Clock) -> datetime:
        """The instant by which leases and due times count: PostgreSQL's own (R-28), on SQLite the given clock's."""
        return dialect.database_now(conn, clock)

    def dispose(self) -> None:
        """Close all connections. A database in memory is gone with them."""
        self.engine.dispose()
        if "_swift" in self.__dict__:
            self._swift.dispose()

    def tables_are_current(self) -> None:
        """Take it that the tables were just made or upgraded by this program."""
        self._is_current = True

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except PoolTimeout as problem:
            raise pool_exhausted(self.url) from problem
        except DBAPIError as problem:
            ours = as_ours(problem, self.url)
            if ours is None:
                raise
            raise ours from problem

    def _check_once(self) -> None:
        if not self._is_current:
            require_current(self.engine, self.url)
            self._is_current = True


def open_database(url: str) -> Database:
    """The database at an address such as `sqlite:///calsync.db` or `postgresql+psycopg://…`; nothing is connected yet.

    `ConfigError` when the address cannot be used. A missing or older database shows at the first transaction.
    """
    return Database(parsed_url(url))


def parsed_url(url: str) -> URL:
    """The address, with the driver that calsync uses; `ConfigError` when it is none or of another database."""
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except (ArgumentError, NoSuchModuleError, ValueError) as problem:
        raise _unusable("the database address cannot be read") from problem
    if backend not in _BACKENDS:
        raise _unusable(f"{backend!r} is not a database that calsync can use")
    if "+" not in parsed.drivername:
        parsed = parsed.set(drivername=_BACKENDS[backend])
    try:
        parsed.get_dialect()
    except (ArgumentError, NoSuchModuleError) as problem:
        raise _unusable(f"there is no database driver {parsed.drivername!r}") from problem
    return under_tls(parsed)


def under_tls(url: URL) -> URL:
    """The address of a PostgreSQL server, asking for TLS where it is on another machine and says nothing about it.

    libpq's own default goes without TLS where the server, or whoever stands on the way, says that there is none.
    """
    host = url.host or str(url.query.get("host", ""))
    is_here = not host or host.startswith(("/", "@")) or host in _THIS_MACHINE
    if url.get_backend_name() != "postgresql" or is_here or "sslmode" in url.query or "PGSSLMODE" in os.environ:
        return url
    return url.update_query_dict({"sslmode": "require"})


def _unusable(what: str) -> ConfigError:
    return ConfigError.of(
        what, where="[database] url", remedy="Write sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/NAME"
    )
