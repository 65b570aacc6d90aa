"""A server of somebody else's, run as a child process on a free loopback port for as long as a test needs it."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.servers.service_account import ServiceAccount


@dataclass(frozen=True, slots=True)
class Account:
    """A user of a server: the password is the name."""

    username: str
    home: str
    scheme: str = "basic"

    @property
    def password(self) -> str:
        """The password."""
        return self.username


@dataclass(slots=True)
class Server:
    """A running server. `url` is its root; everything it writes lies in `folder`.

    `root`: where discovery begins. `scheme`: how users log in (basic, digest). `runs_as`: the account of its own that
    it needs. `patience`: seconds that it gets to end by itself.
    """

    name: str
    command: list[str]
    port: int
    folder: Path
    home_path: str
    users: int
    root: str = "/"
    scheme: str = "basic"
    runs_as: ServiceAccount | None = None
    environment: dict[str, str] = field(default_factory=dict)
    patience: float = 10
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """The root's URL."""
        return f"http://127.0.0.1:{self.port}{self.root}"

    def account(self, number: int = 1) -> Account:
        """The n-th user, counted from 1."""
        if not 1 <= number <= self.users:
            raise ValueError(number)
        user = f"user{number}"
        return Account(user, f"http://127.0.0.1:{self.port}{self.home_path.format(user=user)}", self.scheme)

    def start(self) -> None:
        """Start (again) and return when it answers; AssertionError with the end of its log when it does not."""
        process = self.spawn()
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if process.poll() is not None or self._answers():
                break
            time.sleep(0.05)
        if not self._answers():
            self.stop()
            raise AssertionError(f"{self.name} did not start:\n{(self.folder / 'server.log').read_text()[-3000:]}")

    def spawn(self) -> subprocess.Popen[bytes]:
        """Start the process and return at once."""
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env=os.environ | self.environment,
                cwd="/" if self.runs_as else None,
                start_new_session=True,
                **_as_account(self.runs_as),
            )
        return self.process

    def stop(self) -> None:
        """End the process with all that it started, and wait for it. Safe to call twice."""
        if self.process is None:
            return
        self._signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(self.patience)
        self._signal(signal.SIGKILL)
        self.process.wait(10)
        self.process = None

    def _signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.url, timeout=2):
                return True
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False


def _as_account(account: ServiceAccount | None) -> dict[str, Any]:
    if account is None or os.geteuid() == account.uid:
        return {}
    return {"user": account.uid, "group": account.gid, "extra_groups": []}


def free_port() -> int:
    """Return a port that nobody listens on right now, outside the range that outgoing connections are given."""
    while True:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", random.randrange(12_000, 30_000)))
            port: int = probe.getsockname()[1]
            return port
