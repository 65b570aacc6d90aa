"""Stops stand until a person releases them, and a release counts for one pass."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from calsync.store import stops
from calsync.store.stops import StopRow
from tests.unit.store.samples import NOW, SECOND

STOP = StopRow("st1", "k1", NOW, "stampede", {"changed": 5, "links": ["L1"]}, ("a1", "a2"))


def test_the_latest_stop_stands_until_it_is_released(conn: Connection) -> None:
    later = replace(STOP, id="st2", started_at=NOW + SECOND)
    stops.start(conn, STOP)
    stops.start(conn, later)
    stops.start(conn, replace(STOP, id="st3", calendar="k2"))
    assert stops.standing(conn, "k1") == later
    assert stops.standing_for(conn, ["k1", "k3"]) == {"k1": later}
    assert stops.release(conn, "k1", NOW, "edits", "support:ada") == 2
    assert stops.standing(conn, "k1") is None
    assert stops.standing(conn, "k2") is not None
    assert stops.release(conn, "k1", NOW, "edits", "support:ada") == 0
    assert [(one.id, one.released_by) for one in stops.of_calendars(conn, ["k1"])["k1"]] == [
        ("st1", "support:ada"),
        ("st2", "support:ada"),
    ]


def test_a_release_counts_for_one_pass(conn: Connection) -> None:
    assert stops.released_unhandled(conn, "k1") is None
    stops.start(conn, STOP)
    assert stops.released_unhandled(conn, "k1") is None
    stops.release(conn, "k1", NOW, "restore", "support:ada")
    assert stops.released_unhandled(conn, "k1") == "restore"
    assert stops.released_unhandled(conn, "k2") is None
    stops.handled(conn, "k1", NOW)
    assert stops.released_unhandled(conn, "k1") is None


def test_a_pause_that_ends_says_nothing_about_evidence(conn: Connection) -> None:
    stops.start(conn, replace(STOP, kind="pause", evidence={}, touched=()))
    stops.release(conn, "k1", NOW, None, "support:ada")
    assert stops.released_unhandled(conn, "k1") is None
