"""What all tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog

# Before anything imports it: the suite's asserts say what they compared.
pytest.register_assert_rewrite("calsync.testing.conformance")


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """Commands set up logging for their process; the next test starts from the library's own defaults."""
    yield
    structlog.reset_defaults()
