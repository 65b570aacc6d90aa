"""Reading alone, reading and tying, the whole check, and the file of what may be sent: time and memory of each."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

STEPS = ("pyx12", "loaded", "read", "check", "write")


def bare(path: Path) -> int:
    """What pyx12 costs by itself."""
    from pyx12.x12file import X12Reader  # noqa: PLC0415 - only this step's memory counts

    with path.open(encoding="latin-1", newline="") as source:
        return sum(1 for _ in X12Reader(source))


def ours(folder: Path, path: Path, step: str) -> int:
    """calsync's side up to a step; the number of claims."""
    from benchmarks.claims.material import NOW  # noqa: PLC0415
    from calsync.claims.batch.checking import read_batch  # noqa: PLC0415 - see `bare`
    from calsync.claims.batch.cleared import write_cleared  # noqa: PLC0415
    from calsync.claims.gate import Gate  # noqa: PLC0415
    from calsync.settings.model import Settings  # noqa: PLC0415
    from calsync.store.database import open_database  # noqa: PLC0415
    from calsync.testing.fake_ports import FakeClock, FakeIds  # noqa: PLC0415

    database = open_database(f"sqlite:///{folder / 'books.db'}")
    gate = Gate(database, Settings(path=folder / "calsync.toml"), FakeClock(NOW), FakeIds())
    import calsync.claims.batch.x12_claims  # noqa: F401, PLC0415 - what a file of this form loads

    if step == "loaded":
        return 0
    with read_batch(gate, path) as batch:
        if step == "read":
            return batch.claims
        began = time.process_time()
        cleared = sum(claim.verdict == "cleared" for claim in batch.check(gate, "support:benchmark"))
        assert cleared == batch.claims, (cleared, batch.claims)
        print(f"judged in {time.process_time() - began:.1f} s", file=sys.stderr)
        if step == "write":
            write_cleared(batch, folder / "out.x12")
        return batch.claims


def run(step: str, folder: Path) -> None:
    """One step in this process; prints its CPU seconds and its peak memory."""
    path = folder / "claims.x12"
    acts: dict[str, Callable[[], int]] = {"pyx12": lambda: bare(path)}
    began = time.process_time()
    acts.get(step, lambda: ours(folder, path, step))()
    spent = time.process_time() - began
    # The kernel's own peak of this program alone; what its parent used is not in it.
    peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    print(json.dumps({"seconds": spent, "memory": int(peak.split()[1]) / 1024}))


def main() -> None:
    """Make the material, run each step in a process of its own, print the table."""
    if len(sys.argv) == 3 and sys.argv[1] in STEPS:
        run(sys.argv[1], Path(sys.argv[2]))
        return
    from benchmarks.claims.material import make_books, write_file  # noqa: PLC0415 - see `bare`
    from benchmarks.figures import section  # noqa: PLC0415

    count = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_books(folder, count).dispose()
        segments = write_file(folder / "claims.x12", count)
        size = (folder / "claims.x12").stat().st_size / 1e6
        columns = ("claims", "segments", "MB", "step", "CPU s", "beside pyx12", "ms a claim", "peak MB")
        with section("claims", f"file-{count}", *columns) as table:
            figures = {}
            for step in STEPS:
                command = [sys.executable, "-m", "benchmarks.claims", step, name]
                done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
                one = figures[step] = json.loads(done.stdout)
                # What starting the program costs is the same for any file.
                start = figures["loaded"]["seconds"] if "loaded" in figures else 0.0
                spent = one["seconds"] - (0.0 if step == "loaded" else start)
                ratio = spent / figures["pyx12"]["seconds"]
                table.add(
                    count, segments, size, step, one["seconds"], ratio, spent * 1000 / count, round(one["memory"])
                )


if __name__ == "__main__":
    main()
