"""Reads the register of hostile input and tells what it lacks."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
ROWS = 137
# What stands in the folders beside the inputs themselves.
TABLES = {"answers.toml", "expected.json"}


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the list (`number`), or what is beside it (0)."""

    number: int
    what: str
    answer: str
    files: tuple[str, ...]
    proof: tuple[str, ...]


def entries() -> list[Entry]:
    """All of them, in the order of the file."""
    data = tomllib.loads((HERE / "register.toml").read_text(encoding="utf-8"))
    rows = [Entry(one["number"], one["what"], one["answer"], *_lists(one)) for one in data["row"]]
    return rows + [Entry(0, "beside the list", "", *_lists(one)) for one in data["beside"]]


def inputs() -> set[str]:
    """Every file that is an input."""
    folders = [path for path in HERE.iterdir() if path.is_dir() and path.name != "__pycache__"]
    return {f"{folder.name}/{path.name}" for folder in folders for path in folder.iterdir()} - {
        f"{folder.name}/{name}" for folder in folders for name in TABLES
    }


def missing(entry: Entry) -> Iterator[str]:
    """Tests and files that an entry names and that do not exist."""
    for test in entry.proof:
        path, _, name = test.partition("::")
        if not name or not (ROOT / path).is_file() or not _defines(ROOT / path, name):
            yield test
    for file in entry.files:
        if not (HERE / file).is_file():
            yield file


def _lists(one: dict[str, list[str]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return tuple(one.get("files", ())), tuple(one["proof"])


def _defines(path: Path, name: str) -> bool:
    return re.search(rf"^\s*def {re.escape(name)}\(", path.read_text(encoding="utf-8"), re.MULTILINE) is not None
