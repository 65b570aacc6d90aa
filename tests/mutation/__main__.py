"""`python -m tests.mutation [PATH ...] [--seconds N] [--only TEXT] [--quick] [--keep]`: make every small change.

Paths are files or folders of `src/calsync/reconcile` and `src/calsync/claims`; both by default. Each file is judged in
a process of its own. `survivors.toml` says of each change that no test can notice why that is so.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import time
import tomllib
from pathlib import Path

from tests.mutation import FIGURES
from tests.mutation.forks import run

ROOT = Path(__file__).parents[2]
SURVIVORS = Path(__file__).parent / "survivors.toml"
_BOTH = [Path("src/calsync/reconcile"), Path("src/calsync/claims")]
_TABLES = ["tests/unit/reconcile", "tests/stories"]
_CORE = [
    *_TABLES,
    "tests/properties/test_planner.py",
    "tests/simulation/test_simulation.py::test_what_was_found_once_stays_mended",
]
_PURE = [
    *(f"tests/unit/claims/test_{name}.py" for name in ("answer", "books", "calendars", "case_calendars", "codes")),
    *(
        f"tests/unit/claims/test_{name}.py"
        for name in ("drifts", "gate_scenarios", "log", "minutes", "readings", "reads")
    ),
    *(f"tests/unit/claims/test_{name}.py" for name in ("neighbours", "sessions", "standing", "whole_answers", "words")),
    "tests/unit/claims/test_edges_of_the_books.py",
    "tests/properties/test_gate_cells.py",
    "tests/properties/test_gate_properties.py",
]
_BOOKS = ["tests/unit/claims", "--ignore=tests/unit/claims/batch", "--ignore=tests/unit/claims/test_gate_cost.py"]
_BATCH = ["tests/unit/claims/batch", "--ignore=tests/unit/claims/batch/test_cost.py"]
_ON_THE_BOOKS = {"case_rows", "casebook", "clearing", "deciding", "filing", "gate", "observe", "proof", "recalls"}


def judges(path: Path, *, quick: bool) -> list[str]:
    """The tests that judge a module: those of its package that are quick; for a first look, without random cases."""
    package = path.parent.relative_to(ROOT / "src" / "calsync").as_posix()
    if package == "reconcile":
        return _TABLES if quick else _CORE
    if package == "claims/batch":
        return _BATCH
    return _BOOKS if path.stem in _ON_THE_BOOKS | {"digest", "rules", "telling"} else _PURE


def excused() -> dict[str, str]:
    """Changes that no test can notice, with the reasons."""
    return {str(one["change"]): str(one["reason"]) for one in tomllib.loads(SURVIVORS.read_text())["survivor"]}


def main() -> int:
    """Run the command; 0 when every change is noticed or excused, and every excuse needed."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument(
        "paths", nargs="*", type=Path, default=[Path("src/calsync/reconcile"), Path("src/calsync/claims")]
    )
    parser.add_argument("--seconds", type=float, default=36000.0, help="stop each file after so long")
    parser.add_argument("--only", action="append", default=[], help="only changes whose line in the list has this text")
    parser.add_argument("--quick", action="store_true", help="a first look, without slow tests and random cases")
    parser.add_argument("--keep", action="store_true", help="keep the figures for docs/mutants.md (then ./dev render)")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        return _judge(options.paths[0].resolve(), options.seconds, frozenset(options.only), quick=options.quick)
    files = [one for path in options.paths for one in (sorted(path.rglob("*.py")) if path.is_dir() else [path])]
    more = [*(f"--only={one}" for one in options.only), *(["--quick"] if options.quick else [])]
    results = [_apart(one, options.seconds, more, keep=options.keep) for one in files if one.name != "__init__.py"]
    return 0 if all(results) else 1


def _apart(path: Path, seconds: float, more: list[str], *, keep: bool) -> bool:
    command = [sys.executable, "-m", "tests.mutation", "--here", f"--seconds={seconds}", *more, str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    last = done.stdout.splitlines()[-1] if done.stdout else ""
    if not last.startswith("{"):
        print(f"{path}: could not be judged\n{(done.stdout + done.stderr)[-3000:]}", flush=True)
        return False
    found = json.loads(last)
    if keep and not found["failed"]:
        keep_figures(path, found)
    return _tell(path, found, whole=not more)


def keep_figures(path: Path, found: dict[str, list[str]]) -> None:
    """Take down how many changes of a file there are, how many were noticed or excused, and how many not judged."""
    living, known = [*found["lives"], *found["unseen"]], excused()
    own = {
        "changes": sum(len(found[name]) for name in ("noticed", "lives", "unseen", "left")),
        "noticed": len(found["noticed"]),
        "excused": sum(one in known for one in living),
        "left": len(found["left"]),
    }
    figures = json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.exists() else {}
    figures[path.as_posix().removeprefix("src/calsync/")] = own
    FIGURES.write_text(json.dumps(figures, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _tell(path: Path, found: dict[str, list[str]], *, whole: bool) -> bool:
    known = excused()
    living = [*found["lives"], *found["unseen"]]
    open_ones = [one for one in living if one not in known]
    own = [one for one in known if one.startswith(f"{path}::")]
    needless = [one for one in own if one not in living] if whole and not found["left"] else []
    noticed, excuses = len(found["noticed"]), len(living) - len(open_ones)
    share = 100 * noticed / max(1, noticed + len(open_ones))
    print(f"{path}: {noticed} of {noticed + len(living)} noticed, {excuses} excused, {share:.1f} %", flush=True)
    unseen = set(found["unseen"])
    for told, ones in (("nobody notices", open_ones), ("needs no excuse", needless), ("fails", found["failed"])):
        for one in ones:
            print(f"  {told}: {one}{' (no test runs it)' if one in unseen else ''}", flush=True)
    if found["left"]:
        print(f"  {len(found['left'])} not judged: no time left", flush=True)
    return not (open_ones or needless or found["failed"] or found["left"])


def _judge(path: Path, seconds: float, only: frozenset[str], *, quick: bool) -> int:
    at_most = 1.5 if quick else math.inf
    forks = run([path], ROOT, judges(path, quick=quick), time.monotonic() + seconds, keys=only, at_most=at_most)
    told = {name: [one.key for one in getattr(forks, name)] for name in ("noticed", "lives", "unseen", "left")}
    print()
    print(json.dumps({**told, "failed": forks.failed}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
