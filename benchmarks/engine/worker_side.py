"""One worker process whose calendars have nothing to say: all that it costs is the engine.

Command: `python -m benchmarks.engine.worker_side URL KIND FILE THREADS WAIT`. Each run is a line in FILE (instant and
calendar); on SIGTERM it ends in order and writes its peak memory to FILE.json.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from tests.unit.worker.engine_world import Opener, Process, Runs

from benchmarks.caldav.memory import peak_mb
from calsync.cli.log_output import set_up_logging


def main(url: str, kind: str, file: Path, threads: int, wait: float) -> None:
    """Work until told to end."""
    set_up_logging()
    with file.open("w", buffering=1) as out:

        def told_of(calendar: str) -> None:
            print(time.time(), calendar, file=out)

        runs = Runs(wait, told=told_of)
        process = Process(url, kind, runs, threads)
        opener = process.worker.opener
        assert isinstance(opener, Opener)
        opener.the_rules = replace(opener.the_rules, poll_interval=timedelta(minutes=5))
        signal.signal(signal.SIGTERM, lambda *_: process.stop.set())
        process.run()
    told = {"rss_mb": peak_mb(), "runs": len(runs.order), "twice": runs.overlaps}
    file.with_suffix(".json").write_text(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5]))
