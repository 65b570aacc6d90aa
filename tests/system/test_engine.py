"""The carrier between machines, as a site runs it: two workers, PostgreSQL, `[engine] kind = "procrastinate"`."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tests.servers.meddling_proxy import MeddlingProxy
from tests.servers.postgres import Postgres, running_postgres
from tests.servers.process import Server
from tests.system.site import Site
from tests.system.two_workers import write_each_event_once

EVENTS = 40


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server of this module's own."""
    with running_postgres() as running:
        yield running


def test_two_carried_workers_never_do_one_thing_twice(
    site: Site, server: Server, proxy: MeddlingProxy, postgres: Postgres
) -> None:
    name = postgres.create()
    site.add_provider("P-1", f"http://127.0.0.1:{proxy.port}/user1/", "user1")
    books = f'[database]\nurl = "{postgres.url(name)}"\n'
    site.set_up(more=books + '[engine]\nkind = "procrastinate"\n[sync]\npoll_interval = "1s"\n')
    write_each_event_once(site, server, proxy, EVENTS)
    assert site.calsync("db", "check").code == 0
    with psycopg.connect(postgres.address(name)) as conn:
        assert conn.execute("SELECT count(*) FROM procrastinate_jobs WHERE status NOT IN ('todo')").fetchone() == (0,)
        assert conn.execute("SELECT count(*) FROM workers").fetchone() == (0,)
