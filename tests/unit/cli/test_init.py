"""`calsync init` makes a config that loads, observes, and is never overwritten."""

import grp
import os
import stat
from pathlib import Path

import pytest

from calsync.cli import init
from calsync.cli.context import App
from calsync.cli.main import run
from calsync.settings.secrets import KeyRing


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CALSYNC_CONFIG", raising=False)


def test_it_observes_by_default_and_the_config_is_found_and_fine(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init"]) == 0
    said = capsys.readouterr().out
    assert "calsync db upgrade" in said
    assert run(["config", "check"]) == 0

    settings = App().settings
    assert settings.sync.mode == "observe"
    assert settings.database.url == f"sqlite:///{Path.cwd()}/config/calsync.db"
    assert len(KeyRing.read(settings.secrets.key_file).keys) == 1
    assert stat.S_IMODE(settings.secrets.key_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(Path("config/secrets").stat().st_mode) == 0o700
    assert set(settings.practices) == {"default"}
    assert Path("config/practices/default.toml").exists()


def test_it_acts_when_told_to(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init", "here/there", "--act"]) == 0
    assert "--config here/there/calsync.toml" in capsys.readouterr().out
    assert App(config_path=Path("here/there/calsync.toml")).settings.sync.mode == "act"


def test_it_overwrites_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    run(["init"])
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    assert run(["init", "--act"]) == 1
    assert "there is a configuration already" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()} == before


def test_it_keeps_a_key_that_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    run(["init"])
    key = Path("config/calsync.key").read_bytes()
    Path("config/calsync.toml").unlink()
    assert run(["init"]) == 0
    assert Path("config/calsync.key").read_bytes() == key
    assert "Next:" in capsys.readouterr().out


def test_under_etc_the_books_go_where_a_service_may_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(init, "_SYSTEM", tmp_path / "etc")
    monkeypatch.setattr(init, "_GROUP", grp.getgrgid(os.getgid()).gr_name)
    folder = tmp_path / "etc" / "calsync"
    assert run(["init", str(folder)]) == 0
    settings = App(config_path=folder / "calsync.toml").settings
    assert settings.database.url == "sqlite:////var/lib/calsync/calsync.db"
    assert stat.S_IMODE(settings.secrets.key_file.stat().st_mode) == 0o640
    assert stat.S_IMODE((folder / "secrets").stat().st_mode) == 0o750
