"""The same file imported twice at the same moment counts once: each import reads what the other one left."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from calsync.records.file_import import ImportRequest, import_appointments
from calsync.records.people_files import PeopleRequest, import_clients, import_providers
from calsync.records.turns import opened_for_rows
from calsync.store.database import Database
from calsync.store.schema_effects import audit
from tests.waiting import until

NOW = datetime(2026, 11, 16, 14, tzinfo=UTC)
APPOINTMENTS = "id,provider,client,start,end,zone\nA-1,P-1,K-1,2026-11-20T10:00,2026-11-20T10:50,America/New_York\n"
PROVIDERS = "id,name,email,zone\nP-2,Dr. Made Up,p2@example.org,America/New_York\n"
CLIENTS = "id,name,email,zone\nK-1,Made Up,k1@example.org,America/New_York\n"

Import = Callable[[Database, Path], object]


def _appointments(database: Database, file: Path) -> object:
    request = ImportRequest(path=file, actor="admin", now=NOW, window_future=timedelta(days=400), configured={"P-1"})
    return import_appointments(database, request).changed_anything


def _providers(database: Database, file: Path) -> object:
    return bool(import_providers(database, PeopleRequest(path=file, actor="admin", now=NOW)).changed)


def _clients(database: Database, file: Path) -> object:
    return bool(import_clients(database, PeopleRequest(path=file, actor="admin", now=NOW)).changed)


def somebody_waits(database: Database, backend: str, many: int) -> bool:
    """Whether so many transactions wait for another one; on SQLite they wait before they have read anything."""
    if backend == "sqlite":
        return True
    with database.reading() as conn:
        query = text(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        return bool(conn.execute(query).scalar_one() == many)


@pytest.mark.parametrize(
    ("importing", "content", "what"),
    [
        (_appointments, APPOINTMENTS, "appointments-imported"),
        (_providers, PROVIDERS, "providers-imported"),
        (_clients, CLIENTS, "clients-imported"),
    ],
)
def test_the_same_rows_are_taken_once(
    db: Database, backend: str, tmp_path: Path, importing: Import, content: str, what: str
) -> None:
    file = tmp_path / "rows.csv"
    file.write_text(content)
    with ThreadPoolExecutor(2) as pool:
        with opened_for_rows(db):
            both = [pool.submit(importing, db, file) for _ in range(2)]
            until(lambda: somebody_waits(db, backend, 2))
        assert sorted(one.result(timeout=30) for one in both) == [False, True]  # type: ignore[type-var]
    with db.reading() as conn:
        assert conn.execute(select(func.count()).where(audit.c.what == what)).scalar_one() == 1


def test_a_dry_run_waits_for_nobody(db: Database, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text(APPOINTMENTS)
    request = ImportRequest(
        path=file, actor="admin", now=NOW, window_future=timedelta(days=400), configured={"P-1"}, dry_run=True
    )
    with opened_for_rows(db), ThreadPoolExecutor(1) as pool:
        assert pool.submit(import_appointments, db, request).result(timeout=30).changed_anything
