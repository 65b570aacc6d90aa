"""vdirsyncer between a folder of files and a calendar, a process for each run, as it is meant to be used."""

from __future__ import annotations

import os
import subprocess
import time
import venv
from dataclasses import dataclass
from pathlib import Path

from benchmarks.caldav.memory import peak_mb

VERSION = "0.21.0"
_CONFIG = """\
[general]
status_path = "{folder}/status/"
[pair bench]
a = "files"
b = "server"
collections = null
[storage files]
type = "filesystem"
path = "{folder}/events/"
fileext = ".ics"
[storage server]
type = "caldav"
url = "{url}"
username = "{user}"
password = "{user}"
"""


def installed(folder: Path) -> Path:
    """The program, installed into an environment of its own (once): none of it belongs to calsync."""
    program = folder / "bin" / "vdirsyncer"
    if not program.exists():
        venv.create(folder, with_pip=True)
        pip = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, f"vdirsyncer=={VERSION}"], check=True)
    return program


@dataclass(frozen=True, slots=True)
class Run:
    """One run: CPU and memory of the process as the kernel counted them."""

    cpu: float
    rss_mb: float


class Vdirsyncer:
    """A pair of a folder and a calendar."""

    def __init__(self, program: Path, folder: Path, url: str, user: str) -> None:
        self._program = program
        self.events = folder / "events"
        self.events.mkdir(parents=True)
        self._config = folder / "config"
        self._config.write_text(_CONFIG.format(folder=folder, url=url, user=user))
        self.run("discover", "bench")

    def sync(self) -> Run:
        """Bring both sides into step."""
        return self.run("sync")

    def run(self, *line: str) -> Run:
        """Run a command and measure it."""
        command = [str(self._program), "--verbosity", "ERROR", "--config", str(self._config), *line]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        assert process.stdin is not None
        process.stdin.write(b"y\ny\n")
        process.stdin.close()
        peak = 0.0
        while True:
            peak = max(peak, peak_mb(process.pid))
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            time.sleep(0.02)
        assert status == 0, f"vdirsyncer ended with {status}"
        process.returncode = 0
        return Run(usage.ru_utime + usage.ru_stime, peak)
