"""Calendars: declared, found, read, put into states, and paused when nobody declares them any more."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Connection

from calsync.store import calendars, link_changes
from calsync.store.calendars import NOT_IN_CONFIG, CalendarRow, CalendarState
from tests.unit.store.samples import DAY, NOW, SECOND, add_calendar, link, spec, subject


def row(conn: Connection, calendar: str = "k1") -> CalendarRow:
    found = calendars.get(conn, calendar)
    assert found is not None
    return found


def test_a_new_calendar_is_due_at_once(conn: Connection) -> None:
    assert calendars.register(conn, spec("k1"), NOW)
    new = row(conn)
    assert (new.state, new.state_since, new.due_at, new.fence, new.attempts) == (CalendarState.ACTIVE, NOW, NOW, 0, 0)
    assert (new.provider, new.connection, new.connector, new.mode, new.placement, new.source) == (
        "p1",
        "c1",
        "caldav",
        "mirror",
        "dedicated",
        "config",
    )
    assert calendars.get(conn, "no") is None


def test_a_known_calendar_keeps_what_it_knows(conn: Connection) -> None:
    add_calendar(conn)
    calendars.save_reading(conn, "k1", "cursor", NOW)
    calendars.set_state(conn, "k1", "needs-reconnect", "auth-revoked", NOW)
    before = row(conn)
    assert not calendars.register(conn, spec("k1"), NOW + DAY)
    assert row(conn) == before
    assert not calendars.register(conn, spec("k1", mode="busy"), NOW + DAY)
    assert row(conn) == replace(before, mode="busy")


def test_lists_are_by_id_and_without_removed_ones(conn: Connection) -> None:
    add_calendar(conn, "k2")
    add_calendar(conn, "k1")
    add_calendar(conn, "k3", "p2")
    calendars.remove(conn, "k2", NOW)
    assert [one.id for one in calendars.rows(conn)] == ["k1", "k3"]
    assert [one.id for one in calendars.rows(conn, "p1")] == ["k1"]
    assert [one.id for one in calendars.rows(conn, removed=True)] == ["k1", "k2", "k3"]
    assert (row(conn, "k2").state, row(conn, "k2").removed_at) == (CalendarState.PAUSED, NOW)


def test_a_state_changes_once_and_its_error_as_often_as_it_does(conn: Connection) -> None:
    add_calendar(conn)
    assert calendars.set_state(conn, "k1", "unreachable", "unavailable", NOW + SECOND)
    assert not calendars.set_state(conn, "k1", CalendarState.UNREACHABLE, "malformed", NOW + DAY)
    assert (row(conn).state, row(conn).state_since, row(conn).last_error) == ("unreachable", NOW + SECOND, "malformed")
    assert calendars.set_state(conn, "k1", "active", None, NOW + DAY)
    assert row(conn).last_error is None
    with pytest.raises(ValueError, match="broken"):
        calendars.set_state(conn, "k1", "broken", None, NOW)


def test_a_reading_keeps_the_last_full_comparison(conn: Connection) -> None:
    add_calendar(conn)
    calendars.save_reading(conn, "k1", "c1", NOW, inventory_at=NOW)
    calendars.save_reading(conn, "k1", "c2", NOW + SECOND)
    assert (row(conn).cursor, row(conn).last_read_at, row(conn).inventory_at) == ("c2", NOW + SECOND, NOW)
    calendars.save_reading(conn, "k1", None, NOW + DAY)
    assert row(conn).cursor is None


def test_an_intent_ends_when_the_calendar_is_there(conn: Connection) -> None:
    add_calendar(conn)
    calendars.set_making(conn, "k1", NOW)
    assert row(conn).making_since == NOW
    calendars.set_remote(conn, "k1", "/calendars/ada/x/")
    assert (row(conn).making_since, row(conn).remote) == (None, "/calendars/ada/x/")


def test_what_the_config_lost_is_paused_and_comes_back_with_it(conn: Connection) -> None:
    add_calendar(conn, "k1")
    add_calendar(conn, "k2")
    add_calendar(conn, "typed", source="database")
    add_calendar(conn, "stays")
    calendars.set_state(conn, "k2", "paused", None, NOW)
    assert calendars.missing_from_config(conn, ["stays"], NOW + SECOND) == ["k1"]
    assert calendars.missing_from_config(conn, ["stays"], NOW + DAY) == []
    assert (row(conn).state, row(conn).state_since, row(conn).last_error) == ("paused", NOW + SECOND, NOT_IN_CONFIG)
    calendars.register(conn, spec("k1"), NOW + DAY)
    calendars.register(conn, spec("k2"), NOW + DAY)
    assert (row(conn, "k1").state, row(conn, "k1").due_at, row(conn, "k1").last_error) == ("active", NOW + DAY, None)
    assert row(conn, "k2").state == "paused"  # a person paused it


def test_links_are_counted_until_they_are_history(conn: Connection) -> None:
    for number in ("L1", "L2", "L3"):
        link_changes.insert(conn, link(number, subject=subject(number)))
    link_changes.insert(conn, link("L4", calendar="k2"))
    link_changes.retire(conn, "L3", NOW)
    assert calendars.link_counts(conn) == {"k1": 2, "k2": 1}
    assert (calendars.link_count(conn, "k1"), calendars.link_count(conn, "k3")) == (2, 0)
