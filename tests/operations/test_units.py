"""The systemd units: they are valid, they are locked in, and each starts a command that exists."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from calsync.cli.main import build_app

ROOT = Path(__file__).parents[2]
UNITS = sorted((ROOT / "systemd").glob("*.service"))
INSTALLED = "/opt/calsync/bin/calsync"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The units as they would be installed here: the program is where this one is."""
    here = str(Path(sys.executable).with_name("calsync"))
    for path in (ROOT / "systemd").iterdir():
        name = path.name.replace("@.", "@1.")
        (tmp_path / name).write_text(path.read_text().replace(INSTALLED, here))
    return tmp_path


def test_there_is_systemd_to_ask() -> None:
    assert shutil.which("systemd-analyze"), "Debian package systemd"


def test_verify_has_nothing_to_say(folder: Path) -> None:
    files = [str(path) for path in sorted(folder.iterdir()) if path.suffix in {".service", ".timer"}]
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *files], capture_output=True, text=True, check=False
    )
    # Units of the machine itself may be at fault too; ours must not be named.
    told = [line for line in (done.stdout + done.stderr).splitlines() if "calsync" in line]
    assert told == []


def test_verify_would_name_a_wrong_unit(folder: Path) -> None:
    unit = folder / "calsync.service"
    unit.write_text(unit.read_text().replace("Type=notify", "Tpye=notify"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
    )
    assert "calsync.service" in done.stdout + done.stderr


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_its_exposure_is_at_most_1_5(folder: Path, unit: Path) -> None:
    path = folder / unit.name.replace("@.", "@1.")
    line = ["systemd-analyze", "security", "--offline=true", "--no-pager", str(path)]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    level = re.search(r"Overall exposure level for \S+: (?P<level>[\d.]+)", done.stdout)
    assert level is not None, done.stdout + done.stderr
    assert float(level["level"]) <= 1.5


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_it_starts_a_command_of_ours(unit: Path) -> None:
    wanted = re.findall(rf"^ExecStart={INSTALLED} (\S+)", unit.read_text(), re.MULTILINE)
    assert len(wanted) == 1
    assert wanted[0] in build_app().commands or build_app().get_command(None, wanted[0]) is not None  # type: ignore[arg-type]


def test_resident_ones_are_watched_and_reload() -> None:
    for unit in UNITS:
        text = unit.read_text()
        if "Type=oneshot" not in text:
            assert re.search(r"^WatchdogSec=\d+$", text, re.MULTILINE)
            assert "ExecReload=/bin/kill -HUP $MAINPID" in text
            assert "Restart=always" in text
