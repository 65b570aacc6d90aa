"""Whole processes: two workers on one database, and the demo as a newcomer starts it."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.servers.meddling_proxy import MeddlingProxy
from tests.servers.process import Server
from tests.system.site import Site
from tests.system.two_workers import write_each_event_once

EVENTS = 60


def test_two_workers_never_do_one_thing_twice(site: Site, server: Server, proxy: MeddlingProxy) -> None:
    site.add_provider("P-1", f"http://127.0.0.1:{proxy.port}/user1/", "user1")
    site.set_up(more='[sync]\npoll_interval = "1s"\n')
    write_each_event_once(site, server, proxy, EVENTS)


def test_the_demo_shows_the_whole_job_and_ends_well() -> None:
    command = [sys.executable, "-m", "calsync", "demo"]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("CALSYNC_")}
    shown = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environ, check=False)
    assert shown.returncode == 0, shown.stdout[-3000:] + shown.stderr[-3000:]
    for words in ("Now: the calendar shows the booked time again.", "All 8 sessions are back.", "Try next:"):
        assert words in shown.stdout
    assert "Traceback" not in shown.stdout + shown.stderr
