"""The documentation: it builds without a warning, leads nowhere wrong, and names only commands and keys that exist."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from calsync.cli.main import build_app

ROOT = Path(__file__).parents[2]
PAGES = sorted([*(ROOT / "docs").glob("*.md"), ROOT / "README.md"])
# In a code span, or a line of a code block; words in capitals stand for what a person fills in.
_COMMAND = re.compile(r"(?:`|^ {4,}|^)(?:runuser -u calsync -- )?calsync (?P<line>[a-z][^`\n#|]*)", re.MULTILINE)
_BLOCK = re.compile(r"^```sh\n(?P<text>[\s\S]*?)^```$|^(?P<indented>(?: {4,}.*\n)+)", re.MULTILINE)
_SPAN = re.compile(r"`[^`\n]+`")


def commands(text: str) -> list[str]:
    """Every command line of calsync that a page shows."""
    parts = [found["text"] or found["indented"] or "" for found in _BLOCK.finditer(text)] + _SPAN.findall(text)
    return [found["line"].strip() for part in parts for found in _COMMAND.finditer(part)]


def wrong(line: str) -> str | None:
    """What is wrong with a command line: no such command, or no such option."""
    words = [word for word in shlex.split(line.replace("…", ""), posix=False) if word]
    command: click.Command = build_app()
    context = click.Context(command)
    while words and isinstance(command, click.Group):
        below = command.get_command(context, words[0])
        if below is None:
            return f"no command {words[0]!r}"
        command, words = below, words[1:]
    known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    unknown = [word for word in words if word.startswith("--") and word.partition("=")[0] not in known | {"--help"}]
    return f"no option {unknown[0]}" if unknown else None


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    line = [sys.executable, "-m", "properdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "site" / "start" / "index.html").exists()


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_command_it_shows_exists(page: Path) -> None:
    faults = {line: why for line in commands(page.read_text()) if (why := wrong(line)) is not None}
    assert faults == {}


def test_a_wrong_command_would_be_seen() -> None:
    page = "calsync is, see `calsync drifts lst` and\n\n    calsync sync --dry-rum\n\n```sh\ncalsync doctor\n```\n"
    found = {line: wrong(line) for line in commands(page)}
    assert found == {"drifts lst": "no command 'lst'", "sync --dry-rum": "no option --dry-rum", "doctor": None}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_files_it_names_are_there(page: Path) -> None:
    named = re.findall(r"`((?:docs|src|config|systemd|monitoring|tests)/[\w./@-]+)`", page.read_text())
    generated = {"config/calsync.toml", "config/secrets/ada.password"}
    assert [name for name in named if name not in generated and not (ROOT / name).exists()] == []
