"""Channels on the books: found by id and secret alone, alive when heard, renewed in time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from calsync.store import watches
from calsync.store.database import open_database
from calsync.store.upgrade import create_for_tests
from calsync.store.watches import OPEN, REFUSED, WatchRow

NOW = datetime(2026, 11, 16, 14, tzinfo=UTC)
ROW = WatchRow("w-1", "google", "work", "r", watches.hash_of(b"secret"), OPEN, NOW, NOW + timedelta(days=5))


def test_a_message_is_known_by_channel_secret_and_service() -> None:
    database = open_database("sqlite://")
    create_for_tests(database)
    with database.transaction() as conn:
        watches.insert(conn, ROW)
        watches.insert(conn, WatchRow("w-2", "google", "work", "", "", REFUSED, NOW, NOW + timedelta(hours=1)))
        for service, name, secret, at in (
            ("google", "w-1", b"other", NOW),
            ("google", "w-1", b"", NOW),
            ("google", "w-1", "sécret".encode(), NOW),
            ("graph", "w-1", b"secret", NOW),
            ("google", "w-3", b"secret", NOW),
            ("google", "w-3", b"", NOW),
            ("google", "w-2", b"", NOW),
            ("google", "w-1", b"secret", NOW + timedelta(days=6)),
        ):
            assert not watches.fits(watches.get(conn, name), service, secret, now=at)
        assert not watches.is_alive(conn, "work", NOW)
        for resource in ("", "another"):
            assert not watches.fits(ROW, "google", b"secret", now=NOW, resource=resource)
        found = watches.get(conn, "w-1")
        assert found == ROW
        assert watches.fits(found, "google", b"secret", now=NOW, resource="r")
        assert found.wants_note(NOW)
        watches.note_push(conn, "w-1", NOW)
        assert watches.is_alive(conn, "work", NOW)
        (heard,) = (one for one in watches.of_calendar(conn, "work") if one.state == OPEN)
        assert (heard.wants_note(NOW + timedelta(seconds=5)), heard.wants_note(NOW + timedelta(minutes=1))) == (
            False,
            True,
        )
        assert not watches.is_alive(conn, "work", NOW + timedelta(days=6))
        assert watches.doubt(conn, "work", NOW - timedelta(minutes=1)) == 0
        assert watches.doubt(conn, "work", NOW + timedelta(minutes=1)) == 1
        assert not watches.is_alive(conn, "work", NOW)
        watches.remove(conn, "w-1")
        assert watches.get(conn, "w-1") is None
    database.dispose()


def test_a_channel_is_renewed_at_four_fifths_of_its_life() -> None:
    assert ROW.renew_at == NOW + timedelta(days=4)
    assert WatchRow("w", "google", "work", "", "", REFUSED, NOW, NOW + timedelta(hours=1)).renew_at == NOW + timedelta(
        hours=1
    )
