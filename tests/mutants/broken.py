"""A mutant: calsync, broken on purpose by a patch, run in a process of its own from a copy of the source."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[2]
PATCHES = Path(__file__).parent / "patches"
CANARY = "00-canary"
_KILLED_BY = re.compile(r"^killed-by: seed (?P<seed>\d+) (?P<check>\S+)$", re.MULTILINE)
_SURVIVES = re.compile(r"^survives: (?P<why>.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Hunk:
    """One place of a file: these lines become those. Found by its text, whatever the line numbers say."""

    file: str
    before: str
    after: str


@dataclass(frozen=True)
class Mutant:
    """One way to break calsync: what it breaks, which seed shows it by which check, or why nothing does."""

    name: str
    story: str
    hunks: tuple[Hunk, ...]
    seed: int | None
    check: str | None
    survives: str | None


def mutants() -> list[Mutant]:
    """All of them, by number."""
    return [_read(path) for path in sorted(PATCHES.glob("*.patch"))]


def _read(path: Path) -> Mutant:
    head, _, patch = path.read_text().partition("\n\n")
    killed, survives = _KILLED_BY.search(head), _SURVIVES.search(head)
    return Mutant(
        name=path.stem,
        story=head.splitlines()[0],
        hunks=tuple(_hunks(patch)),
        seed=int(killed["seed"]) if killed else None,
        check=killed["check"] if killed else None,
        survives=survives["why"] if survives else None,
    )


def _hunks(patch: str) -> Iterator[Hunk]:
    file, before, after = "", [""], [""]
    open_hunk = False
    for line in patch.splitlines():
        if line.startswith("--- "):
            continue
        if line.startswith(("+++ ", "@@")):
            if open_hunk:
                yield Hunk(file, "\n".join(before), "\n".join(after))
                open_hunk = False
            if line.startswith("+++ b/"):
                file = line.removeprefix("+++ b/")
                continue
            before, after, open_hunk = [], [], True
            continue
        kept, text = line[:1] or " ", line[1:]
        if kept in " -":
            before.append(text)
        if kept in " +":
            after.append(text)
    if open_hunk:
        yield Hunk(file, "\n".join(before), "\n".join(after))


@contextmanager
def broken(mutant: Mutant) -> Iterator[Path]:
    """A copy of the source with the mutant in it; its path."""
    with TemporaryDirectory(prefix="calsync-mutant-") as folder:
        copy = Path(folder) / "src"
        shutil.copytree(ROOT / "src", copy, ignore=shutil.ignore_patterns("__pycache__"))
        for hunk in mutant.hunks:
            path = copy.parent / hunk.file
            text = path.read_text()
            if text.count(hunk.before) != 1:
                told = f"{mutant.name}: {hunk.file} has changed; make the patch anew (see tests/mutants/__init__.py)"
                raise LookupError(told)
            path.write_text(text.replace(hunk.before, hunk.after))
        yield copy


def simulate(source: Path, seed: int, count: int = 1, *, stop_at: int = 1) -> list[tuple[int, str, str]]:
    """Run histories against this copy of the source; what failed: seed, check, and what was told."""
    code = (
        "import sys, json, calsync; from tests.simulation.command import run_seeds;"
        f"assert calsync.__file__.startswith({str(source)!r}), calsync.__file__;"
        f"print(json.dumps(run_seeds(range({seed}, {seed + count}), stop_at={stop_at}).failures))"
    )
    path = os.pathsep.join([str(source), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(done.stderr[-2000:])
    return [(int(one), str(check), str(told)) for one, check, told in json.loads(done.stdout.splitlines()[-1])]
