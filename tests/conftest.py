"""What all tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

from calsync.store.upgrade import upgrade

# The same examples in every run, so that a change is judged by itself; `./dev fuzz` draws fresh ones.
settings.register_profile("fixed", derandomize="CALSYNC_FUZZ" not in os.environ)
settings.load_profile("fixed")

# Before anything imports it: the suite's asserts say what they compared.
pytest.register_assert_rewrite("calsync.testing.conformance")


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """Commands set up logging for their process; the next test starts from the library's own defaults."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def empty_books(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of SQLite with all tables, made by the migrations, and no rows: to be copied, never opened."""
    file = tmp_path_factory.mktemp("books") / "calsync.db"
    upgrade(f"sqlite:///{file}")
    return file
