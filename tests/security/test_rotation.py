"""`calsync secrets rotate` over all that is sealed: killed at any moment it can go on, and the old key opens nothing.

Sealed are the logins of connected accounts, those that a provider is just agreeing to, booking links, and the answers
kept for programs that hold such a link.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from calsync.settings.secrets import KeyRing, WrongKeyError
from calsync.store import api_answers, connect_attempts, connections
from calsync.store.connect_attempts import Attempt, Stage
from calsync.store.connections import ConnectionRow
from calsync.store.credentials import Credentials
from calsync.store.database import Database, open_database
from calsync.store.sealed_texts import SEALED_ANSWER, bound_to_answer, bound_to_attempt
from calsync.system_ports import SystemIds
from tests.system.site import NOW, Site

# What ends a sealed text: the id of its key, a dot, and base64 of a nonce and what it seals.
SEALED = re.compile(rb"(k-?[A-Za-z0-9_-]{1,40})\.([A-Za-z0-9_-]{40,}={0,2})")
PLAIN = b"refresh-token-one"
IDS = SystemIds()


@dataclass(frozen=True)
class House:
    """An installation with one of each kind of sealed text."""

    site: Site

    @property
    def ring(self) -> KeyRing:
        return KeyRing.read(self.site.folder / "calsync.key")

    @contextmanager
    def books(self) -> Iterator[Database]:
        database = open_database(f"sqlite:///{self.site.folder / 'calsync.db'}")
        yield database
        database.dispose()

    def opened(self, ring: KeyRing) -> list[bytes]:
        """Every secret, opened with a ring."""
        with self.books() as database, database.reading() as conn:
            attempt = connect_attempts.get(conn, "link-1", NOW)
            answer = api_answers.get(conn, "token-1", "key-1")
            login = Credentials(lambda: ring, IDS).open_one(conn, "c-1")
            link = conn.exec_driver_sql("SELECT sealed FROM booking_links").scalar_one()
        assert attempt is not None
        assert answer is not None
        assert login is not None
        assert attempt.sealed is not None
        return [
            login,
            ring.decrypt(attempt.sealed, bound_to=bound_to_attempt("link-1")),
            ring.decrypt(answer.body[SEALED_ANSWER], bound_to=bound_to_answer("token-1", "key-1")),
            ring.decrypt(link, bound_to="booking-link:C-1:P-1"),
        ]

    def keys_in_use(self) -> set[str]:
        """Ids of the keys of every sealed text in any column of any table, wherever it stands."""
        with closing(sqlite3.connect(self.site.folder / "calsync.db")) as raw:
            names = [name for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            cells = [cell for name in names for row in raw.execute(f'SELECT * FROM "{name}"') for cell in row]
        ids = {key.id for key in self.ring.keys}
        texts = [cell if isinstance(cell, bytes) else str(cell).encode() for cell in cells]
        return ids & {found[1].decode() for text in texts for found in SEALED.finditer(text)}

    def is_opened_by(self, ring: KeyRing) -> bool:
        try:
            return bool(self.opened(ring))
        except WrongKeyError:
            return False


@pytest.fixture
def house(tmp_path: Path) -> House:
    site = Site(tmp_path, NOW)
    site.calendars.append(
        '[web]\npublic_url = "https://calsync.example.org"\n'
        '[[providers]]\nid = "P-1"\nname = "Dr. One"\nemail = "one@example.org"\nzone = "UTC"\n'
    )
    site.set_up()
    people = tmp_path / "clients.csv"
    people.write_text("id,name,email,zone\nC-1,Zelda Quist,zelda@example.org,UTC\n")
    assert site.calsync("clients", "import", str(people)).code == 0
    assert site.calsync("links", "show", "--client", "C-1", "--provider", "P-1").code == 0
    made = House(site)
    ring = made.ring
    with made.books() as database, database.transaction() as conn:
        credentials = Credentials(lambda: ring, IDS)
        credentials.require_own_keys(conn)
        connections.put(conn, ConnectionRow("c-1", "P-1", "google", "database", {}, NOW))
        credentials.seal(conn, "c-1", PLAIN)
        sealed = ring.encrypt(PLAIN, bound_to=bound_to_attempt("link-1"), ids=IDS)
        connect_attempts.put(
            conn,
            Attempt("link-1", "P-1", "P-1-google", "google", "dedicated", {}, [], None, sealed, Stage.AGREED, 1, NOW),
        )
        body = {SEALED_ANSWER: ring.encrypt(PLAIN, bound_to=bound_to_answer("token-1", "key-1"), ids=IDS)}
        api_answers.claim(conn, "token-1", "key-1", "f", NOW)
        api_answers.keep(conn, "token-1", "key-1", 200, body)
    return made


def test_the_old_key_opens_nothing_any_more(house: House) -> None:
    before = house.opened(house.ring)
    assert house.site.calsync("secrets", "rotate").code == 0
    new, old = house.ring.keys
    assert house.opened(KeyRing((new,))) == before
    assert house.keys_in_use() == {new.id}
    for taken in range(4):
        with pytest.raises(WrongKeyError):
            raise_unless_opened(house, KeyRing((old,)), taken)


def raise_unless_opened(house: House, ring: KeyRing, which: int) -> None:
    """Open one of the four kinds."""
    with house.books() as database, database.reading() as conn:
        attempt, answer = connect_attempts.get(conn, "link-1", NOW), api_answers.get(conn, "token-1", "key-1")
        link = conn.exec_driver_sql("SELECT sealed FROM booking_links").scalar_one()
        assert attempt is not None
        assert answer is not None
        ways: list[Any] = [
            lambda: Credentials(lambda: ring, IDS).open_one(conn, "c-1"),
            lambda: ring.decrypt(attempt.sealed or "", bound_to=bound_to_attempt("link-1")),
            lambda: ring.decrypt(answer.body[SEALED_ANSWER], bound_to=bound_to_answer("token-1", "key-1")),
            lambda: ring.decrypt(link, bound_to="booking-link:C-1:P-1"),
        ]
        ways[which]()


def test_texts_that_changed_places_do_not_open(house: House) -> None:
    with house.books() as database, database.transaction() as conn:
        attempt = connect_attempts.get(conn, "link-1", NOW)
        assert attempt is not None
        # The login of one row is put into the other, as somebody who may write the tables could.
        conn.exec_driver_sql("UPDATE connections SET credential = ?", ((attempt.sealed or "").encode(),))
        with pytest.raises(WrongKeyError):
            Credentials(lambda: house.ring, IDS).open_one(conn, "c-1")


class Dying:
    """Kills this process at the n-th transaction that writes, right before or right after its commit."""

    def __init__(self, at: int, *, after: bool) -> None:
        self.left, self.after = at, after
        self.real = Database.transaction

    def __get__(self, database: Database, _type: type) -> Any:
        @contextmanager
        def transaction() -> Iterator[Connection]:
            self.left -= 1
            with self.real(database) as conn:
                yield conn
                if self.left == 0 and not self.after:
                    os.kill(os.getpid(), 9)
            if self.left == 0:
                os.kill(os.getpid(), 9)

        return transaction


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_it_may_be_killed_at_any_commit(house: House, after: bool) -> None:
    before = house.opened(house.ring)
    deaths = 0
    for at in range(1, 30):
        child = os.fork()
        if child == 0:
            Database.transaction = Dying(at, after=after)  # type: ignore[assignment, method-assign]
            os._exit(house.site.calsync("secrets", "rotate").code)
        died = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -9
        deaths += died
        assert house.opened(house.ring) == before
        assert house.site.calsync("secrets", "rotate").code == 0
        assert house.opened(KeyRing(house.ring.keys[:1])) == before
        assert not house.is_opened_by(KeyRing(house.ring.keys[1:]))
        assert house.keys_in_use() == {house.ring.current.id}
        if not died:
            break
    assert deaths >= 6  # one for each kind of secret, and for what comes before and after


def test_a_login_that_was_agreed_to_and_never_used_is_forgotten(house: House) -> None:
    house.site.now = NOW + timedelta(days=3)
    assert "1 connect attempts" in house.site.calsync("purge").out
    with closing(sqlite3.connect(house.site.folder / "calsync.db")) as raw:
        assert raw.execute("SELECT count(*) FROM connect_attempts").fetchone() == (0,)
