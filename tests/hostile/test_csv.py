"""Appointment files that must be refused whole, each with its reason; and that nothing is written then."""

import resource
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from calsync.errors import Refused
from calsync.records.appointment_rows import COLUMNS, read_appointment_rows
from calsync.records.file_import import find_unknown_providers, plan_import
from calsync.records.findings import Findings
from calsync.records.import_plan import Books, Plan
from calsync.records.rows import read_rows

FOLDER = Path(__file__).parent / "csv"
ANSWERS: dict[str, list[str]] = tomllib.loads((FOLDER / "answers.toml").read_text())
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def plan_of(path: Path) -> Plan:
    findings = Findings(path.name)
    rows = read_rows(path, COLUMNS, findings)
    books = Books(providers={"P-1"})
    find_unknown_providers(rows, books.providers, findings)
    sound = read_appointment_rows(rows, findings)
    plan = plan_import(sound, books, findings, now=NOW, horizon=NOW + timedelta(days=400))
    findings.refuse()
    return plan


def test_every_file_has_its_answer() -> None:
    assert {path.name for path in FOLDER.iterdir()} - {"answers.toml"} == set(ANSWERS)


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_file_is_refused_with_its_reason(name: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF)
    with pytest.raises(Refused) as refusal:
        plan_of(FOLDER / name)
    used = resource.getrusage(resource.RUSAGE_SELF)
    for said in ANSWERS[name]:
        assert said in str(refusal.value)
    assert refusal.value.code == "import-refused"
    assert used.ru_utime - before.ru_utime < 1
    assert used.ru_maxrss - before.ru_maxrss < 64 * 1024


def test_field_larger_than_csv_allows(tmp_path: Path) -> None:
    header = "id,provider,client,start,end,zone\n"
    path = tmp_path / "huge.csv"
    path.write_text(f"{header}A-1,P-1,{'x' * 140_000},2026-11-24T10:00,2026-11-24T10:50,Europe/Berlin\n")
    with pytest.raises(Refused, match=r"row 2: a cell is longer than 131072 characters"):
        plan_of(path)


def test_line_that_never_ends(tmp_path: Path) -> None:
    path = tmp_path / "endless.csv"
    path.write_text("id,provider,client,start,end,zone\n" + "x" * (2 << 20))
    with pytest.raises(Refused, match=r"row 2: longer than 1 MiB"):
        plan_of(path)


def test_a_folder_and_a_missing_file(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.csv"):
        with pytest.raises(Refused, match="cannot be read"):
            plan_of(path)


def test_byte_order_mark_and_crlf_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "fine.csv"
    text = "id,provider,client,start,end,zone\r\nA-1,P-1,C-1,2026-11-24T10:00,2026-11-24T10:50,Europe/Berlin\r\n\r\n"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert [change.after.id for change in plan_of(path).changes] == ["A-1"]
