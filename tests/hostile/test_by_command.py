"""Hostile files handed to commands: the right exit code, the reason, no row written and no secret shown."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from calsync.cli.main import run
from calsync.store.database import open_database
from calsync.store.schema import metadata
from tests.hostile.cost import small_cost
from tests.unit.claims.batch.sample_world import NOW, SampleWorld
from tests.unit.claims.batch.test_hostile import GOOD
from tests.unit.cli.test_records import Shell

HERE = Path(__file__).parent


def answers(folder: str) -> dict[str, list[Any]]:
    """What a folder's files are answered with."""
    return tomllib.loads((HERE / folder / "answers.toml").read_text())


CSV, X12, CONFIG = answers("csv"), answers("x12"), answers("config")


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(tmp_path, monkeypatch, capsys)


def rows(shell: Shell) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    database = open_database(f"sqlite:///{shell.folder / 'calsync.db'}")
    with database.reading() as conn:
        found = {table.name: [tuple(row) for row in conn.execute(table.select())] for table in metadata.sorted_tables}
    database.dispose()
    return found


@pytest.mark.parametrize("folder", ["x12", "config"])
def test_every_file_has_its_answer(folder: str) -> None:
    assert {path.name for path in (HERE / folder).iterdir()} - {"answers.toml"} == set(answers(folder))


def test_an_import_that_is_refused_writes_no_row(shell: Shell) -> None:
    shell("providers", "list")
    before = rows(shell)
    for name, said in sorted(CSV.items()):
        with small_cost():
            told = shell("appointments", "import", str(HERE / "csv" / name), code=1)
        assert "Traceback" not in told
        for words in said:
            assert words in told, name
    assert rows(shell) == before


def test_a_huge_import_is_refused_at_small_cost(shell: Shell) -> None:
    before = rows(shell)
    header = "id,provider,client,start,end,zone\n"
    for name, text in {
        "cell.csv": f"{header}A-1,P-1,{'x' * 140_000},2026-11-24T10:00,2026-11-24T10:50,Europe/Berlin\n",
        "line.csv": header + "x" * (20 << 20),
    }.items():
        path = shell.write(name, text)
        del text
        with small_cost():
            assert "row 2" in shell("appointments", "import", path, code=1)
    assert rows(shell)["appointments"] == before["appointments"]


@pytest.fixture
def billing(shell: Shell) -> Iterator[Shell]:
    shell.at(NOW.isoformat())
    database = open_database(f"sqlite:///{shell.folder / 'calsync.db'}")
    SampleWorld(database)
    yield shell
    database.dispose()


def test_a_claim_file_is_answered_line_by_line_or_refused(billing: Shell) -> None:
    for name, (code, said) in sorted(X12.items()):
        with small_cost():
            told = billing("claims", "check", "--file", str(HERE / "x12" / name), code=code)
        assert said in told, name
        assert "Traceback" not in told


def many_claims(count: int) -> str:
    """A file with two sets, each with half of the claims; only the first is about a session on the books."""
    head, tail = GOOD[: GOOD.index("ST*837")], GOOD[GOOD.index("GE*1") :]
    whole = GOOD[GOOD.index("ST*837") : GOOD.index("GE*1")]
    top, claim = whole[: whole.index("CLM*")], whole[whole.index("CLM*") : whole.index("SE*")]
    sets = []
    for number in (1, 2):
        claims = "".join(
            claim.replace("A-1001", f"N-{number}-{at}") if at or number > 1 else claim for at in range(count // 2)
        )
        body = top.replace("0001", f"000{number}") + claims
        sets.append(f"{body}SE*{body.count('~') + 1}*000{number}~\n")
    return head + "".join(sets) + tail.replace("GE*1*", "GE*2*")


def test_two_sets_of_many_claims_are_answered_each(billing: Shell) -> None:
    path = billing.write("many.x12", many_claims(600))
    found = billing.json("claims", "check", "--file", path, code=3)
    assert len(found) == 600
    assert [one["verdict"] for one in found].count("cleared") == 1
    assert {one["reasons"][0]["code"] for one in found if one["verdict"] == "held"} == {"no-matching-appointment"}


@pytest.mark.parametrize(
    "text", [GOOD.replace("LX*1~", "NTE*ADD*" + "x" * 1_000_000 + "~LX*1~"), GOOD[:106] + "x" * 5_000_000]
)
def test_a_segment_without_measure_is_refused_at_small_cost(billing: Shell, text: str) -> None:
    path = billing.write("huge.x12", text)
    with small_cost():
        assert "file-incomplete" in billing("claims", "check", "--file", path, code=1)


@pytest.mark.parametrize("name", sorted(CONFIG))
def test_a_config_is_refused_with_file_line_and_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    path = tmp_path / "calsync.toml"
    shutil.copyfile(HERE / "config" / name, path)
    monkeypatch.setenv("CALSYNC_CONFIG", str(path))
    with small_cost():
        assert run(["config", "check"]) == 2
    told = "".join(capsys.readouterr())
    for words in CONFIG[name]:
        assert words in told
    assert "hunter2" not in told
    assert "Traceback" not in told


def test_a_secret_file_that_all_can_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = tmp_path / "password"
    secret.write_text("hunter2")
    secret.chmod(0o644)
    (tmp_path / "calsync.toml").write_text('[mail]\npassword_file = "password"\n')
    monkeypatch.setenv("CALSYNC_CONFIG", str(tmp_path / "calsync.toml"))
    assert run(["config", "check"]) == 2
    told = "".join(capsys.readouterr())
    assert "calsync.toml:2: mail.password_file" in told
    assert "hunter2" not in told


def test_a_config_folder_that_is_a_trap_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "calsync.toml").write_text("")
    folder = tmp_path / "conf.d"
    folder.mkdir()
    (folder / "loop.toml").symlink_to("loop.toml")
    (folder / "folder.toml").mkdir()
    monkeypatch.setenv("CALSYNC_CONFIG", str(tmp_path / "calsync.toml"))
    assert run(["config", "check"]) == 2
    told = "".join(capsys.readouterr())
    assert "loop.toml" in told
    assert "folder.toml" in told
    for number in range(10_000):
        (folder / f"{number}.toml").symlink_to("/dev/null")
    with small_cost():
        assert run(["config", "check"]) == 2
    assert "more than 1000" in "".join(capsys.readouterr())


def test_a_newer_database_ends_every_command_with_2(shell: Shell) -> None:
    database = open_database(f"sqlite:///{shell.folder / 'calsync.db'}")
    with database.engine.begin() as conn:
        conn.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    database.dispose()
    for line in (("appointments", "list"), ("sync",), ("db", "upgrade"), ("claims", "ready")):
        told = shell(*line, code=2)
        assert "newer" in told, line
        assert "Traceback" not in told


def test_people_with_addresses_that_are_two_or_none_are_refused(shell: Shell) -> None:
    before = rows(shell)
    head = "id,name,email,zone\n"
    for address in ("a@example.org,b@example.org", "a@b@example.org", "a", "a@example.org\x0bBcc: b@example.org"):
        path = shell.write("clients.csv", f'{head}K-1,Cleo Made,"{address}",Europe/Berlin\n')
        assert "row 2" in shell("clients", "import", path, code=1)
        shell("providers", "add", "P-9", "--name", "X", "--email", address, "--zone", "Europe/Berlin", code=2)
    after = rows(shell)
    shell("providers", "add", "P-9", "--name", "X", "--email", "x@example.org", "--zone", "Europe/Berlin")
    assert (after["clients"], after["providers"]) == (before["clients"], before["providers"])
