"""The threat model names tests, mutants, stories and plans that exist, one for each threat at least."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
MUTANTS = {path.stem for path in (ROOT / "tests" / "mutants" / "patches").glob("*.patch")}
STORIES = {f"story:{path.name}" for path in (ROOT / "tests" / "stories").iterdir() if path.is_dir()}
PLANS = {path.stem for path in (ROOT / "tests" / "simulation" / "plans").glob("*.json")}


def rows() -> list[tuple[str, str]]:
    """Each threat, and the cell that says what shows it."""
    found = re.findall(r"^\| (?!way|---)(.+?) \| .+? \| (.*`.*) \|$", PAGE, flags=re.MULTILINE)
    return [(threat, shown) for threat, shown in found]


def defined() -> set[str]:
    """Names of all test functions."""
    return {
        name
        for folder in ("tests", "src/calsync/testing")
        for path in (ROOT / folder).rglob("*.py")
        for name in re.findall(r"^ *(?:async )?def (test_\w+)\(", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    }


def stands(name: str, tests: set[str]) -> bool:
    """Whether there is a test, mutant, story, plan or folder of that name."""
    return name in tests | MUTANTS | STORIES | PLANS or (name.startswith("tests/") and (ROOT / name).exists())


def test_each_threat_is_answered_by_a_test_that_exists() -> None:
    tests = defined()
    threats = rows()
    assert len(threats) > 30
    gone = {name for threat, shown in threats for name in re.findall(r"`([^`]+)`", shown) if not stands(name, tests)}
    assert gone == set()


def test_no_threat_stands_without_a_test() -> None:
    tables = re.findall(r"^\| (?!way|---)([^|]+) \| ([^|]+) \| ([^|]+) \|$", PAGE, flags=re.MULTILINE)
    of_threats = [one for one in tables if "test" in one[2] or "`" in one[2]]
    assert len(of_threats) == len(rows())


@pytest.mark.parametrize("name", ["test_none_such", "99-none-such", "story:none-such", "tests/none"])
def test_a_name_that_is_gone_is_noticed(name: str) -> None:
    assert not stands(name, defined())


def test_there_is_a_picture_and_every_wall_of_it_is_told_of() -> None:
    picture = PAGE.partition("```text")[2].partition("```")[0]
    told = set(re.findall(r"^\| (\d+) \|", PAGE, flags=re.MULTILINE))
    assert set(re.findall(r"\b(\d+)\b", picture)) == told == {str(one) for one in range(1, 11)}
