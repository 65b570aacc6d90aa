"""A real PostgreSQL server, run for as long as tests need it, in a folder and on a socket of its own.

Needs the Debian package `postgresql`. As root it runs under the account `postgres`, because the server refuses root.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg

_FOLDERS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
# Nothing in a test's database has to survive the machine.
_SETTINGS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off")


@dataclass(slots=True)
class Postgres:
    """A running server; `folder` holds its data and its socket."""

    folder: Path
    port: int = 5432
    numbers: Iterator[int] = field(default_factory=count)

    def url(self, database: str) -> str:
        """The address of a database, as `[database] url` has it."""
        return f"postgresql+psycopg://calsync@/{database}?host={self.folder}&port={self.port}"

    def address(self, database: str) -> str:
        """The address of a database, as libpq has it."""
        return f"host={self.folder} port={self.port} user=calsync dbname={database}"

    def create(self, template: str = "template1") -> str:
        """Make a database with the contents of another; its name."""
        name = f"test{next(self.numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop(self, name: str) -> None:
        """Remove a database, whoever is still connected."""
        self.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def run(self, statement: str) -> None:
        """Run a statement that wants no transaction."""
        with psycopg.connect(self.address("postgres"), autocommit=True) as conn:
            conn.execute(statement)


@contextmanager
def running_postgres(port: int | None = None) -> Iterator[Postgres]:
    """Start a server and stop it at the end, leaving nothing behind. With a port it listens on the loopback as well."""
    folder = Path(tempfile.mkdtemp(prefix="calsync-pg-"))
    try:
        as_account = _account(folder)
        data = folder / "data"
        _call([*as_account, _program("initdb"), "-D", data, "-U", "calsync", "-A", "trust", "--no-sync", "-E", "UTF8"])
        listen = ("listen_addresses=127.0.0.1", f"port={port}") if port else ("listen_addresses=",)
        options = " ".join(f"-c {setting}" for setting in (*_SETTINGS, *listen)) + f" -k {folder}"
        control: list[str | Path] = [*as_account, _program("pg_ctl"), "-D", data]
        _call([*control, "-w", "-t", "60", "-l", folder / "server.log", "-o", options, "start"])
        try:
            yield Postgres(folder, port or 5432)
        finally:
            _call([*control, "-m", "immediate", "stop"])
    finally:
        shutil.rmtree(folder)


def _account(folder: Path) -> list[str]:
    if os.geteuid() != 0:
        return []
    account = pwd.getpwnam("postgres")
    os.chown(folder, account.pw_uid, account.pw_gid)
    return ["runuser", "-u", account.pw_name, "--"]


def _program(name: str) -> str:
    for folder in _FOLDERS:
        if (folder / name).exists():
            return str(folder / name)
    found = shutil.which(name)
    assert found, f"{name} was not found: the tests need the Debian package postgresql"
    return found


def _call(command: Sequence[str | Path]) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd="/")
    assert done.returncode == 0, f"{command[0]} failed:\n{done.stdout}\n{done.stderr}"
