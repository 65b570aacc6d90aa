"""Migrations make exactly the tables of the metadata, once, and tell a newer or missing database from a usable one."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text, update

from calsync.errors import StartRefusedError
from calsync.store import revisions
from calsync.store.database import Database, open_database
from calsync.store.errors import NotUpgraded, StoreUnavailable
from calsync.store.schema import metadata
from calsync.store.upgrade import SchemaState, check, create_for_tests, upgrade

HEAD = revisions.head()


def differs(*told: object) -> bool:
    """Whether two defaults are different texts: Alembic takes an empty text of SQLite's for something else."""
    *_, inspected, _, rendered = told
    return str(inspected or "").strip("'()") != str(rendered or "").strip("'()")


def differences(database: Database) -> list[object]:
    with database.engine.connect() as conn:
        options = {"compare_type": True, "compare_server_default": differs if database.is_sqlite else True}
        context = MigrationContext.configure(conn, opts=options)
        return [one for one in compare_metadata(context, metadata) if "alembic_version" not in str(one)]


def test_migrations_and_metadata_agree(db: Database) -> None:
    assert differences(db) == []


def test_tables_made_at_once_are_the_same(empty_url: str) -> None:
    database = open_database(empty_url)
    create_for_tests(database)
    with database.transaction() as conn:
        assert revisions.current(conn) == HEAD
    assert differences(database) == []
    database.dispose()


def test_upgrading_again_changes_nothing(empty_url: str) -> None:
    assert check(empty_url) == SchemaState(None, HEAD)
    assert upgrade(empty_url) == SchemaState(HEAD, HEAD)
    assert upgrade(empty_url).is_current
    assert check(empty_url).is_current


def test_of_several_upgrades_at_once_the_others_wait(empty_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(upgrade, [empty_url] * 4)) == [SchemaState(HEAD, HEAD)] * 4


def test_a_database_without_tables_names_the_command(empty_url: str) -> None:
    database = open_database(empty_url)
    with pytest.raises(NotUpgraded, match="calsync db upgrade"), database.transaction():
        pass
    with pytest.raises(NotUpgraded, match="calsync db upgrade"), database.reading():
        pass
    upgrade(empty_url)
    with database.transaction() as conn:
        assert revisions.current(conn) == HEAD
    database.dispose()


def test_a_newer_database_is_refused_and_left_alone(db: Database, url: str) -> None:
    with db.engine.begin() as conn:
        conn.execute(update(revisions.alembic_version).values(version_num="9999"))
    for act in (check, upgrade):
        with pytest.raises(StartRefusedError, match="newer than this program"):
            act(url)
    again = open_database(url)
    with pytest.raises(StartRefusedError, match="newer than this program"), again.transaction():
        pass
    with again.engine.begin() as conn:
        assert revisions.current(conn) == "9999"
    again.dispose()


def test_an_older_database_names_the_command(db: Database, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    known = (*revisions.known(), "9999")
    monkeypatch.setattr(revisions, "known", lambda: known)
    again = open_database(url)
    with pytest.raises(NotUpgraded, match=r"older than this program.*calsync db upgrade"), again.transaction():
        pass
    again.dispose()


def test_an_upgrade_that_fails_leaves_nothing_half_made(empty_url: str) -> None:
    database = open_database(empty_url)
    with database.engine.begin() as conn:
        # The migrations will stumble over this one somewhere in the middle.
        conn.execute(text("CREATE TABLE owed_writes (id integer)"))
    with pytest.raises(Exception, match="owed_writes"):
        upgrade(empty_url)
    with database.engine.begin() as conn:
        assert revisions.current(conn) is None
        conn.execute(text("DROP TABLE owed_writes"))
    assert upgrade(empty_url).is_current
    database.dispose()


def test_a_missing_table_is_no_riddle(db: Database) -> None:
    with db.transaction() as conn:
        conn.execute(text("DROP TABLE budgets"))
    with pytest.raises(NotUpgraded, match="calsync db upgrade"), db.transaction() as conn:
        conn.execute(text("SELECT * FROM budgets"))


def test_a_new_file_is_for_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "calsync.db"
    assert check(f"sqlite:///{file}") == SchemaState(None, HEAD)
    assert not file.exists()
    upgrade(f"sqlite:///{file}")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match=r"nowhere.*folder exists"):
        upgrade(f"sqlite:///{tmp_path / 'nowhere' / 'calsync.db'}")


def test_revisions_are_numbered_without_gaps() -> None:
    assert revisions.known() == tuple(f"{number:04}" for number in range(1, len(revisions.known()) + 1))
