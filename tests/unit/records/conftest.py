from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from calsync.records.file_import import ImportRequest, ImportResult, Period, import_appointments
from calsync.store import providers, records
from calsync.store.database import Database
from calsync.store.providers import ProviderRow
from calsync.store.records import AppointmentFilter
from calsync.store.schema import metadata

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HEADER = "id,provider,client,start,end,zone,kind,status,series,rule\n"


class Books:
    """A database with one provider, into which files can be imported."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database, self.folder, self.now = database, folder, NOW
        with database.transaction() as conn:
            providers.put(conn, ProviderRow("P-1", "Pat Example", "pat@example.org", "Europe/Berlin"))

    def load(self, text: str, *, complete: Period | None = None, dry_run: bool = False) -> ImportResult:
        path = self.folder / "sessions.csv"
        path.write_text(text)
        return import_appointments(
            self.database,
            ImportRequest(
                path=path,
                actor="support:ada",
                now=self.now,
                window_future=timedelta(days=60),
                complete=complete,
                dry_run=dry_run,
            ),
        )

    def dump(self) -> dict[str, list[tuple[object, ...]]]:
        """Every row of every table, to see that nothing changed."""
        with self.database.reading() as conn:
            return {
                table.name: sorted((tuple(row) for row in conn.execute(select(table))), key=repr)
                for table in metadata.sorted_tables
            }

    def appointments(self) -> dict[str, tuple[str, str]]:
        """Start and status by id."""
        with self.database.reading() as conn:
            return {
                one.id: (one.span.start.isoformat(timespec="minutes"), one.status.value)
                for one in records.appointments(conn, AppointmentFilter())
            }


@pytest.fixture
def books(db: Database, tmp_path: Path) -> Books:
    return Books(db, tmp_path)
