"""How the books are opened for what comes in many rows: one such import after the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from calsync.store.database import Database
from calsync.store.dialect import take_turns


@contextmanager
def opened_for_rows(database: Database, *, dry_run: bool = False) -> Iterator[Connection]:
    """A transaction that waits until no other import is at work; a dry run reads and waits for nobody.

    Two imports of the same file that had read the books side by side would each write every row, and its history twice.
    """
    with database.reading() if dry_run else database.transaction() as conn:
        if not dry_run:
            take_turns(conn, "import")
        yield conn
