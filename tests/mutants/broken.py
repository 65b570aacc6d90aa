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
# Histories that show a mutant, and those that once showed a fault of ours; both must pass when nothing is broken.
PLANS = (Path(__file__).parent / "plans", ROOT / "tests" / "simulation" / "plans")
SHRINK_AT_MOST = 600
CANARY = "00-canary"
_KILLED_BY = re.compile(
    r"^killed-by: (?:seed (?P<seed>\d+)|plan (?P<plan>\S+)|test (?P<test>\S+)) (?P<check>\S+)$", re.MULTILINE
)
_SURVIVES = re.compile(r"^survives: (?P<why>.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Hunk:
    """One place of a file: these lines become those. Found by its text, whatever the line numbers say."""

    file: str
    before: str
    after: str


@dataclass(frozen=True)
class Mutant:
    """One way to break calsync: which seed or stored plan shows it by which check, or why nothing does."""

    name: str
    story: str
    hunks: tuple[Hunk, ...]
    seed: int | None
    plan: str | None
    test: str | None
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
        seed=int(killed["seed"]) if killed and killed["seed"] else None,
        plan=killed["plan"] if killed else None,
        test=killed["test"] if killed else None,
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


def replaced(mutant: Mutant, source: Path) -> dict[Path, str]:
    """The files of a copy of the source that the mutant changes, with their new texts. LookupError if they moved on."""
    texts: dict[Path, str] = {}
    for hunk in mutant.hunks:
        path = source.parent / hunk.file
        text = texts.get(path) or path.read_text()
        if text.count(hunk.before) != 1:
            told = f"{mutant.name}: {hunk.file} has changed; make the patch anew (see tests/mutants/__init__.py)"
            raise LookupError(told)
        texts[path] = text.replace(hunk.before, hunk.after)
    return texts


@contextmanager
def broken(mutant: Mutant) -> Iterator[Path]:
    """A copy of the source with the mutant in it; its path."""
    with TemporaryDirectory(prefix="calsync-mutant-") as folder:
        copy = Path(folder) / "src"
        shutil.copytree(ROOT / "src", copy, ignore=shutil.ignore_patterns("__pycache__"))
        for path, text in replaced(mutant, copy).items():
            path.write_text(text)
        yield copy


def simulate(source: Path, seed: int, count: int = 1, *, stop_at: int = 1) -> list[tuple[int, str, str]]:
    """Run histories against this copy of the source; what failed: seed, check, and what was told."""
    code = (
        "from tests.simulation.command import run_seeds;"
        f"print(json.dumps(run_seeds(range({seed}, {seed + count}), stop_at={stop_at}).failures))"
    )
    return [(int(one), str(check), str(told)) for one, check, told in json.loads(_python(source, code))]


def small(source: Path, seed: int, check: str, *, note: str) -> str:
    """The history of a seed made small, as long as the same check fails against this copy of the source; as JSON."""
    code = (
        "from dataclasses import replace; from tests.simulation.generate import generate;"
        "from tests.simulation.shrink import shrink;"
        f"told = shrink(generate({seed}), {check!r}, at_most={SHRINK_AT_MOST});"
        f"print(json.dumps(replace(told, note={note!r}).to_json()))"
    )
    return str(json.loads(_python(source, code)))


def _python(source: Path, code: str) -> str:
    """The last line that a program prints which imports calsync from this copy."""
    path = os.pathsep.join([str(source), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-c", f"import json, calsync; assert calsync.__file__.startswith({str(source)!r}); {code}"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(done.stderr[-2000:])
    return done.stdout.splitlines()[-1]
