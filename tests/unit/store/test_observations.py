"""Observations: the last one of a session and calendar, and every one that proves something."""

from __future__ import annotations

from sqlalchemy import Connection

from calsync.store import observations
from calsync.store.observations import Observation
from calsync.store.titles import hidden_title
from tests.unit.store.samples import DAY, NOW, SECOND, event


def seen(hours: int, **changes: object) -> Observation:
    told = {"calendar": "k1", "link": "L1", "appointment": "a1", "seen": None, "version": "v"}
    return Observation(**(told | {"read_at": NOW + hours * 3600 * SECOND} | changes))  # type: ignore[arg-type]


def kept(conn: Connection) -> list[Observation]:
    return observations.of_appointments(conn, ["a1", "no"]).get("a1", [])


def test_an_observation_comes_back_without_the_title(conn: Connection) -> None:
    full = seen(0, seen=event("Mrs Miller").master, drift="d1", after_end=True, linked_at=NOW - DAY, written_at=NOW)
    observations.insert(conn, full)
    (one,) = kept(conn)
    assert one.seen is not None
    assert one.seen.title == hidden_title("Mrs Miller")
    assert one.seen.span == event().master.span
    assert (one.drift, one.after_end, one.linked_at, one.written_at) == ("d1", True, NOW - DAY, NOW)


def test_what_proves_nothing_is_replaced_by_the_next(conn: Connection) -> None:
    for hours in range(3):
        observations.insert(conn, seen(hours))
    observations.insert(conn, seen(0, calendar="k2"))
    observations.insert(conn, seen(0, appointment="a2"))
    assert [(one.calendar, one.read_at) for one in kept(conn)] == [("k2", NOW), ("k1", seen(2).read_at)]


def test_what_proves_something_stays(conn: Connection) -> None:
    for one in (seen(0, drift="d1"), seen(1, after_end=True), seen(2), seen(3)):
        observations.insert(conn, one)
    assert [one.read_at for one in kept(conn)] == [seen(hours).read_at for hours in (0, 1, 3)]
