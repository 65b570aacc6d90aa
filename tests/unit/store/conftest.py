"""What the store's tests share besides books of both kinds: one without tables, and a transaction that is undone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import Connection

from calsync.store.database import Database, open_database
from tests.servers.postgres import Postgres


@pytest.fixture
def empty_url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database without any tables."""
    if backend == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = server.create()
    yield server.url(name)
    server.drop(name)


@pytest.fixture(scope="session")
def sqlite_shared(empty_books: Path) -> Iterator[Database]:
    """A database that is always left as it was found."""
    database = open_database(f"sqlite:///{shutil.copy(empty_books, empty_books.with_name('shared.db'))}")
    yield database
    database.dispose()


@pytest.fixture(scope="session")
def postgresql_shared(postgres: Postgres, postgres_template: str) -> Iterator[Database]:
    """A database that is always left as it was found."""
    database = open_database(postgres.url(postgres.create(postgres_template)))
    yield database
    database.dispose()


class RolledBackError(Exception):
    """The end of a test that leaves nothing behind."""


@pytest.fixture
def conn(backend: str, request: pytest.FixtureRequest) -> Iterator[Connection]:
    """One transaction for the whole test, rolled back at its end."""
    shared: Database = request.getfixturevalue(f"{backend}_shared")
    with suppress(RolledBackError), shared.transaction() as connection:
        yield connection
        raise RolledBackError
