"""`claims check --file` and `claims filed --file`, as a billing job types them."""

from __future__ import annotations

import csv
import errno
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from calsync.store import filings, recalls
from calsync.store.database import open_database
from tests.unit.claims.batch.sample_world import NOW, SAMPLES, SampleWorld
from tests.unit.cli.test_records import Shell


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    made = Shell(tmp_path, monkeypatch, capsys)
    made.at(NOW.isoformat())
    return made


@pytest.fixture
def world(shell: Shell) -> Iterator[SampleWorld]:
    database = open_database(f"sqlite:///{shell.folder / 'calsync.db'}")
    yield SampleWorld(database)
    database.dispose()


def sample(name: str) -> str:
    return str(SAMPLES / name)


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text().splitlines()))


def test_exit_codes_are_those_of_a_billing_job(shell: Shell, world: SampleWorld) -> None:
    assert "1 claims may be sent" in shell("claims", "check", "--file", sample("v01-one-claim-one-line.x12"))
    assert "date-mismatch" in shell("claims", "check", "--file", sample("g01-wrong-date.x12"), code=3)
    assert "file-incomplete" in shell("claims", "check", "--file", sample("b05-truncated.x12"), code=1)
    assert "name sessions" in shell("claims", "check", code=2)
    assert "name sessions" in shell("claims", "check", "A-1001", "--file", sample("v01-one-claim-one-line.x12"), code=2)
    assert "belong to --file" in shell("claims", "check", "A-1001", "--held", "x.csv", code=2)
    assert "does not exist" in shell("claims", "check", "--file", "nowhere.x12", code=2)


def test_rows_for_programs_are_answers_with_claim_and_line(shell: Shell, world: SampleWorld) -> None:
    found = shell.json("claims", "check", "--file", sample("b03-no-service-date.x12"), code=3)
    assert [(one["claim"], one["line"], one["appointment"], one["verdict"], one["claim_verdict"]) for one in found] == [
        ("C-2002", "1", "A-1001", "cleared", "held"),
        ("C-2002", "2", "A-1005", "held", "held"),
    ]
    one_by_one = shell.json("claims", "check", "A-1001")[0]
    assert found[0].keys() >= one_by_one.keys()
    (refused,) = shell.json("claims", "check", "--file", sample("b02-se-count.x12"), code=1)
    assert [one["code"] for one in refused["reasons"]] == ["file-counts-wrong"]
    assert (refused["appointment"], refused["verdict"], refused["date_of_service"]) == (None, "held", None)


def test_what_may_be_sent_and_the_work_list_for_the_rest(shell: Shell, world: SampleWorld) -> None:
    out, held = shell.folder / "out.csv", shell.folder / "held.csv"
    line = ("claims", "check", "--file", sample("c03-bad-dates.csv"), "--write-cleared", str(out), "--held", str(held))
    said = shell(*line, code=3)
    assert "nothing may be sent" in said
    assert not out.exists()
    assert held.stat().st_mode & 0o077 == 0
    listed = rows(held)
    assert [(one["claim"], one["reasons"], one["waiting_on"]) for one in listed][:2] == [
        ("C-1", "date-mismatch", "billing"),
        ("C-2", "date-unreadable", "billing"),
    ]
    assert listed[0]["date_asked"] == "2026-11-11"
    assert "2026-11-10" in listed[0]["why"]
    good = ("claims", "check", "--file", sample("c01-good.csv"), "--write-cleared", str(out), "--held", str(held))
    assert "Wrote" in shell(*good)
    assert out.read_text() == (SAMPLES / "c01-good.csv").read_text()
    assert rows(held) == []


def test_a_refused_file_leaves_no_file_that_could_be_sent(shell: Shell, world: SampleWorld) -> None:
    out, held = shell.folder / "out.x12", shell.folder / "held.csv"
    out.write_text("yesterday's")
    line = ("claims", "check", "--file", sample("b07-empty-segment-hides-claims.x12"))
    shell(*line, "--write-cleared", str(out), "--held", str(held), code=1)
    assert not out.exists()
    (row,) = rows(held)
    assert row["reasons"] == "file-incomplete"
    same = str(shutil.copy(sample("v01-one-claim-one-line.x12"), shell.folder / "in.x12"))
    assert "different files" in shell("claims", "check", "--file", same, "--write-cleared", same, code=2)


def test_what_is_no_file_and_what_is_the_same_file_is_left_alone(shell: Shell, world: SampleWorld) -> None:
    source = Path(shutil.copy(sample("v01-one-claim-one-line.x12"), shell.folder / "in.x12"))
    check = ("claims", "check", "--file", str(source))
    pipe, other = shell.folder / "pipe", shell.folder / "other-name.x12"
    os.mkfifo(pipe)
    other.hardlink_to(source)
    assert "is none" in shell(*check, "--write-cleared", str(pipe), code=2)
    assert pipe.is_fifo()
    assert "different files" in shell(*check, "--held", str(other), code=2)
    assert source.read_text() == Path(sample("v01-one-claim-one-line.x12")).read_text()


