"""A PostgreSQL server that is gone without a word, or that is another one than it was: nobody waits for ever for it."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, insert, literal_column, select, table, text

from calsync.store import postgres
from calsync.store.alone import Alone
from calsync.store.database import Database, open_database
from calsync.store.errors import StoreUnavailable
from calsync.store.schema import clients
from calsync.store.upgrade import create_for_tests
from tests.servers.postgres import Postgres, running_postgres
from tests.servers.process import free_port

STANDBY = r"may not be written.*Point .* at the primary"


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """A server that is reached over TCP."""
    with running_postgres(free_port()) as running:
        yield running


@pytest.fixture
def books(server: Postgres) -> Iterator[Database]:
    """Books of their own there."""
    name = server.create()
    database = open_database(f"postgresql+psycopg://calsync@127.0.0.1:{server.port}/{name}")
    create_for_tests(database)
    yield database
    database.dispose()
    server.drop(name)


def shown(conn: Connection, name: str) -> str:
    return str(conn.execute(text(f"SHOW {name}")).scalar_one())


def test_both_ends_give_up_a_silent_connection(books: Database) -> None:
    for engine in (books.engine, books._swift):
        with engine.connect() as conn:
            driver = conn.connection.driver_connection
            assert driver is not None
            with socket.socket(fileno=os.dup(driver.pgconn.socket)) as here:
                assert here.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
                assert here.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 15
                assert here.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL) == 5
                assert here.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT) == 3
                assert here.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 30_000
            assert (shown(conn, "tcp_keepalives_idle"), shown(conn, "tcp_user_timeout")) == ("15", "30000")
            assert shown(conn, "idle_in_transaction_session_timeout") == "5min"


def test_what_the_address_says_goes_before(books: Database) -> None:
    more = {"keepalives_idle": "60", "options": "-c tcp_user_timeout=1000"}
    assert "keepalives_idle" not in postgres.arguments(books.url.update_query_dict(more))
    other = open_database(books.url.update_query_dict(more).render_as_string(hide_password=False))
    for engine in (other.engine, other._swift):
        with engine.connect() as conn:
            assert (shown(conn, "tcp_user_timeout"), shown(conn, "tcp_keepalives_idle")) == ("1000", "15")
    other.dispose()


def test_what_the_server_says_for_a_role_goes_before(books: Database, server: Postgres) -> None:
    server.run(f"ALTER ROLE calsync IN DATABASE {books.url.database} SET idle_in_transaction_session_timeout = '9min'")
    books.dispose()
    with books.reading() as conn:
        assert shown(conn, "idle_in_transaction_session_timeout") == "9min"


def test_a_connection_brings_no_setting_along_that_a_pooler_refuses(books: Database) -> None:
    """PgBouncer knows few, and `options` not at all."""
    for engine in (books.engine, books._swift):
        with engine.connect() as conn:
            driver = conn.connection.driver_connection
            assert driver is not None
            assert not [one for one in driver.pgconn.info if one.keyword == b"options" and one.val]


def test_a_transaction_that_stood_still_may_be_tried_again(books: Database) -> None:
    def stand_still() -> None:
        with books.transaction() as conn:
            conn.execute(text("SET idle_in_transaction_session_timeout = 1"))
            with books.reading() as other:
                other.execute(text("SELECT pg_sleep(0.2)"))
            conn.execute(insert(clients).values(id="c1"))

    with pytest.raises(StoreUnavailable):
        stand_still()
    with books.transaction() as conn:
        conn.execute(insert(clients).values(id="c1"))


def test_a_server_that_became_a_standby_is_left_for_the_one_that_is_there_now(
    books: Database, server: Postgres
) -> None:
    name = books.url.database
    add = Alone(insert(clients).values(id="c1").returning(clients.c.id))
    server.run(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    books.dispose()
    with pytest.raises(StoreUnavailable, match=STANDBY):
        books.alone(add, {})
    with pytest.raises(StoreUnavailable, match=STANDBY):
        write(books)
    server.run(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    write(books)
    assert books.alone(add, {}) == [("c1",)]


def write(books: Database) -> None:
    with books.transaction() as conn:
        conn.execute(insert(clients).values(id="c9"))


def test_a_plan_for_tables_as_they_were_goes_with_its_connection(books: Database) -> None:
    with books.transaction() as conn:
        conn.execute(text("CREATE TABLE odd (one INTEGER)"))
    ask = Alone(select(literal_column("one")).select_from(table("odd")))
    for _ in range(7):
        assert books.alone(ask, {}) == []
    with books.transaction() as conn:
        conn.execute(text("ALTER TABLE odd ALTER COLUMN one TYPE TEXT"))
    assert books.alone(ask, {}) == []
