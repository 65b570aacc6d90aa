"""Reads the proofs and tells whether the tests that they name are there."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROOFS = Path(__file__).parent / "proofs.toml"
PAGE = ROOT / "docs" / "reliability.md"


@dataclass(frozen=True)
class Proof:
    """A promise, or a failure that users of other products met, with its tests. `figure`: what was reached."""

    kind: str
    id: str
    words: str
    tests: tuple[str, ...]
    figure: str = ""


def proofs() -> list[Proof]:
    """All of them, in the order of the file."""
    data = tomllib.loads(PROOFS.read_text(encoding="utf-8"))
    return [
        Proof(kind, one["id"], one["words"], tuple(one["tests"]), one.get("figure", ""))
        for kind in ("promise", "failure")
        for one in data[kind]
    ]


def missing(proof: Proof) -> Iterator[str]:
    """Tests that a proof names and that do not exist."""
    for test in proof.tests:
        kind, _, name = test.partition(":")
        if kind == "story":
            found = (ROOT / "tests" / "stories" / name).is_dir()
        elif kind == "conformance":
            suite = (ROOT / "src" / "calsync" / "testing" / "conformance").glob("*.py")
            found = any(_defines(path, name) for path in suite)
        else:
            path, _, name = test.partition("::")
            found = (ROOT / path).is_file() and _defines(ROOT / path, name)
        if not found:
            yield test


def page() -> str:
    """The page for people, in Markdown."""
    promises = [one for one in proofs() if one.kind == "promise"]
    failures = [one for one in proofs() if one.kind == "failure"]
    lines = [
        "# What calsync promises, and how it is proven",
        "",
        "Each row names tests that fail when the promise is broken. `./dev reliability` prints this table, and",
        "`./dev test` runs the tests; `./dev simulate` runs more random histories, and `./dev mutants` breaks calsync",
        "on purpose to see that the checks notice. `./dev storm` kills and overloads real processes at full size, and",
        "`./dev soak` lets one run for an hour ([chart](charts/soak.svg)). The rows stand in",
        "`tests/reliability/proofs.toml`; this page is written from them by `./dev reliability --write`.",
        "",
        "| promise | reached | tests |",
        "| --- | --- | --- |",
        *(f"| **{one.id}** {one.words} | {one.figure} | {_names(one)} |" for one in promises),
        "",
        "## Failures of other products",
        "",
        "What users of calendar sync reported elsewhere, and the tests that keep it from happening here.",
        "",
        "| failure | tests |",
        "| --- | --- |",
        *(f"| **{one.id}** {one.words} | {_names(one)} |" for one in failures),
        "",
    ]
    return "\n".join(lines)


def _defines(path: Path, name: str) -> bool:
    return re.search(rf"^\s*def {re.escape(name)}\(", path.read_text(encoding="utf-8"), re.MULTILINE) is not None


def _names(proof: Proof) -> str:
    return "<br>".join(f"`{test.rpartition('::')[2]}`" for test in proof.tests)
