"""A resident process under a service manager: ready, fed from its work, reloading, ending; over a real socket."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.servers.process import free_port
from tests.system.site import Site
from tests.waiting import until

ADA = '[[providers]]\nid = "ada"\nname = "Dr. Ada"\nemail = "ada@example.org"\nzone = "Europe/Berlin"\n'
BEA = ADA.replace("ada", "bea").replace("Ada", "Bea")


class Manager:
    """The other end of the socket."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.settimeout(0.1)
        self.told: list[str] = []

    def hear(self, word: str, times: int = 1, seconds: float = 20.0) -> None:
        """Wait until a word was told so often since the last `forget`."""
        deadline = time.monotonic() + seconds
        while sum(word in one for one in self.told) < times:
            assert time.monotonic() < deadline, f"{word} was not told: {self.told}"
            try:
                self.told.append(self.socket.recv(4096).decode())
            except TimeoutError:
                continue

    def wait_for_silence(self) -> None:
        """Take in whatever was told before the process was stopped."""
        with suppress(TimeoutError):
            while True:
                self.socket.recv(4096)
        self.forget()

    def forget(self) -> None:
        """What was told so far counts no more."""
        self.told.clear()


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Manager]:
    made = Manager(tmp_path / "notify")
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    monkeypatch.setenv("WATCHDOG_USEC", "600000")
    monkeypatch.setenv("CALSYNC_LOG", "info")
    yield made
    made.socket.close()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = Site(tmp_path)
    made.calendars += [ADA, f'[web]\nlisten = "127.0.0.1:{free_port()}"\n']
    made.set_up()
    return made


def log_of(site: Site) -> str:
    return (site.folder / "process.log").read_text()


def providers_on_the_books(site: Site) -> set[str]:
    # A command would bring the config onto the books by itself; this looks only.
    with closing(sqlite3.connect(site.folder / "calsync.db")) as books:
        return {str(row[0]) for row in books.execute("SELECT id FROM providers")}


@pytest.mark.parametrize("command", ["run", "worker", "serve"])
def test_it_says_when_it_is_ready_lives_and_ends(site: Site, manager: Manager, command: str) -> None:
    with site.running(command) as process:
        manager.hear("READY=1")
        manager.hear("WATCHDOG=1", times=3)
        process.send_signal(signal.SIGTERM)
        manager.hear("STOPPING=1")
        assert process.wait(15) == 0


def test_a_stopped_worker_feeds_nothing(site: Site, manager: Manager) -> None:
    with site.running("worker") as process:
        manager.hear("WATCHDOG=1")
        process.send_signal(signal.SIGSTOP)
        manager.wait_for_silence()
        with pytest.raises(AssertionError, match="was not told"):
            manager.hear("WATCHDOG=1", seconds=1.5)
        process.send_signal(signal.SIGCONT)
        manager.hear("WATCHDOG=1")


def test_a_reload_takes_what_it_can_and_names_what_waits(site: Site, manager: Manager) -> None:
    config = site.folder / "calsync.toml"
    with site.running("run") as process:
        manager.hear("READY=1")
        manager.forget()
        text = config.read_text()
        config.write_text(f'{text}\n{BEA}\n[secrets]\nkey_file = "other.key"\n')
        (site.folder / "other.key").write_bytes((site.folder / "calsync.key").read_bytes())
        (site.folder / "other.key").chmod(0o600)
        process.send_signal(signal.SIGHUP)
        manager.hear("RELOADING=1")
        manager.hear("READY=1")
        log = log_of(site)
        assert "reload_needs_restart" in log
        assert "['secrets']" in log
        until(lambda: "bea" in providers_on_the_books(site))
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0


def test_a_hang_up_while_it_is_still_starting_ends_nothing_and_is_obeyed(site: Site, manager: Manager) -> None:
    config = site.folder / "calsync.toml"
    text = config.read_text()
    config.unlink()
    # Whoever reads a pipe waits for what comes out of it: the process is somewhere in its first seconds.
    os.mkfifo(config)
    with site.running("run") as process:
        pipe = until(lambda: os.open(config, os.O_WRONLY | os.O_NONBLOCK))
        process.send_signal(signal.SIGHUP)
        config.rename(site.folder / "first")
        config.write_text(f"{text}\n{BEA}")
        os.write(pipe, text.encode())
        os.close(pipe)
        until(lambda: "bea" in providers_on_the_books(site))
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0


def test_a_reload_of_a_broken_config_changes_nothing(site: Site, manager: Manager) -> None:
    config = site.folder / "calsync.toml"
    with site.running("run") as process:
        manager.hear("READY=1")
        manager.forget()
        config.write_text(config.read_text().replace("settle", "setle"))
        process.send_signal(signal.SIGHUP)
        until(lambda: "reload_refused" in log_of(site))
        assert "settle" in log_of(site)
        manager.hear("WATCHDOG=1", times=2)
        assert not any("RELOADING" in one for one in manager.told)
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
