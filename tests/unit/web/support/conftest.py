"""The office on an installation of its own."""

from __future__ import annotations

import pytest

from tests.unit.web.conftest import House
from tests.unit.web.support.office import Office


@pytest.fixture
def office(house: House) -> Office:
    """The practice's office."""
    return Office(house)
