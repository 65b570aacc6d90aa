"""Making and upgrading the tables. Called by `calsync db upgrade`, `calsync db check` and tests; never by a worker."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import URL, Connection, insert
from sqlalchemy.exc import DBAPIError

from calsync.store import (
    dialect,
    revisions,
    schema_billing,
    schema_claims,
    schema_connecting,
    schema_effects,
    schema_lifecycle,
    schema_records,
    schema_scale,
    schema_slots,
    schema_support,
)
from calsync.store.database import Database, parsed_url
from calsync.store.driver_errors import as_ours
from calsync.store.schema import metadata

# Each of these modules adds its tables to the metadata.
_TABLES = (
    schema_claims,
    schema_effects,
    schema_billing,
    schema_connecting,
    schema_lifecycle,
    schema_records,
    schema_scale,
    schema_slots,
    schema_support,
)


@dataclass(frozen=True, slots=True)
class SchemaState:
    """The revision of a database (`current`, None without tables) and the one that this program needs (`head`)."""

    current: str | None
    head: str

    @property
    def is_current(self) -> bool:
        """Whether the two agree."""
        return self.current == self.head


def upgrade(url: str) -> SchemaState:
    """Bring the database to this program's tables, making it where it does not exist, all in one transaction.

    Doing so again changes nothing. Of two at once, one waits. Raises `ConfigError` for an address that cannot be used,
    `StoreUnavailable` and `StartRefusedError` (the database is newer than this program).
    """
    parsed = parsed_url(url)
    _make_private_file(parsed)
    return _within(parsed, _upgrade)


def check(url: str) -> SchemaState:
    """How the database stands, without changing it. Raises like `upgrade`; a missing one has no revision."""
    parsed = parsed_url(url)
    file = dialect.sqlite_file(parsed)
    if file is not None and file.parent.is_dir() and not file.exists():
        return SchemaState(None, revisions.head())
    return _within(parsed, _state)


def sqlite_place(url: str) -> Path:
    """Where the file of an SQLite database is or will be; for another database, a name that no file has."""
    return dialect.sqlite_file(parsed_url(url)) or Path("no-file")


def create_for_tests(db: Database) -> None:
    """Make all tables of an empty database at once, without running the migrations."""
    with db.engine.begin() as conn:
        metadata.create_all(conn)
        revisions.alembic_version.create(conn)
        conn.execute(insert(revisions.alembic_version).values(version_num=revisions.head()))
    db.tables_are_current()


def _within(url: URL, act: Callable[[Connection, URL], SchemaState]) -> SchemaState:
    engine = dialect.make_engine(url)
    try:
        with engine.begin() as conn:
            return act(conn, url)
    except DBAPIError as problem:
        ours = as_ours(problem, url)
        if ours is None:
            raise
        raise ours from problem
    finally:
        engine.dispose()


def _state(conn: Connection, url: URL) -> SchemaState:
    revision = revisions.current(conn)
    if revision is not None and revision not in revisions.known():
        raise revisions.newer_than_program(url, revision)
    return SchemaState(revision, revisions.head())


def _upgrade(conn: Connection, url: URL) -> SchemaState:
    dialect.lock_for_upgrade(conn)
    if not _state(conn, url).is_current:
        with as_file(files("calsync.store").joinpath("migrations")) as folder:
            config = Config()
            config.set_main_option("script_location", str(folder).replace("%", "%%"))
            config.attributes["connection"] = conn
            command.upgrade(config, "head")
    return _state(conn, url)


def _make_private_file(url: URL) -> None:
    file = dialect.sqlite_file(url)
    if file is not None and file.parent.is_dir() and not file.exists():
        # Session times are health data: nobody but calsync's own account reads the file.
        os.close(os.open(file, os.O_CREAT | os.O_WRONLY, 0o600))
