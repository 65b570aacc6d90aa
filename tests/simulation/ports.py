"""The ports of a simulated process: transactions and requests that can die at each step.

A `Crash` takes the whole process down. Whatever it still asks of a port after that is a violation: code that cleans up
behind itself would hide what kill -9 shows.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, event

from calsync.store.alone import Alone
from calsync.store.database import Database, open_database
from calsync.store.schema import metadata
from calsync.store.upgrade import create_for_tests


class Crash(BaseException):
    """The process is gone. `dies` is told at once, when it is raised."""

    def __init__(self, where: str, dies: Callable[[str], None]) -> None:
        super().__init__(where)
        self.where = where
        self._dies = dies

    def with_traceback(self, tb: Any) -> Crash:
        """Called by the weather just before it raises."""
        self._dies(self.where)
        return super().with_traceback(tb)


class LostCommandError(BaseException):
    """The process that carried out a person's command is gone. Whoever gave it gives it again."""


@dataclass
class Process:
    """One process, until it dies. `port` is the name under which its transactions are counted."""

    name: str
    port: str = "tx"
    dead: bool = False


# What SQLite says when it cannot: by the kind of fault.
SQLITE_SAYS = {
    "disk-full": "database or disk is full",
    "database-locked": "database is locked",
    "disk-error": "disk I/O error",
}

_WATCHED = ("drifts", "appointments", "series", "blocks")


class _Cursor(sqlite3.Cursor):
    """Tells of each statement before it runs."""

    def execute(self, statement: str, parameters: Any = (), /) -> _Cursor:
        self.connection.asked(statement)  # type: ignore[attr-defined]
        super().execute(statement, parameters)
        return self

    def executemany(self, statement: str, parameters: Iterable[Any], /) -> _Cursor:
        self.connection.asked(statement)  # type: ignore[attr-defined]
        super().executemany(statement, parameters)
        return self


class _Connection(sqlite3.Connection):
    """Tells of each statement and commit before it happens."""

    asked: Callable[[str], None] = staticmethod(lambda statement: None)

    def cursor(self, factory: Any = _Cursor) -> Any:
        return super().cursor(factory)

    def commit(self) -> None:
        self.asked("COMMIT")
        super().commit()


class _Engine(Engine):
    """Tells of each transaction that may write, once it has begun."""

    on_begin: Callable[[], None] = staticmethod(lambda: None)

    @classmethod
    def like(cls, engine: Engine) -> _Engine:
        """The same engine, and it tells."""
        made = cls.__new__(cls)
        made.__dict__.update(engine.__dict__)
        return made

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """See `Engine`."""
        with super().begin() as conn:
            self.on_begin()
            yield conn


