"""Every test of the store runs twice: on a file of SQLite and on a real PostgreSQL."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import Connection

from calsync.store.database import Database, open_database
from calsync.store.upgrade import upgrade
from tests.servers.postgres import Postgres, running_postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The server of this test process."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres: Postgres) -> str:
    """A database with all tables, made by the migrations, to be copied."""
    name = postgres.create()
    upgrade(postgres.url(name))
    return name


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with all tables, made by the migrations, to be copied."""
    file = tmp_path_factory.mktemp("template") / "calsync.db"
    upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    """The kind of database."""
    return str(request.param)


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


@pytest.fixture
def url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database with all tables and no rows."""
    if backend == "sqlite":
        file = tmp_path / "calsync.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), file)
        yield f"sqlite:///{file}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = server.create(request.getfixturevalue("postgres_template"))
    yield server.url(name)
    server.drop(name)


@pytest.fixture
def db(url: str) -> Iterator[Database]:
    """That database, open."""
    database = open_database(url)
    yield database
    database.dispose()


@pytest.fixture(scope="session")
def sqlite_shared(sqlite_template: Path) -> Iterator[Database]:
    """A database that is always left as it was found."""
    database = open_database(f"sqlite:///{shutil.copy(sqlite_template, sqlite_template.with_name('shared.db'))}")
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
