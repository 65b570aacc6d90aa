"""`calsync config`: check tells everything, show hides secrets, schema is JSON."""

import json
from pathlib import Path

import pytest

from calsync.cli.main import run

ADA = '[[providers]]\nid = "ada"\nname = "Ada Example"\nemail = "ada@example.org"\nzone = "Europe/Berlin"\n'


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "calsync.toml"
    monkeypatch.setenv("CALSYNC_CONFIG", str(path))
    return path


def test_check_tells_every_problem(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text("[sync]\nworkers = 0\n[web]\nlisten = 'x'\n")
    assert run(["config", "check"]) == 2
    said = capsys.readouterr().err
    assert f"{config}:2: sync.workers" in said
    assert f"{config}:4: web.listen" in said
    assert "2 problems" in said


def test_check_as_json_tells_the_same(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text("[sync]\nworkers = 0\n")
    assert run(["config", "check", "--json"]) == 2
    [problem] = json.loads(capsys.readouterr().out)["problems"]
    assert problem["where"] == f"{config}:2: sync.workers"


def test_check_tries_the_own_texts_of_mails(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text("")
    (config.parent / "templates").mkdir()
    own = config.parent / "templates" / "client-booked.txt.j2"
    own.write_text("Booked\n\n{{ first.long }} with {{ nobody }}")
    assert run(["config", "check"]) == 2
    assert f"{own}: 'nobody' is undefined" in capsys.readouterr().err
    own.write_text("Booked\n\n{{ first.long }}")
    assert run(["config", "check"]) == 0


def test_check_shows_what_opens_the_gate_wider(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text('[claims]\nunlinked = "clear"\nsettle = "0s"\nminutes = "strict"\n' + ADA)
    (config.parent / "practices").mkdir()
    (config.parent / "practices/north.toml").write_text(
        "[claims]\nacknowledge_reverts = false\n[sync]\nmode = 'observe'"
    )
    assert run(["--json", "config", "check"]) == 0
    notes = json.loads(capsys.readouterr().out)["notes"]
    assert notes[:4] == [
        "claims.settle opens the gate wider than the default.",
        "claims.unlinked opens the gate wider than the default.",
        "Practice north: claims.acknowledge_reverts opens the gate wider than the default.",
        'Practice north is in mode "observe", unlike calsync.toml.',
    ]


def test_check_is_content_with_the_defaults_but_for_the_key(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text(ADA)
    assert run(["config", "check"]) == 0
    said = capsys.readouterr().out
    assert "no key file" in said
    assert "is fine: 1 providers" in said


def test_show_prints_what_is_in_force(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text(ADA + '[sync]\npoll_interval = "1m"\n')
    assert run(["config", "show", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["sync"]["poll_interval"] == "1m"
    assert shown["drift"]["revert_limit"] == 3
    assert shown["providers"][0]["id"] == "ada"
    assert "default" in shown["practices"]

    assert run(["config", "show"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert 'sync.poll_interval = "1m"' in lines
    assert 'providers[1].zone = "Europe/Berlin"' in lines


def test_show_never_prints_a_password(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text('[database]\nurl = "postgresql+psycopg://ada:hunter2@db/x"\n')
    config.chmod(0o600)
    assert run(["config", "show"]) == 0
    shown = capsys.readouterr().out
    assert "hunter2" not in shown
    assert 'database.url = "postgresql+psycopg://ada:***@db/x"' in shown


def test_schema_is_json(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert not config.exists()
    assert run(["config", "schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "calsync.toml"
