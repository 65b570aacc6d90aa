"""Drifts, the edits they belong to and the holds they open: once per occurrence and episode."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from calsync.domain.drift import Disposition, Drift, DriftKind, Phase, Resolution, Scope
from calsync.domain.event import Appearance
from calsync.reconcile.case import PastRevert, RecentChange
from calsync.store import drifts, edits, holds, link_drifts, stops
from calsync.store.database import Database
from calsync.store.drifts import DriftFilter
from calsync.store.edits import EditRow
from calsync.store.stops import StopRow
from calsync.store.titles import hidden_title
from tests.unit.store.samples import DAY, LATER, NOW, SECOND, SPAN, drift

SLOT = SPAN.start_at
WEEK = 7 * DAY


def found(conn: Connection, number: str = "d1") -> Drift:
    one = drifts.get(conn, number)
    assert one is not None
    return one


def listed(conn: Connection, **wanted: object) -> list[str]:
    return [one.id for one in drifts.rows(conn, DriftFilter(**wanted))]  # type: ignore[arg-type]


def test_a_drift_comes_back_as_it_went_in(conn: Connection) -> None:
    full = drift(
        "d2",
        link="L2",
        block="b1",
        appointment=None,
        series="s1",
        original_start=SLOT,
        observed=None,
        scope=Scope.SERIES,
        mixed=True,
        phase=Phase.CLAIMED,
        copy_id="r9",
        accepted=True,
        resolved_at=NOW + DAY,
        history=(None, Appearance(LATER, "Session 1")),
    )
    for one in (drift(), full):
        drifts.insert(conn, one)
        assert found(conn, one.id) == one
    assert drifts.get(conn, "no") is None


def test_one_occurrence_has_one_drift_an_episode(db: Database) -> None:
    with db.transaction() as conn:
        assert link_drifts.next_episode(conn, "L1", None) == 1
        drifts.insert(conn, drift())
        assert link_drifts.next_episode(conn, "L1", None) == 2
        assert link_drifts.next_episode(conn, "L1", SLOT) == link_drifts.next_episode(conn, "L2", None) == 1
    with pytest.raises(IntegrityError), db.transaction() as conn:
        drifts.insert(conn, drift("d2"))
    with db.transaction() as conn:
        drifts.insert(conn, drift("d3", episode=2))
        drifts.insert(conn, drift("d4", original_start=SLOT))


def test_no_title_that_a_person_typed_is_stored(conn: Connection) -> None:
    typed = Appearance(LATER, "Mrs Miller")
    drifts.insert(conn, drift(observed=typed, history=(typed,)))
    hidden = Appearance(LATER, hidden_title("Mrs Miller"))
    assert (found(conn).observed, found(conn).history) == (hidden, (hidden,))
    again = Appearance(SPAN, "Mr Miller")
    drifts.update(conn, "d1", kind=DriftKind.RETITLED, observed=again, disposition=Disposition.IGNORE, changed_at=NOW)
    assert found(conn).observed == Appearance(SPAN, hidden_title("Mr Miller"))


def test_a_further_change_keeps_what_was_seen_before(conn: Connection) -> None:
    drifts.insert(conn, drift())
    at = NOW + SECOND
    drifts.update(conn, "d1", kind=DriftKind.DELETED, observed=None, disposition=Disposition.FLAG, changed_at=at)
    assert found(conn) == replace(
        drift(),
        kind=DriftKind.DELETED,
        observed=None,
        disposition=Disposition.FLAG,
        changed_at=at,
        history=(drift().observed,),
    )
    drifts.update(
        conn, "d1", kind=DriftKind.MOVED, observed=drift().observed, disposition=Disposition.FLAG, changed_at=at
    )
    assert found(conn).history == (drift().observed, None)


def test_the_same_seen_again_does_not_restart_the_quiet_time(conn: Connection) -> None:
    drifts.insert(conn, drift())
    drifts.update(
        conn,
        "d1",
        kind=DriftKind.MOVED,
        observed=drift().observed,
        disposition=Disposition.FLAG,
        changed_at=NOW + DAY,
    )
    assert found(conn) == replace(drift(), disposition=Disposition.FLAG)


def test_gone_is_not_the_same_as_unreadable_though_neither_shows_anything(conn: Connection) -> None:
    drifts.insert(conn, drift("d1", kind=DriftKind.UNREADABLE, observed=None))
    later = NOW + DAY
    drifts.update(conn, "d1", kind=DriftKind.DELETED, observed=None, disposition=Disposition.FLAG, changed_at=later)
    known = found(conn, "d1")
    assert (known.kind, known.changed_at, known.resolved_by) == (DriftKind.DELETED, later, None)


def test_answered_it_is_closed_with_its_holds(conn: Connection) -> None:
    drifts.insert(conn, drift())
    holds.open_hold(conn, "a1", "d1", NOW)
    holds.open_hold(conn, "a1", "d1", NOW + DAY)
    holds.open_hold(conn, "a1", "d2", NOW)
    drifts.resolve(conn, "d1", Resolution.ACKNOWLEDGED, NOW + DAY, by="provider:p1", note="yes", accepted=True)
    assert (found(conn).resolution, found(conn).resolved_at, found(conn).accepted) == (
        Resolution.ACKNOWLEDGED,
        NOW + DAY,
        True,
    )
    answer = drifts.answers(conn, ["d1"])["d1"]
    assert (answer.resolved_by, answer.note, answer.reverted_at) == ("provider:p1", "yes", None)
    assert [(hold.drift, hold.opened_at, hold.closed_at) for hold in holds.of_appointments(conn, ["a1"])["a1"]] == [
        ("d1", NOW, NOW + DAY),
        ("d2", NOW, None),
    ]
    assert [hold.drift for hold in holds.standing(conn)] == ["d2"]


def test_put_back_it_still_holds_until_it_is_answered(conn: Connection) -> None:
    drifts.insert(conn, drift("d1", original_start=SLOT))
    drifts.insert(conn, drift("d2", original_start=SLOT + WEEK))
    drifts.insert(conn, drift("d3", original_start=SLOT, link="L2"))
    drifts.insert(conn, drift("d4", original_start=SLOT, episode=0))
    drifts.resolve(conn, "d4", Resolution.WITHDRAWN, NOW)
    holds.open_hold(conn, "a1", "d1", NOW)
    assert drifts.mark_reverted(conn, "L1", (SLOT, None), NOW + SECOND) == ["d1"]
    assert (found(conn).resolution, found(conn).resolved_at) == (Resolution.REVERTED, NOW + SECOND)
    assert [found(conn, number).resolution for number in ("d2", "d3", "d4")] == ["open", "open", "withdrawn"]
    assert len(holds.standing(conn)) == 1
    assert drifts.mark_reverted(conn, "L1", (SLOT,), NOW) == []
    drifts.resolve(conn, "d1", Resolution.ACKNOWLEDGED, NOW + DAY, by="provider:p1")
    assert holds.standing(conn) == []
    assert drifts.answers(conn, ["d1"])["d1"].reverted_at == NOW + SECOND


def test_what_was_put_back_is_counted_by_link(conn: Connection) -> None:
    for number, start, at in (("d1", SLOT, NOW), ("d2", SLOT + WEEK, NOW - SECOND), ("d3", None, NOW + SECOND)):
        drifts.insert(conn, drift(number, original_start=start))
        drifts.mark_reverted(conn, "L1", (start,), at)
    drifts.insert(conn, drift("d4", link="L2"))
    seen = drift().observed
    assert link_drifts.reverts_of_links(conn, ["L1", "L2"], NOW) == {
        "L1": (PastRevert(SLOT, NOW, seen), PastRevert(None, NOW + SECOND, seen))
    }


def test_open_ones_and_the_latest_accepted_state(conn: Connection) -> None:
    for number, start, episode, ended, accepted in (
        ("old", SLOT, 1, Resolution.ACKNOWLEDGED, True),
        ("accepted", SLOT, 2, Resolution.ACKNOWLEDGED, True),
        ("refused", SLOT, 3, Resolution.ACKNOWLEDGED, False),
        ("open", SLOT, 4, None, False),
        ("elsewhere", SLOT + WEEK, 1, None, False),
        ("done", SLOT + 2 * WEEK, 1, Resolution.REVERTED, False),
    ):
        drifts.insert(conn, drift(number, original_start=start, episode=episode))
        if ended:
            drifts.resolve(conn, number, ended, NOW, accepted=accepted)
    drifts.insert(conn, drift("other", link="L2"))
    told = link_drifts.open_of_links(conn, ["L1", "L3"])
    assert list(told) == ["L1"]
    assert [one.id for one in told["L1"]] == ["open", "elsewhere", "accepted"]


def test_lists_are_narrowed_and_in_order(conn: Connection) -> None:
    drifts.insert(conn, drift("d2", detected_at=NOW - SECOND, edit="e2", appointment="a2"))
    drifts.insert(conn, drift("d1", episode=2))
    drifts.insert(conn, drift("d3", link="L2", provider="p2", calendar="k2", detected_at=NOW + SECOND))
    drifts.resolve(conn, "d1", Resolution.IGNORED, NOW)
    assert listed(conn) == ["d2", "d1", "d3"]
    assert listed(conn, open=True) == ["d2", "d3"]
    assert listed(conn, provider="p2") == listed(conn, calendar="k2") == ["d3"]
    assert listed(conn, appointment="a2") == listed(conn, edit="e2") == ["d2"]
    assert listed(conn, since=NOW, until=NOW + SECOND) == ["d1"]
    assert [one.id for one in drifts.of_edit(conn, "e1")] == ["d3", "d1"]
    assert {key: [one.id for one in value] for key, value in drifts.of_appointments(conn, ["a1", "a9"]).items()} == {
        "a1": ["d1", "d3"]
    }
    assert drifts.appointments_of(conn, ["d1", "d2", "d3"]) == ["a1", "a2"]


def test_an_edit_groups_what_a_person_did_in_one_go(conn: Connection) -> None:
    row = EditRow("e1", "L1", "k1", "p1", "v1", NOW, Scope.SERIES, mixed=True)
    edits.insert(conn, row)
    assert edits.get(conn, "e1") == row
    edits.assign(conn, "e1", assigned="support:ada", snoozed_until=NOW, waiting_for="provider:p1")
    assert edits.by_ids(conn, ["e1", "no"]) == {
        "e1": replace(row, assigned="support:ada", snoozed_until=NOW, waiting_for="provider:p1")
    }
    assert edits.get(conn, "no") is None


def test_links_that_vanished_or_changed_as_a_whole(conn: Connection) -> None:
    gone: dict[str, Any] = {"observed": None, "kind": DriftKind.DELETED}
    cases: dict[str, dict[str, Any]] = {
        "single gone": {"link": "L1", **gone},
        "series gone": {"link": "L2", "original_start": SLOT, "scope": Scope.SERIES, **gone},
        "its past": {"link": "L2", "original_start": SLOT - WEEK, "scope": Scope.SERIES, "phase": Phase.PAST, **gone},
        "one of a series": {"link": "L3", "original_start": SLOT, **gone},
        "changed": {"link": "L4"},
        "cosmetic": {"link": "L5", "kind": DriftKind.RETITLED},
        "a copy": {"link": "L6", "kind": DriftKind.DUPLICATED},
        "old and open": {"link": "L7", "detected_at": NOW - DAY},
        "old": {"link": "L8", "detected_at": NOW - DAY, "changed_at": NOW - DAY},
        "old and changed again": {"link": "M4", "detected_at": NOW - DAY},
        "taken back": {"link": "L9"},
        "put back": {"link": "M1"},
        "elsewhere": {"link": "M2", "calendar": "k2"},
        "over when it was edited": {"link": "M3", "phase": Phase.PAST},
    }
    for number, changes in cases.items():
        drifts.insert(conn, drift(number, **changes))
    drifts.resolve(conn, "old", Resolution.REVERTED, NOW)
    drifts.resolve(conn, "old and changed again", Resolution.REVERTED, NOW)
    drifts.resolve(conn, "taken back", Resolution.WITHDRAWN, NOW)
    drifts.resolve(conn, "put back", Resolution.REVERTED, NOW)
    assert link_drifts.recent_whole(conn, "k1", NOW) == [
        RecentChange("L1", vanished=True, starts=(SLOT,)),
        RecentChange("L2", vanished=True, starts=(SLOT,)),
        RecentChange("L4", vanished=False),
        RecentChange("L7", vanished=False),
        RecentChange("M1", vanished=False),
        RecentChange("M4", vanished=False),
    ]


def test_what_a_person_let_through_does_not_stop_the_calendar_again(conn: Connection) -> None:
    stops.start(conn, StopRow("st1", "k1", NOW, "stampede", {}, ()))
    stops.release(conn, "k1", NOW, "edits", "support:ada")
    drifts.insert(conn, drift(detected_at=NOW + SECOND))
    assert len(link_drifts.recent_whole(conn, "k1", NOW)) == 1
    stops.handled(conn, "k1", NOW)
    assert link_drifts.recent_whole(conn, "k1", NOW) == []
    drifts.insert(conn, drift("d2", link="L2", detected_at=NOW + 2 * SECOND))
    assert [one.link for one in link_drifts.recent_whole(conn, "k1", NOW)] == ["L2"]