class Books:
    """The one database of a run: made once, brought back to a template before each history."""

    def __init__(self) -> None:
        self.database: Database = open_database("sqlite://")
        event.listen(self.database.engine, "do_connect", _connect)
        create_for_tests(self.database)
        self.database.engine.dialect._has_events = False  # it is connected: nobody is to be asked at each statement
        self.database.engine = engine = _Engine.like(self.database.engine)
        self.changed: set[str] = set()  # tables that were written to since somebody looked
        self.statements = 0  # how many were asked for since the history began
        self.fails: dict[int, str] = {}  # kinds of faults, by the number of the statement that they strike
        with engine.connect() as conn:
            raw = conn.connection.driver_connection
        assert isinstance(raw, _Connection)
        self.raw: sqlite3.Connection = raw
        names = {name for (name,) in self.rows("SELECT name FROM sqlite_master WHERE type = 'table'")}
        linked = [table.name for table in metadata.sorted_tables]
        self._emptied = [*sorted(names.difference(linked)), *reversed(linked)]  # who refers to others goes first
        self._first_rows = {name: rows for name, rows in self.dump().items() if rows}
        self._tables: dict[str, str | None] = {}  # what each statement writes to
        self._engine = engine
        self.on_failure: Callable[[str], None] = lambda kind: None
        raw.asked = self._note

    def on_begin(self, told: Callable[[], None]) -> None:
        """Whom to tell of each transaction that may write, once it has begun."""
        self._engine.on_begin = told

    def reset(self) -> None:
        """Empty again. Row by row: another image would have SQLite prepare each statement anew in each history."""
        self._plain("BEGIN IMMEDIATE")
        for name in self._emptied:
            self._plain(f'DELETE FROM "{name}"')
        for name in reversed(self._emptied):
            for row in self._first_rows.get(name, ()):
                self._plain(f'INSERT INTO "{name}" VALUES ({", ".join("?" * len(row))})', *row)
        self._plain("COMMIT")
        self.changed = set(_WATCHED)
        self.statements, self.fails = 0, {}

    def restore(self, image: bytes) -> None:
        """Bring back what `image` held."""
        self.raw.deserialize(image)
        self._plain("PRAGMA foreign_keys = ON")
        self.changed = set(_WATCHED)

    def image(self) -> bytes:
        """Everything, as it is."""
        return self.raw.serialize()

    def rows(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """What a statement answers, for the observer."""
        return self._plain(query, *parameters).fetchall()

    def change(self, statement: str, *parameters: object) -> None:
        """What somebody does to the books who is not calsync."""
        self._plain(statement, *parameters)

    def dump(self, *, without: frozenset[str] = frozenset()) -> dict[str, list[tuple[Any, ...]]]:
        """All rows of all tables but some."""
        names = [name for (name,) in self.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: self.rows(f'SELECT * FROM "{name}"') for name in sorted(names) if name not in without}

    def _plain(self, query: str, *parameters: object) -> sqlite3.Cursor:
        """Past the faults: it is not calsync that asks."""
        return sqlite3.Connection.cursor(self.raw, sqlite3.Cursor).execute(query, parameters)

    def _note(self, statement: str) -> None:
        self.statements += 1
        if self.fails and (kind := self.fails.pop(self.statements, None)) is not None:
            self.on_failure(kind)
            raise sqlite3.OperationalError(SQLITE_SAYS[kind])
        try:
            table = self._tables[statement]
        except KeyError:
            table = self._tables[statement] = _written(statement)
        if table is not None:
            self.changed.add(table)


def _connect(_dialect: Any, _record: Any, arguments: Any, named: dict[str, Any]) -> sqlite3.Connection:
    return sqlite3.connect(*arguments, **named, factory=_Connection)


def _written(statement: str) -> str | None:
    head = statement[:40]
    if head.startswith("INSERT INTO "):
        return head[12:].split(None, 1)[0].strip('"(')
    if head.startswith("UPDATE "):
        return head[7:].split(None, 1)[0].strip('"')
    return None


class ProcessDatabase(Database):
    """The database as one process has it. `around` is asked at each boundary and may crash there."""

    def __init__(self, books: Books, process: Process, around: Callable[[Process, str], None]) -> None:
        shared = books.database
        self.url = shared.url
        self.engine = shared.engine
        self._is_current = True
        self._process = process
        self._around = around

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """See `Database`."""
        self._around(self._process, "begin")
        try:
            with super().transaction() as conn:
                yield conn
                self._around(self._process, "commit")
        except BaseException:
            self._around(self._process, "rolled-back")
            raise
        self._around(self._process, "committed")

    def alone(self, statement: Alone, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """See `Database`."""
        begin, commit, ended = ("read", "", "read-end") if statement.reads_only else ("begin", "commit", "committed")
        self._around(self._process, begin)
        try:
            if commit:
                self._around(self._process, commit)
            rows = super().alone(statement, parameters)
        except BaseException:
            self._around(self._process, "rolled-back" if commit else "read-end")
            raise
        self._around(self._process, ended)
        return rows

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """See `Database`."""
        self._around(self._process, "read")
        try:
            with super().reading() as conn:
                yield conn
        finally:
            self._around(self._process, "read-end")
