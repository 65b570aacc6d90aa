"""A real Radicale on loopback, in a folder of its own, for as long as the demo lasts."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from calsync.errors import UserError
from calsync.ports import Sleep

START_TRIES = 200
TRY_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class CaldavServer:
    """A running server; every user's password is the user's name."""

    port: int
    process: subprocess.Popen[bytes]

    def home_of(self, user: str) -> str:
        """The address under which a user's calendars lie."""
        return f"http://127.0.0.1:{self.port}/{user}/"


@contextmanager
def running_server(folder: Path, users: list[str], sleep: Sleep) -> Iterator[CaldavServer]:
    """Start the server and stop it at the end of the block. Raises UserError when it does not answer."""
    folder.mkdir(parents=True, exist_ok=True)
    passwords = folder / "users"
    passwords.write_text("".join(f"{user}:{user}\n" for user in users), encoding="utf-8")
    port = _free_port()
    process = _start(folder, passwords, port)
    try:
        _wait_until_it_answers(port, process, sleep, folder)
        yield CaldavServer(port, process)
    finally:
        process.terminate()
        process.wait(timeout=10)


def _start(folder: Path, passwords: Path, port: int) -> subprocess.Popen[bytes]:
    options = {
        "server-hosts": f"127.0.0.1:{port}",
        "auth-type": "htpasswd",
        "auth-htpasswd-filename": str(passwords),
        "auth-htpasswd-encryption": "plain",
        "auth-delay": "0",
        "storage-filesystem-folder": str(folder / "calendars"),
        "logging-level": "warning",
    }
    # An empty --config keeps a Radicale that is set up on this machine out of it.
    arguments = ["--config", ""] + [text for name, value in options.items() for text in (f"--{name}", value)]
    with (folder / "server.log").open("wb") as log:
        return subprocess.Popen(  # noqa: S603 - a server of this environment
            [sys.executable, "-m", "radicale", *arguments],
            stdout=log,
            stderr=log,
            env={**os.environ, "PYTHONWARNINGS": "ignore"},
        )


def _wait_until_it_answers(port: int, process: subprocess.Popen[bytes], sleep: Sleep, folder: Path) -> None:
    for _ in range(START_TRIES):
        if process.poll() is not None:
            break
        try:
            httpx.get(f"http://127.0.0.1:{port}/.web/", timeout=1.0)
        except httpx.HTTPError:
            sleep.sleep(TRY_EVERY_S)
        else:
            return
    raise UserError.of("the CalDAV server did not start", str(folder / "server.log"), "See its log, and try again")


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
