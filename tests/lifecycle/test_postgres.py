"""A slice of the rules with the books in a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lifecycle.practice import CLIENT, PROVIDER, SUPPORT, Practice, wall
from tests.servers.postgres import Postgres, running_postgres
from tests.system.site import Site


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server of this module's own."""
    with running_postgres() as running:
        yield running


@pytest.fixture
def practice(postgres: Postgres, tmp_path: Path) -> Practice:
    """A practice with Grow Therapy's rules."""
    folder = tmp_path / "site"
    folder.mkdir()
    url = postgres.url(postgres.create())
    made = Practice(Site(folder, wall("2026-11-02T09:00")), url=url)
    made.set_up("grow-therapy", tmp_path, more=f'[database]\nurl = "{url}"\n')
    return made


def test_fees_requests_series_and_credits(practice: Practice) -> None:
    practice.do("packages", "add", "--client", "C-1", "--sessions", "1", "--id", "PK", by=SUPPORT)
    practice.book("A-1", "2026-11-03T08:00")
    practice.book("A-2", "2026-11-05T10:00", "--package", "PK")
    practice.weekly("S", "2026-11-03T12:00", count=4)
    practice.refused("client-notice", "appointments", "cancel", "A-1", by=CLIENT)
    practice.cancel("A-1", "--reason", "client-asked")
    assert practice.status("A-1") == "late-cancelled"
    (fee,) = practice.fees()
    change = ("fees", "change", fee["id"], "--amount", "40", "--because", "half")
    practice.refused("who-may-change-fee", *change, by=PROVIDER)
    assert practice.json(*change, by=SUPPORT)["amount"] == "40.00"
    line = ("appointments", "ask-to-reschedule", "A-2", "--reason", "provider-sick", "--block")
    token = practice.json(*line, by=PROVIDER)["token"]
    answer = practice.cancel("S@20261110T1200", "--scope", "all-upcoming", by=CLIENT)
    assert len(answer["appointments"]) == 4
    practice.at("2026-11-05T09:00")
    practice.refused("request-expired", "appointments", "respond", token, "--start", "2026-11-06T10:00")
    practice.passes()
    practice.passes()
    assert practice.status("A-2") == "cancelled"
    assert practice.json("packages", "show", "PK")["left"] == 1
    practice.do("audit", "verify")
