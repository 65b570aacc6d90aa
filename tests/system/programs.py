"""calsync's commands as processes of their own that start at once: forked from one that has all modules loaded.

A process that is killed hundreds of times should spend its life on its work, not on reading its own code.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from calsync.cli.main import run

_LOADED = [
    "calsync.cli.main",
    "calsync.cli.run",
    "calsync.claims.batch.checking",
    "calsync.worker.wiring",
    "calsync.web.app",
    "calsync.web.server",
    "calsync_caldav.connector",
    "calsync_google.connector",
    "psycopg",
    "alembic.command",
]
_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload([*_LOADED, __name__])


class Forked:
    """A function that runs in a process of its own. Its end is told as `subprocess.Popen` tells it."""

    def __init__(self, act: Callable[..., object], *given: object) -> None:
        self._process = _forks.Process(target=act, args=given, daemon=True)
        self._process.start()

    @property
    def pid(self) -> int:
        """Its number."""
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """How it ended: a code, or minus the signal; None while it runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """The same."""
        return self._process.exitcode

    def wait(self, timeout: float) -> int:
        """Wait for its end; `subprocess.TimeoutExpired` if that does not come."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("a forked process", timeout)
        return self._process.exitcode

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal if it still runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it with the signal that cannot be caught."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)


class Program(Forked):
    """One running command. Its output goes to a file."""

    def __init__(self, line: tuple[str, ...], output: Path, environ: Mapping[str, str]) -> None:
        super().__init__(_become, line, str(output), dict(environ))


def _become(line: tuple[str, ...], output: str, environ: dict[str, str]) -> None:
    target = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(target, 1)
    os.dup2(target, 2)
    os.environ.clear()
    os.environ.update(environ)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(run(line))
