"""Links: what was agreed, what was seen, and how they are found."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from calsync.domain.appointment import Subject, SubjectKind
from calsync.domain.event import Event
from calsync.domain.link import Link, LinkState
from calsync.reconcile.case import Copy
from calsync.store import copies, link_changes, links
from calsync.store.database import Database
from calsync.store.titles import hidden_title
from tests.unit.store.samples import DAY, LATER, NOW, SECOND, add_calendar, event, link, series_event, subject


def found(conn: Connection, number: str = "L1") -> Link:
    one = links.link(conn, number)
    assert one is not None
    return one


def confirm(conn: Connection, number: str = "L1", baseline: Event | None = None, **changes: object) -> None:
    told = {
        "version": "v1",
        "baseline": baseline or event(),
        "baseline_hash": "h",
        "remote_id": f"r-{number}",
        "confirmed_at": NOW,
    }
    link_changes.confirm(conn, number, **(told | changes))  # type: ignore[arg-type]


def test_a_link_comes_back_as_it_went_in(conn: Connection) -> None:
    full = link(
        "L2",
        subject=Subject(SubjectKind.SERIES, "s1"),
        generation=3,
        state=LinkState.RETIRING,
        version="v",
        baseline=series_event(),
        baseline_hash="h",
        observed=series_event(),
        absent=True,
        confirmed_at=NOW,
        linked_at=NOW - DAY,
    )
    for one in (link(), full):
        link_changes.insert(conn, one)
        assert found(conn, one.id) == one
    assert links.link(conn, "no") is None
    assert links.by_ids(conn, ["L2", "no", "L1", "L2"]) == [link(), full]


def test_one_event_belongs_to_one_link(db: Database) -> None:
    with db.transaction() as conn:
        link_changes.insert(conn, link("L1", remote_id="r"))
    with pytest.raises(IntegrityError), db.transaction() as conn:
        link_changes.insert(conn, link("L2", remote_id="r", generation=2))


def test_confirmed_it_is_linked_and_nothing_differs(conn: Connection) -> None:
    link_changes.insert(conn, link())
    link_changes.remember(conn, "L1", version="v0", observed=event(span=LATER), absent=True)
    confirm(conn, remote_id="given-by-the-service")
    assert found(conn) == replace(
        link(),
        remote_id="given-by-the-service",
        version="v1",
        baseline=event(),
        baseline_hash="h",
        confirmed_at=NOW,
        linked_at=NOW,
    )
    confirm(conn, version="v2", confirmed_at=NOW + DAY)
    assert (found(conn).version, found(conn).confirmed_at, found(conn).linked_at) == ("v2", NOW + DAY, NOW)
    confirm(conn, version=None, confirmed_at=None)
    assert (found(conn).version, found(conn).confirmed_at) == (None, NOW + DAY)


def test_what_was_seen_is_remembered_and_cleared(conn: Connection) -> None:
    link_changes.insert(conn, link())
    confirm(conn)
    link_changes.remember(conn, "L1", version="v2", observed=event(span=LATER), absent=False)
    assert (found(conn).version, found(conn).observed, found(conn).absent) == ("v2", event(span=LATER), False)
    link_changes.remember(conn, "L1", version=None, observed=None, absent=True)
    assert (found(conn).version, found(conn).observed, found(conn).absent) == ("v2", None, True)


def test_no_title_that_a_person_typed_is_stored(conn: Connection) -> None:
    link_changes.insert(conn, link())
    confirm(conn, baseline=series_event("Session 1"))
    typed = series_event("Session 1")
    typed = replace(typed, master=replace(typed.master, title="Mrs Miller"))
    link_changes.remember(conn, "L1", version="v", observed=typed, absent=False)
    copies.put(conn, "L1", "r2", "v", typed)
    observed = found(conn).observed
    assert observed is not None
    assert observed.master.title == hidden_title("Mrs Miller")
    assert observed.overrides[0].appearance.title == "Session 1"
    assert copies.of_link(conn, "L1")[0].event == observed


def test_found_by_subject_unless_retired(conn: Connection) -> None:
    link_changes.insert(conn, link("L1", generation=1))
    link_changes.insert(conn, link("L2", generation=2))
    link_changes.insert(conn, link("L3", generation=1, calendar="k2"))
    one = links.by_subject(conn, "k1", subject())
    assert one is not None
    assert one.id == "L2"
    link_changes.retire(conn, "L2", NOW)
    one = links.by_subject(conn, "k1", subject())
    assert one is not None
    assert one.id == "L1"
    assert links.by_subject(conn, "k1", Subject(SubjectKind.SERIES, "a1")) is None
    assert [one.id for one in links.of_subject(conn, subject())] == ["L1", "L2", "L3"]


def test_found_by_remote_id_in_their_own_calendar(conn: Connection) -> None:
    link_changes.insert(conn, link("L1"))
    link_changes.insert(conn, link("L2", subject=subject("a2")))
    link_changes.insert(conn, link("L3", calendar="k2", remote_id="r-L1"))
    assert [one.id for one in links.by_remote_ids(conn, "k1", ["r-L2", "r-L1", "foreign"])] == ["L1", "L2"]
    confirm(conn, "L1")
    confirm(conn, "L2", version="w")
    assert links.versions(conn, "k1", ["r-L1", "r-L2", "foreign"]) == {"r-L1": "v1", "r-L2": "w"}
    link_changes.retire(conn, "L2", NOW)
    assert links.versions(conn, "k1", ["r-L1", "r-L2"]) == {"r-L1": "v1"}
    assert list(links.all_remote_ids(conn, "k1")) == [("L1", "r-L1", "v1")]
    assert [one.id for one in links.of_calendar(conn, "k1")] == ["L1"]


def test_thousands_of_names_at_once(conn: Connection) -> None:
    for number in range(3):
        link_changes.insert(conn, link(f"L{number}", subject=subject(f"a{number}")))
    names = [f"r-L{number}" for number in range(40_000)]
    assert len(links.by_remote_ids(conn, "k1", names)) == 3


def test_reads_that_are_owed(conn: Connection) -> None:
    for number, at in (("L1", NOW), ("L2", NOW - SECOND), ("L3", NOW + SECOND), ("L4", None), ("L5", NOW)):
        link_changes.insert(conn, link(number, subject=subject(number)))
        link_changes.set_read_after(conn, number, at)
    link_changes.retire(conn, "L5", NOW)
    assert [one.id for one in links.reads_due(conn, "k1", NOW, 10)] == ["L2", "L1"]
    assert [one.id for one in links.reads_due(conn, "k1", NOW, 1)] == ["L2"]
    assert links.next_read(conn, "k1") == NOW - SECOND
    for number in ("L1", "L2", "L3"):
        link_changes.set_read_after(conn, number, None)
    assert links.next_read(conn, "k1") is None


def test_upcoming_counts_what_was_written_and_is_not_over(conn: Connection) -> None:
    for number, last_end in (("L1", NOW), ("L2", NOW + SECOND), ("L3", None), ("L4", None), ("L5", None)):
        link_changes.insert(conn, link(number, subject=subject(number)))
        link_changes.set_last_end(conn, number, last_end)
        if number != "L4":
            confirm(conn, number)
    link_changes.retire(conn, "L5", NOW)
    assert links.upcoming_count(conn, "k1", NOW) == 2
    assert links.upcoming_count(conn, "k2", NOW) == 0


def test_a_next_generation_starts_anew(conn: Connection) -> None:
    link_changes.insert(conn, link())
    confirm(conn)
    link_changes.set_read_after(conn, "L1", NOW)
    link_changes.retire(conn, "L1", NOW)
    link_changes.next_generation(conn, "L1", generation=2, remote_id="r2", uid="u2")
    assert found(conn) == replace(link(), generation=2, remote_id="r2", uid="u2")
    (life,) = links.lives_of_subjects(conn, [subject(), subject("no")])[subject()]
    assert (life.ended_at, life.read_after) == (None, None)


def test_a_retired_link_is_history_with_its_end(conn: Connection) -> None:
    link_changes.insert(conn, link())
    confirm(conn)
    link_changes.set_last_end(conn, "L1", NOW - DAY)
    link_changes.set_retiring(conn, "L1")
    assert found(conn).state is LinkState.RETIRING
    link_changes.retire(conn, "L1", NOW)
    link_changes.retire(conn, "L1", NOW + DAY)
    link_changes.set_retiring(conn, "L1")
    (life,) = links.lives_of_subjects(conn, [subject()])[subject()]
    assert (life.link.state, life.ended_at, life.last_end) == (LinkState.RETIRED, NOW, NOW - DAY)


def test_copies_are_kept_by_name(conn: Connection) -> None:
    add_calendar(conn)
    link_changes.insert(conn, link())
    confirm(conn)
    copies.put(conn, "L1", "r3", "v", event())
    copies.put(conn, "L1", "r2", "v", event())
    copies.put(conn, "L1", "r2", "w", series_event())
    assert copies.of_link(conn, "L1") == (Copy("r2", "w", series_event()), Copy("r3", "v", event()))
    assert copies.ids_among(conn, "k1", ["r2", "r3", "x"]) == {"r2", "r3"}
    assert copies.ids_among(conn, "k2", ["r2"]) == set()
    copies.drop(conn, "L1", "r2")
    copies.drop(conn, "L1", "r2")
    assert [copy.remote_id for copy in copies.of_link(conn, "L1")] == ["r3"]
