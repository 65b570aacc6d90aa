"""What the queue, the timeline, the report and the accounts read, on both databases."""

from __future__ import annotations

from datetime import timedelta

from calsync.claims.gate import Gate
from calsync.domain.drift import Disposition, DriftKind, Resolution
from calsync.reports.build import Scope
from calsync.store import action_links, drifts, edits, review_rows, users
from calsync.store.action_links import ActionLink
from calsync.store.database import Database
from calsync.store.review_rows import Waiting
from calsync.store.tokens import Role
from calsync.store.users import SessionRow, UserRow
from calsync.support.queue import View, Wanted, load_queue
from calsync.support.reporting import make_report
from tests.unit.claims.gate_world import NEXT_DAY, NOW, READ, SPAN, GateWorld


def _waiting(db: Database, wanted: Waiting | None = None) -> list[str]:
    with db.reading() as conn:
        return [one.id for one in review_rows.waiting_edits(conn, wanted or Waiting())]


class TestQueue:
    def test_an_edit_waits_until_somebody_answers(self, db: Database) -> None:
        world = GateWorld(db)
        world.drift("D-1")
        world.book("A-2")
        world.link(number="A-2")
        world.drift("D-2", number="A-2", resolution=Resolution.REVERTED, detected_at=READ)
        world.book("A-3")
        world.link(number="A-3")
        world.drift("D-3", number="A-3", kind=DriftKind.RETITLED)
        world.book("A-4")
        world.link(number="A-4")
        world.drift("D-4", number="A-4", disposition=Disposition.WOULD_REVERT)
        assert _waiting(db) == ["E-D-2", "E-D-1"]
        assert _waiting(db, Waiting(observed=True)) == ["E-D-2", "E-D-1", "E-D-4"]
        assert _waiting(db, Waiting(provider="P-2")) == _waiting(db, Waiting(calendar="K-2")) == []
        with db.transaction() as conn:
            drifts.answer(conn, "D-1", by="support:ann", note=None)
            drifts.resolve(conn, "D-2", Resolution.ACKNOWLEDGED, NOW, by="support:ann")
        assert _waiting(db) == []

    def test_less_time_to_file_is_graver_and_rest_is_rest(self, db: Database) -> None:
        world = GateWorld(db)
        world.drift("D-1")
        with db.transaction() as conn:
            until = NOW + timedelta(hours=1)
            edits.assign(conn, "E-D-1", assigned="ann", snoozed_until=until, waiting_for="provider")
        gate = Gate(db, world.settings, world.clock, world.ids)
        assert load_queue(gate, Wanted(me="ann")) == []
        (row,) = load_queue(gate, Wanted(view=View.RESTING, me="bob"))
        assert (row.edit, row.assigned, row.waiting_for, row.is_resting) == ("E-D-1", "ann", "provider", True)
        assert row.claim is not None
        world.clock.advance(timedelta(hours=1))
        assert [one.edit for one in load_queue(gate, Wanted(me="ann"))] == ["E-D-1"]
        assert load_queue(gate, Wanted(me="bob")) == []


def test_writes_links_and_days_are_read(db: Database) -> None:
    world = GateWorld(db)
    world.drift("D-1")
    link = ActionLink("h", "answer-edit", "provider:P-1", {"edit": "E-D-1"}, READ, READ + timedelta(days=30))
    with db.transaction() as conn:
        action_links.insert(conn, link)
        assert action_links.note_opened(conn, "h", NOW)
        assert not action_links.note_opened(conn, "h", NOW + timedelta(hours=1))
    with db.reading() as conn:
        (state,) = review_rows.links_of(conn, "provider:P-1", READ)
        assert (state.opened_at, state.payload) == (NOW, {"edit": "E-D-1"})
        assert review_rows.writes_of(conn, ["L-K-1-A-1"]) == []
        assert [kind for _, kind in review_rows.edits_by_day(conn, READ)] == ["moved"]
        assert [one.id for one in drifts.of_edits(conn, ["E-D-1", "none"])["E-D-1"]] == ["D-1"]


def test_the_report_is_the_same_on_both(db: Database) -> None:
    world = GateWorld(db)
    world.drift("D-1", observed=NEXT_DAY)
    gate = Gate(db, world.settings, world.clock, world.ids)
    scope = Scope(SPAN.start_at - timedelta(days=1), NOW + timedelta(days=1), "P-1", NOW)
    made = make_report(gate, scope)
    assert (made.appointments, made.in_step, made.edits, made.drifts, made.held) == (1, 0, 1, 1, 1)
    assert made.causes == {("P-1", "moved"): 1}


def test_sessions_of_people_end_with_them(db: Database) -> None:
    with db.transaction() as conn:
        users.put(conn, UserRow("ann", Role.SUPPORT, "hash", NOW, "support:root"))
        users.start_session(conn, SessionRow("s-1", "ann", NOW, NOW))
        users.start_session(conn, SessionRow("s-2", "ann", NOW, NOW))
        users.note_seen(conn, "s-1", NOW + timedelta(minutes=5))
        assert users.end_session(conn, "s-2", NOW)
        assert not users.end_session(conn, "s-2", NOW)
    with db.transaction() as conn:
        found = users.session(conn, "s-1")
        assert found is not None
        assert (found[0].seen_at, found[1].role) == (NOW + timedelta(minutes=5), Role.SUPPORT)
        assert users.session(conn, "s-2") is None
        assert users.remove(conn, "ann", NOW)
        assert users.session(conn, "s-1") is None
        assert users.rows(conn) == []
        assert users.forget_sessions(conn, NOW + timedelta(days=1)) == 2
