"""What the resident worker does as time passes, as a process of its own: once, also after it stood still."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.lifecycle.practice import PROVIDER, Practice
from tests.waiting import until


@contextmanager
def working(practice: Practice) -> Iterator[None]:
    """A worker whose clock stands where the practice's does."""
    assert practice.site.now is not None
    environ = {**os.environ, "CALSYNC_NOW": practice.site.now.isoformat()}
    config = str(practice.site.folder / "calsync.toml")
    with (practice.site.folder / "process.log").open("ab") as log:
        line = [sys.executable, "-m", "calsync", "worker", "--config", config]
        process = subprocess.Popen(line, env=environ, stdout=log, stderr=log)
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0


def test_gt_25_a_worker_that_was_down_acts_at_its_next_start_once(grow: Practice) -> None:
    grow.book("A-1", "2026-11-06T10:00")
    grow.book("A-2", "2026-11-20T10:00")
    ask = ("appointments", "ask-to-reschedule", "--reason", "technical")
    grow.do(*ask, "A-1", by=PROVIDER)
    grow.at("2026-11-05T09:00")
    with working(grow):
        until(lambda: grow.status("A-1") == "cancelled")
    grow.do(*ask, "A-2", by=PROVIDER)
    grow.at("2026-11-09T09:00")
    with working(grow):
        until(lambda: grow.status("A-2") == "cancelled")
    for key in ("A-1", "A-2"):
        assert [row["actor"] for row in grow.history(key)].count("system") == 1
    assert len(grow.owed("appointment-cancelled")) == 4