def test_a_full_disk_is_named_and_nothing_may_be_sent(shell: Shell, world: SampleWorld) -> None:
    out, full = shell.folder / "out.csv", shell.folder / "full.csv"
    full.symlink_to("/dev/full")
    line = ("claims", "check", "--file", sample("c01-good.csv"), "--write-cleared", str(out), "--held", str(full))
    assert "full.csv: it cannot be written (No space left on device)" in shell(*line, code=1)
    assert not out.exists()


def test_output_that_has_no_space_is_named(shell: Shell, world: SampleWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("calsync.cli.claim_files._summary", full)
    assert "No space is left" in shell("claims", "check", "--file", sample("c01-good.csv"), code=1)


def test_cells_that_a_spreadsheet_would_run_are_defused(shell: Shell, world: SampleWorld) -> None:
    path = shell.folder / "in.csv"
    path.write_text('claim_id,appointment,service_date\n"=HYPERLINK(""http://x.invalid"")",A-1001,2026-11-11\n')
    held = shell.folder / "held.csv"
    shell("claims", "check", "--file", str(path), "--held", str(held), code=3)
    assert rows(held)[0]["claim"].startswith("'=HYPERLINK")


def test_lines_of_a_claim_that_waits_are_on_the_work_list(shell: Shell, world: SampleWorld) -> None:
    held = shell.folder / "held.csv"
    said = shell("claims", "check", "--file", sample("b03-no-service-date.x12"), "--held", str(held), code=3)
    assert "waits for the rest of its claim" in said
    assert [one["verdict"] for one in rows(held)] == ["cleared", "held"]
    assert "other lines" in rows(held)[0]["why"]


def test_filed_from_the_same_file_and_once_only(shell: Shell, world: SampleWorld) -> None:
    path = sample("v03-many-claims-two-st.x12")
    shell("claims", "check", "--file", path)
    made = shell.json("claims", "filed", "--file", path)
    assert {one["appointment"]: one["frequency"] for one in made} == {
        "A-1001": "1", "A-1005": "1", "A-1201": "1", "A-1301": "7", "A-1302": "8",
    }  # fmt: skip
    assert not any(one["against_gate"] for one in made)
    assert "nothing changed" in shell("claims", "filed", "--file", path)
    with world.db.reading() as conn:
        known = filings.of_appointments(conn, ["A-1001", "A-1301", "A-1302"])
        assert not recalls.rows(conn, still_open=True), "the corrections close their recalls"
    assert [(one.claim, one.line, one.code) for one in known["A-1001"]] == [("A-1001", "1", "90834")]
    assert [(one.state, one.control) for one in known["A-1301"]] == [("corrected", "ICN20260001"), ("filed", None)]
    assert [one.state for one in known["A-1302"]] == ["void", "void"]
    assert "already-filed" in shell("claims", "check", "--file", sample("v01-one-claim-one-line.x12"), code=3)


def test_a_file_with_a_line_about_nothing_is_not_filed_at_all(shell: Shell, world: SampleWorld) -> None:
    said = shell("claims", "filed", "--file", sample("g06-claim-id-only.x12"), code=1)
    assert said.count("which session it is about") == 2
    assert "file-counts-wrong" in shell("claims", "filed", "--file", sample("b02-se-count.x12"), code=1)
    with world.db.reading() as conn:
        assert filings.of_appointments(conn, ["A-1001"]) == {}


def test_content_of_the_file_stays_out_of_messages_and_the_audit_log(shell: Shell, world: SampleWorld) -> None:
    for name in (
        "b01-isa-wrong-length.x12",
        "b05-truncated.x12",
        "f03-bad-invalid-date.json",
        "f05-bad-truncated.json",
    ):
        said = shell("claims", "check", "--file", sample(name), code=3 if name.startswith("f03") else 1)
        assert not [one for one in ("SAMPLE", "MUSTER", "MEM000", "F411", "2026-13-01") if one in said], said
    shell("claims", "check", "--file", sample("v01-one-claim-one-line.x12"))
    log = json.dumps(shell.json("audit", "list")) if "list" in shell("audit", "--help") else ""
    assert "A-1001*150" not in log


@pytest.mark.parametrize("where", ["claims.batch.checking.Batch.check", "cli.claim_files.read_batch"])
def test_a_check_that_is_cut_short_leaves_no_file_of_an_earlier_one(
    shell: Shell, world: SampleWorld, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    out = shell.folder / "clean.x12"
    line = ("claims", "check", "--file", sample("v01-one-claim-one-line.x12"), "--write-cleared", str(out))
    shell(*line)
    assert out.exists()

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(f"calsync.{where}", die)
    shell(*line, code=1)
    assert not out.exists()
