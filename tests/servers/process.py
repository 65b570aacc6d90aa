"""A server of somebody else's, run as a child process on a free loopback port for as long as a test needs it."""

from __future__ import annotations

import socket
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Account:
    """A user of a server: the password is the name."""

    username: str
    home: str

    @property
    def password(self) -> str:
        """The password."""
        return self.username


@dataclass(slots=True)
class Server:
    """A running server. `url` is its root; everything it writes lies in `folder`."""

    name: str
    command: list[str]
    port: int
    folder: Path
    home_path: str
    users: int
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """The root's URL."""
        return f"http://127.0.0.1:{self.port}/"

    def account(self, number: int = 1) -> Account:
        """The n-th user, counted from 1."""
        if not 1 <= number <= self.users:
            raise ValueError(number)
        user = f"user{number}"
        return Account(user, f"http://127.0.0.1:{self.port}{self.home_path.format(user=user)}")

    def start(self) -> None:
        """Start (again) and return when it answers; AssertionError with the end of its log when it does not."""
        log = (self.folder / "server.log").open("ab")
        with log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if self.process.poll() is not None or self._answers():
                break
            time.sleep(0.05)
        if not self._answers():
            self.stop()
            raise AssertionError(f"{self.name} did not start:\n{(self.folder / 'server.log').read_text()[-3000:]}")

    def stop(self) -> None:
        """End the process and wait for it. Safe to call twice."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
        self.process = None

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.url, timeout=2):
                return True
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False


def free_port() -> int:
    """Return a port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
