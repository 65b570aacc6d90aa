"""A report takes the same memory for ten times the sessions."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection

from calsync.claims.gate import Gate
from calsync.reports.build import Report, Scope
from calsync.reports.gather import gather
from calsync.settings.model import Settings
from calsync.store import calendars, providers
from calsync.store.calendars import CalendarSpec
from calsync.store.columns import SINGLE, to_micros
from calsync.store.database import Database, open_database
from calsync.store.providers import ProviderRow
from calsync.store.upgrade import upgrade
from calsync.support.reporting import make_report
from calsync.testing.fake_ports import FakeClock, FakeIds

BEGIN = datetime(2026, 9, 1, 8, tzinfo=UTC)
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def _fill(conn: Connection, count: int) -> None:
    """Sessions ten minutes apart over forty providers, each linked; every fourth was dragged and answered."""
    for number in range(40):
        providers.put(conn, ProviderRow(f"P-{number}", "", "", "UTC"))
        spec = CalendarSpec(f"K-{number}", f"P-{number}", "", "caldav", "mirror", "dedicated", "database")
        calendars.register(conn, spec, BEGIN)
    step = timedelta(days=55) / count
    sessions, links, edits, drifts = [], [], [], []
    for number in range(count):
        start = BEGIN + step * number
        at, end, whose = to_micros(start), to_micros(start + timedelta(minutes=50)), number % 40
        wall = start.replace(tzinfo=None, microsecond=0)
        row = (f"A-{number}", f"P-{whose}", f"C-{number % 900}", wall.isoformat())
        sessions.append((*row, (wall + timedelta(minutes=50)).isoformat(), at, end, at, at))
        links.append((f"L-{number}", f"K-{whose}", f"P-{whose}", f"A-{number}", f"r-{number}", f"u-{number}", at, at))
        if number % 4 == 0:
            edits.append((f"E-{number}", f"L-{number}", f"K-{whose}", f"P-{whose}", at, at - 60_000_000))
            drifts.append(
                (
                    f"D-{number}",
                    f"E-{number}",
                    f"L-{number}",
                    f"K-{whose}",
                    f"P-{whose}",
                    f"A-{number}",
                    at,
                    at,
                    at + 10,
                )
            )
    run = conn.exec_driver_sql
    columns = "id, provider, client, start, end, start_at, end_at, created_at, updated_at"
    run(f"INSERT INTO appointments ({columns}, zone) VALUES (?,?,?,?,?,?,?,?,?,'UTC')", sessions)
    columns = "id, calendar, provider, subject, remote_id, uid, linked_at, confirmed_at"
    run(f"INSERT INTO links ({columns}, subject_kind) VALUES (?,?,?,?,?,?,?,?,'appointment')", links)
    columns = "id, link, calendar, provider, detected_at, unseen_at"
    run(f"INSERT INTO edits ({columns}, scope) VALUES (?,?,?,?,?,?,'occurrence')", edits)
    columns = "id, edit, link, calendar, provider, appointment, detected_at, changed_at, resolved_at"
    fixed = f"{SINGLE}, 1, 'moved', 'past', '[]', 'occurrence', 'flag', 'acknowledged'"
    names = "original_start, episode, kind, phase, history, scope, disposition, resolution"
    run(f"INSERT INTO drifts ({columns}, {names}) VALUES (?,?,?,?,?,?,?,?,?,{fixed})", drifts)


def _books(folder: Path, name: str, count: int) -> Database:
    url = f"sqlite:///{folder / name}"
    upgrade(url)
    database = open_database(url)
    with database.transaction() as conn:
        _fill(conn, count)
    return database


def _peak(work: Callable[[], Report]) -> tuple[int, Report]:
    tracemalloc.start()
    try:
        report = work()
        return tracemalloc.get_traced_memory()[1], report
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(("few", "many", "assessed"), [(4000, 16_000, False), (600, 1200, True)])
def test_memory_does_not_grow_with_the_number_of_sessions(tmp_path: Path, few: int, many: int, assessed: bool) -> None:
    peaks = {}
    for run, count in enumerate((few, few, many)):  # the first run also loads what is loaded once
        database = _books(tmp_path, f"{run}.db", count)
        scope = Scope(BEGIN, NOW, None, NOW)
        gate = Gate(database, Settings(path=Path("calsync.toml")), FakeClock(NOW), FakeIds())
        peaks[count], report = _peak(lambda: make_report(gate, scope) if assessed else gather(database, scope))  # noqa: B023
        database.dispose()
        assert (report.appointments, report.edits, report.drifts) == (count, count // 4, count // 4)
        assert report.in_step == count
        assert not assessed or report.checked == count
    assert peaks[many] < 1.35 * peaks[few], peaks
