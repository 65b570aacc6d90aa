"""Run many mutants, each in a forked process of one that has the libraries in memory already and calsync not yet.

`python -m tests.mutants.forks NAME ...` prints a JSON line for each: its name, and what failed, or null. One copy of
the source serves all of them: a mutant's lines are put in, and taken out again.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.mutants.broken import PLANS, ROOT, Mutant, mutants, replaced

# What takes longest to import and is not ours.
_LIBRARIES = (
    "sqlalchemy.dialects.sqlite", "pydantic", "structlog", "tenacity", "dateutil.rrule", "cryptography.fernet",
    "fastapi", "jinja2", "pytest", "hypothesis",
)  # fmt: skip


def findings(wanted: Sequence[Mutant]) -> dict[str, str | None]:
    """What failed with each of these mutants, by name: the check of its history, or `fails` for a test."""
    with TemporaryDirectory(prefix="calsync-bytes-") as compiled:
        # Compiled once for all of them, and nothing is left in the tree.
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        done = subprocess.run(
            [sys.executable, "-m", "tests.mutants.forks", *(one.name for one in wanted)],
            cwd=ROOT,
            env={**kept, "PYTHONPYCACHEPREFIX": compiled, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode != 0:
        raise RuntimeError(done.stderr[-3000:])
    return dict(json.loads(line) for line in done.stdout.splitlines())


def main(names: Sequence[str]) -> None:
    """Run these mutants one after the other."""
    for library in _LIBRARIES:
        importlib.import_module(library)
    known = {one.name: one for one in mutants()}
    with TemporaryDirectory(prefix="calsync-mutant-") as folder:
        source = Path(folder) / "src"
        shutil.copytree(ROOT / "src", source, ignore=shutil.ignore_patterns("__pycache__"))
        sys.path.insert(0, str(source))
        for number, name in enumerate(names):
            with _changed(source, known[name], number):
                print(json.dumps([name, _in_a_fork(known[name], source)]), flush=True)


@contextmanager
def _changed(source: Path, mutant: Mutant, number: int) -> Iterator[None]:
    """Put the mutant in. Each has its own times of change, as compiled files are known by size and full seconds."""
    before = {}
    for path, text in replaced(mutant, source).items():
        before[path] = (path.read_text(), path.stat())
        path.write_text(text)
        at = before[path][1].st_mtime + 1000 + number
        os.utime(path, (at, at))
    try:
        yield
    finally:
        for path, (text, stat) in before.items():
            path.write_text(text)
            os.utime(path, (stat.st_atime, stat.st_mtime))


def _in_a_fork(mutant: Mutant, source: Path) -> str | None:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _answer(mutant, source, writing)
    os.close(writing)
    with os.fdopen(reading) as told:
        text = told.read()
    os.waitpid(child, 0)
    found = json.loads(text or '"no answer"')
    return None if found is None else str(found)


def _answer(mutant: Mutant, source: Path, writing: int) -> None:
    """Say what failed, and end. Whatever the code under test prints goes nowhere."""
    found: str | None
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        found = _what_fails(mutant)
        ours = sys.modules["calsync"].__file__ or ""
        if not ours.startswith(str(source)):
            found = f"ran {ours}"
    except BaseException:  # noqa: BLE001 - the parent must hear of it
        found = traceback.format_exc()
    os.write(writing, json.dumps(found).encode())
    os._exit(0)


def _what_fails(mutant: Mutant) -> str | None:
    if mutant.test is not None:
        import pytest  # noqa: PLC0415

        plain = ["-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", "--tb=native"]
        return "fails" if pytest.main([*plain, mutant.test]) == pytest.ExitCode.TESTS_FAILED else None
    from tests.simulation.history import run, run_seed  # noqa: PLC0415 - calsync must be the changed one
    from tests.simulation.plan import plan_of  # noqa: PLC0415

    if mutant.plan is None:
        return run_seed(mutant.seed or 0).failed
    path = next(one for one in (home / f"{mutant.plan}.json" for home in PLANS) if one.exists())
    return run(plan_of(path.read_text())).failed


if __name__ == "__main__":
    main(sys.argv[1:])
