"""The installation knows its name and machine, and remembers that writes are stopped."""

from __future__ import annotations

import pytest

from calsync.errors import StartRefusedError
from calsync.store import installation
from calsync.store.database import Database
from calsync.store.installation import FleetStop
from calsync.store.schema import installation as table
from tests.unit.store.samples import DAY, NOW


def test_the_name_is_given_once(db: Database) -> None:
    with db.transaction() as conn:
        assert installation.ensure(conn, "first", "host-a", NOW) == "first"
        assert installation.ensure(conn, "second", "host-a", NOW + DAY) == "first"


def test_a_copy_on_another_machine_refuses_until_it_is_adopted(db: Database) -> None:
    with db.transaction() as conn:
        installation.ensure(conn, "first", "host-a", NOW)
    if not db.is_sqlite:
        # Many machines work on one server's database: what counts is the server.
        with db.transaction() as conn:
            assert installation.ensure(conn, "first", "host-b", NOW) == "first"
            conn.execute(table.update().values(host="postgresql:another/server"))
    with db.transaction() as conn:
        with pytest.raises(StartRefusedError, match=r"host-a|another/server.*calsync db adopt"):
            installation.ensure(conn, "first", "host-b", NOW)
        assert installation.adopt(conn, "host-b")
        assert installation.ensure(conn, "first", "host-b", NOW) == "first"
        assert not installation.adopt(conn, "host-b")


def test_a_fleet_stop_stands_until_a_person_ends_it(db: Database) -> None:
    with db.transaction() as conn:
        assert installation.fleet_stop(conn) is None
        assert not installation.stop_writes(conn, "x", NOW)
        installation.ensure(conn, "first", "host-a", NOW)
        assert installation.fleet_stop(conn) is None
        assert installation.stop_writes(conn, "many calendars drift", NOW)
        assert not installation.stop_writes(conn, "again", NOW + DAY)
    with db.transaction() as conn:
        assert installation.fleet_stop(conn) == FleetStop(NOW, "many calendars drift", 0.0)
        assert installation.release_writes(conn, 0.1)
        assert installation.fleet_stop(conn) == FleetStop(NOW, "many calendars drift", 0.1)
        assert installation.shares_counted_from(conn) is None
        assert installation.allow_writes(conn, NOW + DAY)
        assert not installation.allow_writes(conn, NOW)
        assert not installation.release_writes(conn, 0.1)
        assert installation.shares_counted_from(conn) == NOW + DAY
        assert installation.fleet_stop(conn) is None
