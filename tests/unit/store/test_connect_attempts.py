"""Attempts to connect: one for each link, forgotten in time, finished once; the plan counts what the window holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from calsync.domain.appointment import Appointment, AppointmentStatus, Block, Series
from calsync.domain.span import Span, Window
from calsync.store import calendars, connect_attempts, connections, first_plan, record_changes, watches
from calsync.store.calendars import LEAVING, CalendarSpec, CalendarState
from calsync.store.connect_attempts import KEPT_FOR, Attempt, Stage
from calsync.store.connections import ConnectionRow, Sealed
from calsync.store.database import Database
from calsync.store.watches import OPEN, WatchRow

NOW = datetime(2026, 11, 16, 14, tzinfo=UTC)
ZONE = "America/New_York"
ONE = Attempt(
    link="link-1",
    provider="P-1",
    calendar="P-1-google",
    connector="google",
    placement="dedicated",
    keys={"a": "b"},
    choices=[["x", "y"]],
    state_hash="hash",
    sealed="sealed",
    stage=Stage.ASKED,
    tries=1,
    updated_at=NOW,
)


def test_an_attempt_is_kept_for_a_while_and_finished_once(db: Database) -> None:
    with db.transaction() as conn:
        connect_attempts.put(conn, ONE)
        assert connect_attempts.get(conn, "link-1", NOW) == ONE
        assert not connect_attempts.finish(conn, "link-1", NOW)  # nothing was agreed to
        connect_attempts.put(conn, replace(ONE, stage=Stage.AGREED))
        assert connect_attempts.get(conn, "link-1", NOW + KEPT_FOR) is None
        assert connect_attempts.finish(conn, "link-1", NOW)
        assert not connect_attempts.finish(conn, "link-1", NOW)
        done = connect_attempts.get(conn, "link-1", NOW + 10 * KEPT_FOR)
        assert done is not None
        assert (done.stage, done.sealed) == (Stage.CONNECTED, None)
        connect_attempts.put(conn, replace(ONE, link="link-2"))
        connect_attempts.put(conn, replace(ONE, link="link-3", updated_at=NOW + 2 * KEPT_FOR))
        assert connect_attempts.get(conn, "link-2", NOW) is None  # forgotten, its secret with it
        assert connect_attempts.get(conn, "link-1", NOW) is not None
        connect_attempts.remove(conn, "link-1")
        assert connect_attempts.get(conn, "link-1", NOW) is None


def test_the_plan_counts_what_the_window_holds(db: Database) -> None:
    window = Window(NOW - timedelta(days=60), NOW + timedelta(days=400))

    def span(days: int) -> Span:
        wall = datetime(2026, 11, 16, 10) + timedelta(days=days)
        return Span(wall, wall + timedelta(minutes=50), ZONE)

    def put(number: str, days: int, **more: object) -> None:
        one = Appointment(number, "P-1", "K-1", span(days), **more)  # type: ignore[arg-type]
        record_changes.put_appointment(conn, one, now=NOW, actor="support:x", action="book", origin="book")

    with db.transaction() as conn:
        put("1", 8)
        put("2", -10)
        put("3", -100)
        put("4", 9, status=AppointmentStatus.CANCELLED)
        record_changes.put_series(
            conn, Series("S", "P-1", "K-1", span(1), "FREQ=WEEKLY"), now=NOW, actor="support:x", action="book"
        )
        put("5", 1, series="S", original_start=span(1).start_at)
        put("6", 15, series="S", original_start=span(15).start_at)
        block = Block("B", "P-1", span(20))
        record_changes.put_block(conn, block, now=NOW, actor="provider:P-1", action="add")
        plan = first_plan.of_provider(conn, "P-1", window, NOW, 2)
        assert (plan.singles, plan.series, plan.blocks, plan.events) == (2, 1, 1, 4)
        assert plan.next == (("5", span(1).start_at), ("1", span(8).start_at))
        assert first_plan.of_provider(conn, "P-2", window, NOW).events == 0


def test_calendars_at_rest_and_logins_that_are_forgotten(db: Database) -> None:
    with db.transaction() as conn:
        for name in ("one", "two", "three"):
            calendars.register(conn, CalendarSpec(name, "P-1", "c", "google", "mirror", "dedicated", "database"), NOW)
            row = WatchRow(f"w-{name}", "google", name, "r", "h", OPEN, NOW, NOW + timedelta(days=1))
            watches.insert(conn, row)
        assert (watches.at_rest(conn), calendars.leaving(conn)) == ([], [])
        calendars.set_state(conn, "one", CalendarState.PAUSED, LEAVING, NOW)
        calendars.remove(conn, "two", NOW)
        assert (watches.at_rest(conn), calendars.leaving(conn)) == (["one", "two"], ["one"])
        connections.put(conn, ConnectionRow("c", "P-1", "google", "database", {}, NOW))
        assert connections.set_sealed(conn, Sealed("c", "k1", b"x"))
        assert connections.forget_credential(conn, "c")
        assert connections.sealed(conn, "c") is None
        assert not connections.forget_credential(conn, "c")
