"""What is printed from the code, or speaks of it, is up to date."""

import re
import stat
import tomllib

import pytest

from calsync import __version__
from calsync.cli.main import COMMANDS
from calsync.settings import load
from tests.tidy.rendered import rendered_files
from tests.tidy.tree import ROOT


@pytest.mark.parametrize("name", ["config/calsync.toml", "config/practices/default.toml", "docs/mutants.md"])
def test_rendered_files_are_current(name: str) -> None:
    path = ROOT / name
    assert path.exists(), "run ./dev render"
    assert path.read_text(encoding="utf-8") == rendered_files()[name], "run ./dev render"


def test_the_shipped_config_loads() -> None:
    from calsync.connector.registry import Registry  # noqa: PLC0415

    assert load(ROOT / "config/calsync.toml", Registry().usable()).providers == ()


def test_the_version_is_one() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == __version__
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_documents_name_existing_commands() -> None:
    documents = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    named = {
        (path.name, command)
        for path in documents
        for command in re.findall(
            r"\bcalsync ([a-z]+)\b", "\n".join(re.findall(r"`[^`\n]+`|^ {4,}\S.*$", path.read_text(), re.MULTILINE))
        )
    }
    assert {each for each in named if each[1] not in COMMANDS} == set()


def test_every_pinned_library_has_a_hash() -> None:
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    pins = re.findall(r"^[a-z0-9].*?(?=^[a-z0-9]|\Z)", text, re.MULTILINE | re.DOTALL)
    assert len(pins) > 50
    assert [pin.split("=")[0] for pin in pins if "--hash=sha256:" not in pin or "==" not in pin] == []
    assert "://" not in text


def test_every_library_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [*project["dependencies"], *(each for extra in project["optional-dependencies"].values() for each in extra)]
    names = {re.split(r"[\[>=<~! ]", each)[0].lower().replace(".", "-") for each in asked} - {"calsync"}
    pinned = set(
        re.findall(r"^([a-z0-9-]+)(?===)", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert names - pinned == set(), "run ./dev pin"


@pytest.mark.parametrize("name", ["dev", ".ci/run"])
def test_commands_can_be_run(name: str) -> None:
    assert (ROOT / name).stat().st_mode & stat.S_IXUSR


def test_ci_runs_the_readmes_test_command() -> None:
    assert "./dev test" in (ROOT / ".ci/run").read_text(encoding="utf-8")
    assert "./dev test" in (ROOT / "README.md").read_text(encoding="utf-8")
