"""A database as seen from inside one of its transactions: whoever opens another one joins the one that is open.

For work that opens its own transaction, where it is to be part of a larger one: all of it is committed together.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from calsync.store.database import Database


class JoinedDatabase(Database):
    """Hands out the open transaction's connection. An error that leaves an inner block must leave the outer one."""

    def __init__(self, database: Database, conn: Connection) -> None:
        # Not the base's own: it would open an engine of its own.
        self.url, self.engine = database.url, database.engine
        self._is_current = True
        self._conn = conn

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """The transaction that is open."""
        yield self._conn

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """The same: it sees what was written in it so far."""
        yield self._conn

    def dispose(self) -> None:
        """Nothing: the connections are the outer one's."""
