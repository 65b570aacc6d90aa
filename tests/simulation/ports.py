"""The ports of a simulated process: transactions and requests that can die at each step.

A `Crash` takes the whole process down. Whatever it still asks of a port after that is a violation: code that cleans up
behind itself would hide what kill -9 shows.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, event

from calsync.store.alone import Alone
from calsync.store.database import Database, open_database
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


@dataclass
class Process:
    """One process, until it dies."""

    name: str
    dead: bool = False


class Books:
    """The one database of a run: made once, brought back to a template before each history."""

    def __init__(self) -> None:
        self.database: Database = open_database("sqlite://")
        create_for_tests(self.database)
        self.changed: set[str] = set()  # tables that were written to since somebody looked
        with self.database.engine.connect() as conn:
            raw = conn.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        self.raw: sqlite3.Connection = raw
        self._template = raw.serialize()
        self.on_begin: Callable[[], None] = lambda: None
        event.listen(self.database.engine, "after_cursor_execute", self._note)
        event.listen(self.database.engine, "begin", lambda _conn: self.on_begin())

    def reset(self) -> None:
        """Empty again."""
        self.restore(self._template)

    def restore(self, image: bytes) -> None:
        """Bring back what `image` held."""
        self.raw.deserialize(image)
        self.raw.execute("PRAGMA foreign_keys = ON")
        self.changed = {"drifts", "appointments", "series", "blocks"}

    def image(self) -> bytes:
        """Everything, as it is."""
        return self.raw.serialize()

    def rows(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """What a statement answers, for the observer."""
        return self.raw.execute(query, parameters).fetchall()

    def dump(self, *, without: frozenset[str] = frozenset()) -> dict[str, list[tuple[Any, ...]]]:
        """All rows of all tables but some."""
        names = [name for (name,) in self.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: self.rows(f'SELECT * FROM "{name}"') for name in sorted(names) if name not in without}

    def _note(self, _conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        head = statement[:40]
        if head.startswith("INSERT INTO "):
            self.changed.add(head[12:].split(None, 1)[0].strip('"('))
        elif head.startswith("UPDATE "):
            self.changed.add(head[7:].split(None, 1)[0].strip('"'))


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
