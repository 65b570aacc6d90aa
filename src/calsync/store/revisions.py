"""Which release a database's tables belong to. Read without Alembic at the first transaction of a process."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

from sqlalchemy import URL, Column, Connection, Engine, MetaData, Table, Text, inspect, select

from calsync.errors import StartRefusedError
from calsync.store.dialect import begin_reading, sqlite_file
from calsync.store.driver_errors import not_upgraded, shown_url

# Alembic's own table, which is not part of our metadata.
alembic_version = Table("alembic_version", MetaData(), Column("version_num", Text, primary_key=True))

_NAME = re.compile(r"(\d{4})_\w+\.py")


@cache
def known() -> tuple[str, ...]:
    """The revisions that this program brings, oldest first: the numbers in front of the migrations' file names."""
    folder = files("calsync.store").joinpath("migrations", "versions")
    return tuple(sorted(found[1] for one in folder.iterdir() if (found := _NAME.fullmatch(one.name))))


def head() -> str:
    """The revision that this program needs."""
    return known()[-1]


def current(conn: Connection) -> str | None:
    """The revision of the database, or None when it has no tables of ours."""
    if not inspect(conn).has_table(alembic_version.name):
        return None
    row = conn.execute(select(alembic_version.c.version_num)).first()
    return None if row is None else str(row[0])


def newer_than_program(url: URL, revision: str) -> StartRefusedError:
    """The sentence for a database that a later release has upgraded."""
    return StartRefusedError(
        f"{shown_url(url)}: the database is newer than this program (revision {revision}, known {head()}). "
        "Install the release of calsync that upgraded it, or a later one"
    )


def require_current(engine: Engine, url: URL) -> None:
    """Return if the database has exactly the tables of this program; else raise what `Database.transaction` says."""
    file = sqlite_file(url)
    if file is not None and file.parent.is_dir() and not file.exists():
        # Connecting would make an empty file.
        raise not_upgraded(url, "there is no database yet")
    with begin_reading(engine) as conn, conn.begin():
        revision = current(conn)
    if revision is None:
        raise not_upgraded(url, "the database has no tables yet")
    if revision not in known():
        raise newer_than_program(url, revision)
    if revision != head():
        raise not_upgraded(url, f"the database is older than this program (revision {revision}, needed {head()})")
