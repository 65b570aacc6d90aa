"""The sample world, on SQLite and on PostgreSQL."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from calsync.store.database import Database, open_database
from tests.unit.claims.batch.sample_world import SampleWorld


@pytest.fixture
def samples(db: Database) -> SampleWorld:
    """The books that the sample files are about."""
    return SampleWorld(db)


@pytest.fixture(scope="session")
def sample_template(empty_books: Path) -> Path:
    """The same in a file, to be copied."""
    file = Path(shutil.copy(empty_books, empty_books.with_name("samples.db")))
    database = open_database(f"sqlite:///{file}")
    SampleWorld(database)
    database.dispose()
    return file


@pytest.fixture
def lite(sample_template: Path, tmp_path: Path) -> Iterator[SampleWorld]:
    """The sample world on SQLite alone, for what has nothing to do with the database."""
    database = open_database(f"sqlite:///{shutil.copy(sample_template, tmp_path / 'books.db')}")
    yield SampleWorld(database, is_filled=True)
    database.dispose()
