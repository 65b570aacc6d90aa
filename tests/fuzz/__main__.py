"""`python -m tests.fuzz SECONDS`: random input, never the same twice, for that long; the interface for programs too."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
TARGETS = (
    "tests/fuzz",
    "tests/unit/web/test_api_fuzzed.py",
    "tests/properties/test_rules.py",
    "tests/properties/test_planner.py",
)
FACTOR = 10


def main(arguments: list[str]) -> int:
    """Rounds of all targets, each with another seed; 1 at the first round that fails, with what repeats it."""
    parser = argparse.ArgumentParser(prog="./dev fuzz", description=__doc__)
    parser.add_argument("seconds", type=int, help="how long; the round that has begun is ended")
    parser.add_argument("--seed", type=int, default=None, help="the first round's; each next one counts on")
    asked = parser.parse_args(arguments)
    seed = time.time_ns() % 2**31 if asked.seed is None else asked.seed
    end = time.monotonic() + asked.seconds
    rounds = 0
    while rounds == 0 or time.monotonic() < end:
        print(f"round {rounds + 1}: seed {seed}", flush=True)
        line = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--hypothesis-seed={seed}", *TARGETS]
        ended = subprocess.run(line, cwd=ROOT, env={**os.environ, "CALSYNC_FUZZ": str(FACTOR)}, check=False)
        if ended.returncode:
            print(f"To see it again: ./dev fuzz 1 --seed {seed}")
            return 1
        rounds, seed = rounds + 1, seed + 1
    print(f"{rounds} rounds, nothing found.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
