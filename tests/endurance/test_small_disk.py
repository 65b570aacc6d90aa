"""A disk of five megabytes that is full, one that cannot be written, a clock that is set back: all of it heals."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any


def test_it_holds_says_so_and_heals_without_help(tmp_path: Path) -> None:
    command = ["unshare", "-rm", sys.executable, "-m", "tests.endurance.small_disk", str(tmp_path)]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=300, check=False, env=os.environ)
    assert done.returncode == 0, done.stderr[-3000:]
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert told["with room"]["verdict"] == "cleared"
    for trouble in ("full", "read-only"):
        there = told[trouble]
        assert (there["cleared"], there["tracebacks"]) == (False, False), there
        assert all(code != 0 for code in there["codes"]), there
        assert all("calsync.db" in error and "Check" in error for error in there["errors"]), there
    assert told["an hour back"]["verdict"] != "cleared"
    for after in ("after full", "after read-only", "after an hour back"):
        assert told[after]["verdict"] == "cleared", told[after]
    assert told["afterwards"]["codes"] == [0, 0]
    assert told["audit"] == 0
