"""Credentials at rest: sealed, bound to their connection, and sealed anew by a rotation that may die at any row."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection

from calsync.errors import NotFoundError, StartRefusedError
from calsync.settings.key_file import KeyFile, add_first_key
from calsync.settings.secrets import Key, KeyRing, WrongKeyError, create_key_file
from calsync.store import connections, installation
from calsync.store.connections import ConnectionRow, Sealed
from calsync.store.credentials import Credentials
from calsync.store.database import Database, open_database
from calsync.system_ports import SystemIds

NOW = datetime(2026, 11, 23, tzinfo=UTC)
OLD, NEW = Key("old", b"o" * 32), Key("new", b"n" * 32)
SECRETS = {f"c-{number}": f"refresh-token-{number}".encode() for number in range(5)}
IDS = SystemIds()


def with_keys(*keys: Key) -> Credentials:
    return Credentials(lambda: KeyRing(keys), IDS)


def fill(database: Database, credentials: Credentials) -> None:
    with database.transaction() as conn:
        installation.ensure(conn, "here", "host", NOW)
        credentials.require_own_keys(conn)
        for name, secret in SECRETS.items():
            connections.put(conn, ConnectionRow(name, "P-1", "google", "database", {}, NOW))
            credentials.seal(conn, name, secret)


def opened(database: Database, credentials: Credentials) -> dict[str, bytes | None]:
    with database.reading() as conn:
        return {name: credentials.open_one(conn, name) for name in SECRETS}


def test_what_is_sealed_opens_again_and_stands_nowhere_in_the_clear(db: Database) -> None:
    credentials = with_keys(OLD)
    fill(db, credentials)
    assert opened(db, credentials) == SECRETS
    with db.reading() as conn:
        sealed = [connections.sealed(conn, name) for name in SECRETS]
    assert all(one is not None and b"refresh" not in one.credential for one in sealed)
    assert len({one.credential for one in sealed if one is not None}) == 5


def test_swapped_or_changed_rows_do_not_open(db: Database) -> None:
    credentials = with_keys(OLD)
    fill(db, credentials)
    with db.transaction() as conn:
        other = connections.sealed(conn, "c-1")
        assert other is not None
        connections.set_sealed(conn, Sealed("c-0", other.key_id, other.credential))
        connections.set_sealed(conn, Sealed("c-2", "old", b"old.\xff\xfe"))
        connections.set_sealed(conn, Sealed("c-3", "old", other.credential[:-8] + b"AAAAAAA="))
    for name in ("c-0", "c-2", "c-3"):
        with db.reading() as conn, pytest.raises(WrongKeyError) as caught:
            credentials.open_one(conn, name)
        assert "refresh" not in str(caught.value)


def test_an_unknown_connection_has_nothing_to_seal(conn: Connection) -> None:
    with pytest.raises(NotFoundError):
        with_keys(OLD).seal(conn, "nothing", b"x")
    assert with_keys(OLD).open_one(conn, "nothing") is None


def test_after_a_rotation_the_old_key_opens_nothing_and_can_go(db: Database) -> None:
    fill(db, with_keys(OLD))
    rotating = with_keys(NEW, OLD)
    assert rotating.is_rotating(db)
    assert rotating.reseal(db) == 5
    assert not rotating.is_rotating(db)
    assert opened(db, with_keys(NEW)) == SECRETS
    with db.transaction() as conn:
        with_keys(NEW).require_own_keys(conn)
    for name in SECRETS:
        with db.reading() as conn, pytest.raises(WrongKeyError):
            with_keys(OLD).open_one(conn, name)
    assert rotating.reseal(db) == 0


def test_a_credential_that_is_renewed_during_a_rotation_keeps_its_newer_text(db: Database) -> None:
    fill(db, with_keys(OLD))
    with db.transaction() as conn:
        before = connections.sealed(conn, "c-0")
        assert before is not None
        with_keys(OLD).seal(conn, "c-0", b"newer")
        assert not connections.replace_sealed(conn, before, before)
    with_keys(NEW, OLD).reseal(db)
    assert opened(db, with_keys(NEW)) == SECRETS | {"c-0": b"newer"}


class TestStart:
    def test_the_right_keys_may_start(self, db: Database) -> None:
        fill(db, with_keys(OLD))
        with db.transaction() as conn:
            with_keys(NEW, OLD).require_own_keys(conn)

    def test_another_installations_keys_may_not(self, db: Database) -> None:
        fill(db, with_keys(OLD))
        with db.transaction() as conn, pytest.raises(StartRefusedError, match="missing: old"):
            with_keys(NEW).require_own_keys(conn)

    def test_nor_a_key_of_the_same_name(self, db: Database) -> None:
        fill(db, with_keys(OLD))
        with db.transaction() as conn, pytest.raises(StartRefusedError):
            with_keys(Key("old", b"x" * 32)).require_own_keys(conn)

    def test_nor_keys_that_lack_one_which_a_row_still_needs(self, db: Database) -> None:
        fill(db, with_keys(OLD))
        rotating = with_keys(NEW, OLD)
        rotating.reseal(db)
        with db.transaction() as conn:
            with_keys(OLD).seal(conn, "c-1", b"late")
        with db.transaction() as conn, pytest.raises(StartRefusedError, match="missing: old"):
            with_keys(NEW).require_own_keys(conn)


# --- kill -9 at each row ---------------------------------------------------------------------------------------------


class Dying(Database):
    """A database whose process is killed at the n-th commit, right before or right after it."""

    at = 0
    after = False

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        type(self).at -= 1
        with super().transaction() as conn:
            yield conn
            if self.at == 0 and not self.after:
                os.kill(os.getpid(), 9)
        if self.at == 0:
            os.kill(os.getpid(), 9)


def rotate(database: Database, path: Path) -> None:
    """What `calsync secrets rotate` does."""
    credentials = Credentials(KeyFile(path), IDS)
    if not credentials.is_rotating(database):
        add_first_key(path, IDS)
    credentials.reseal(database)


@pytest.mark.parametrize("after", [False, True])
def test_a_rotation_survives_being_killed_at_each_row(tmp_path: Path, empty_books: Path, after: bool) -> None:
    path, file = tmp_path / "calsync.key", tmp_path / "calsync.db"
    create_key_file(path, IDS)
    file.write_bytes(empty_books.read_bytes())
    database = open_database(f"sqlite:///{file}")
    fill(database, Credentials(KeyFile(path), IDS))
    deaths = 0
    for at in range(1, 20):
        child = os.fork()
        if child == 0:
            Dying.at, Dying.after = at, after
            rotate(Dying(database.url), path)
            os._exit(0)
        died = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -9
        deaths += died
        assert opened(database, Credentials(KeyFile(path), IDS)) == SECRETS
        keys = len(KeyRing.read(path).keys)
        rotate(database, path)
        ring = KeyRing.read(path)
        assert len(ring.keys) == (keys if died and not (after and at == 6) else keys + 1)
        assert opened(database, Credentials(lambda one=ring: KeyRing(one.keys[:1]), IDS)) == SECRETS  # type: ignore[misc]
        with pytest.raises(WrongKeyError):
            opened(database, Credentials(lambda one=ring: KeyRing(one.keys[1:]), IDS))  # type: ignore[misc]
        if not died:
            break
    assert deaths == 6
    database.dispose()
