"""Whatever a platform writes of its sessions comes back from the books as it was, and twice is as good as once."""

import csv
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from calsync.domain.span import instant, wall_time
from calsync.domain.time_text import read_time
from calsync.records.file_import import ImportRequest, ImportResult, import_appointments
from calsync.store import providers, records
from calsync.store.database import Database, open_database
from calsync.store.providers import ProviderRow
from calsync.store.records import AppointmentFilter
from calsync.store.upgrade import create_for_tests

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC")
NAMES = ("id", "provider", "client", "start", "end", "zone", "kind", "status", "series", "code", "payer", "format")

Cells = dict[str, str]


@st.composite
def sessions(draw: st.DrawFn) -> list[Cells]:
    """Rows of single sessions, at any minute of two years, clock changes included; times carry their offset."""
    rows = []
    for number in range(draw(st.integers(1, 6))):
        zone = draw(st.sampled_from(ZONES))
        start = NOW + timedelta(minutes=draw(st.integers(-525_600, 525_600)))
        end = start + timedelta(minutes=draw(st.integers(1, 1440)))
        rows.append(
            {
                "id": f"A-{number}",
                "provider": "P-1",
                "client": draw(st.sampled_from(("C-1", "C-2"))),
                "start": draw(st.sampled_from((start, start.astimezone(UTC)))).isoformat(),
                "end": end.isoformat(),
                "zone": zone,
                "kind": draw(st.sampled_from(("initial", "follow-up", ""))),
                "status": draw(st.sampled_from(("scheduled", "completed", "cancelled", "no-show", ""))),
                "series": "",
                "code": draw(st.sampled_from(("90834", ""))),
                "payer": draw(st.sampled_from(("insurance", "self", ""))),
                "format": draw(st.sampled_from(("video", ""))),
            }
        )
    return rows


@given(sessions(), sessions())
@settings(max_examples=40, deadline=None)
def test_round_trip_and_repetition(first: list[Cells], second: list[Cells]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = open_database("sqlite://")
        create_for_tests(database)
        with database.transaction() as conn:
            providers.put(conn, ProviderRow("P-1", "Pat Example", "pat@example.org", "Europe/Berlin"))
        for rows in (first, second):
            load(database, Path(folder), rows)
            assert {key: told for key, told in on_the_books(database).items() if key in ids(rows)} == {
                row["id"]: meant(row) for row in rows
            }
            assert not load(database, Path(folder), rows).changed_anything
        database.dispose()


def load(database: Database, folder: Path, rows: list[Cells]) -> ImportResult:
    path = folder / "sessions.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, NAMES)
        writer.writeheader()
        writer.writerows(rows)
    request = ImportRequest(path=path, actor="support:ada", now=NOW, window_future=timedelta(days=400))
    return import_appointments(database, request)


def ids(rows: list[Cells]) -> set[str]:
    return {row["id"] for row in rows}


def meant(row: Cells) -> tuple[object, ...]:
    return (
        datetime.fromisoformat(row["start"]),
        datetime.fromisoformat(row["end"]),
        row["zone"],
        row["client"],
        row["kind"] or "follow-up",
        row["status"] or "scheduled",
        row["code"] or None,
        row["payer"] or "insurance",
        row["format"] or None,
    )


def on_the_books(database: Database) -> dict[str, tuple[object, ...]]:
    with database.reading() as conn:
        return {
            one.id: (
                one.span.start_at,
                one.span.end_at,
                one.span.zone,
                one.client,
                one.kind.value,
                one.status.value,
                one.code,
                one.payer,
                one.format,
            )
            for one in records.appointments(conn, AppointmentFilter())
        }


@given(st.sampled_from(ZONES), st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)))
def test_a_naive_time_is_read_only_if_clocks_show_it_once(zone: str, wall: datetime) -> None:
    wall = wall.replace(second=0, microsecond=0)
    readings = {instant(wall.replace(fold=fold), zone) for fold in (0, 1)}
    shown = [at for at in readings if wall_time(at, zone).replace(fold=0) == wall]
    try:
        assert instant(read_time(wall.isoformat(), zone), zone) in shown
        assert len(shown) == 1
    except ValueError:
        assert len(shown) != 1
