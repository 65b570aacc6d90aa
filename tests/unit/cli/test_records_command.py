"""`calsync records`, as a person types it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from calsync.cli.context import App
from calsync.cli.doctor_platform import examine_platform
from tests.unit.cli.test_records import CONFIG, Shell

KEYS = """
[records]
url = "sqlite:///platform.db"
table = "sessions"
columns = { id = "id", provider = "who", client = "client", start = "starts", end = "ends", zone = "=Europe/Berlin" }
drop_folder = "inbox"
page = "https://platform.example/{id}"
"""


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    made = Shell(tmp_path, monkeypatch, capsys)
    made.write("calsync.toml", CONFIG + KEYS)
    engine = create_engine(f"sqlite:///{tmp_path / 'platform.db'}")
    with engine.begin() as conn:
        conn.execute(text("CREATE TABLE sessions (id TEXT, who TEXT, client TEXT, starts TEXT, ends TEXT)"))
        conn.execute(text("INSERT INTO sessions VALUES ('A-1', 'P-1', 'C-1', '2026-11-24 10:00', '2026-11-24 10:50')"))
    engine.dispose()
    return made


def test_the_table_is_tried_read_and_told(shell: Shell) -> None:
    assert "start=2026-11-24T10:00:00" in shell("records", "check")
    assert shell.json("appointments", "list") == []
    assert "1 rows, 1 changed" in shell("records", "pull")
    assert [one["id"] for one in shell.json("appointments", "list")] == ["A-1"]
    assert shell.json("records", "status")["read_at"] == "2026-11-22T12:00:00Z"
    said = shell("appointments", "cancel", "A-1", "--reason", "other", code=1)
    assert "https://platform.example/A-1" in said
    assert "--note" in shell("records", "resume", code=1)
    shell("records", "resume", "--note", "looked")


def test_files_are_dropped(shell: Shell) -> None:
    assert "Make it" in shell("records", "drop", code=1)
    (shell.folder / "inbox").mkdir()
    assert "Nothing to import" in shell("records", "drop")
    path = shell.write(
        "inbox/a.csv",
        "id,provider,client,start,end,zone\nB-1,P-1,C-1,2026-11-25T10:00,2026-11-25T10:50,Europe/Berlin\n",
    )
    os.utime(path, (0, 0))
    assert "a.csv: imported" in shell("records", "drop")
    bad = shell.write("inbox/b.csv", "id,provider\n")
    os.utime(bad, (0, 0))
    (row,) = shell.json("records", "drop", code=3)
    assert row["refused"] == "import-refused"


def test_doctor_says_how_reading_stands(shell: Shell) -> None:
    app = App(config_path=shell.folder / "calsync.toml")
    found = {one.what: (one.ok, one.detail) for one in examine_platform(app)}
    assert found["reading the platform's records"] == (False, "never read")
    assert found["the drop folder"][0] is False
    (shell.folder / "inbox").mkdir()
    shell("records", "pull")
    assert all(one.ok for one in examine_platform(App(config_path=shell.folder / "calsync.toml")))


def test_without_a_mapping_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shell = Shell(tmp_path, monkeypatch, capsys)
    assert "Set url" in shell("records", "pull", code=1)
    assert "Set drop_folder" in shell("records", "drop", code=1)
