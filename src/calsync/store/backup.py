"""A copy of the books while calsync runs, and the way back from it. The key file is never part of a copy.

SQLite is copied by its own online backup, PostgreSQL by its own `pg_dump`. An older copy is safe to go back to: events
are found again by their markers, and the first pass compares everything.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path

from sqlalchemy import URL

from calsync.errors import UserError
from calsync.store import calendars, dialect, revisions
from calsync.store.database import open_database, parsed_url
from calsync.store.upgrade import upgrade

_PART = ".part"


def make(url: str, target: Path) -> None:
    """Write a consistent copy of the database to a new file that only its owner can read.

    UserError if the file is there already, or its folder is not, or the copy cannot be made or kept there; no file is
    left then.
    """
    parsed = parsed_url(url)
    _require_place(target)
    part = target.with_name(target.name + _PART)
    _require_place(part)
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        file = dialect.sqlite_file(parsed)
        _copy_sqlite(file, part) if file is not None else _dump_postgresql(parsed, part)
        _sync(part)
        _put_in_place(part, target)
    except FileExistsError:
        raise UserError.of("is there already", str(target), "Name a new file") from None
    except (OSError, sqlite3.OperationalError) as problem:
        reason = getattr(problem, "strerror", None) or str(problem)
        what = f"cannot be written ({reason.lower()})"
        raise UserError.of(what, str(target), "See who may write there and how much room there is") from problem
    finally:
        with suppress(OSError):
            part.unlink()


def _put_in_place(part: Path, target: Path) -> None:
    """Give the whole copy its name, and overwrite nothing."""
    try:
        os.link(part, target)
    except FileExistsError:
        raise
    except OSError:
        # Not every file system knows second names. The empty file is ours: what takes its place overwrites nobody's.
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        part.rename(target)


def restore(url: str, source: Path, aside: Path, now: datetime) -> None:
    """Put a copy in the place of an SQLite database that nobody has open; what was there is kept as `aside`.

    The copy is brought to this program's tables before anything is replaced. Its readings count again once each
    calendar has been compared with it. UserError if it is not a whole database of calsync or the database itself, if a
    process has the database open, or for PostgreSQL, which has a tool of its own for it; raises like `upgrade`.
    """
    file = dialect.sqlite_file(parsed_url(url))
    if file is None:
        remedy = (
            "Use pg_restore --clean --if-exists with the file that `calsync backup` wrote, then `calsync db restored`"
        )
        raise UserError.of("a PostgreSQL database is restored by its own tool", "[database] url", remedy)
    _check_copy(source)
    if file.exists() and file.samefile(source):
        raise UserError.of("is the database itself", str(source), "Name a file that `calsync backup` wrote")
    if file.exists():
        _require_alone(file)
    part = file.with_name(file.name + _PART)
    try:
        _prepare(source, part, now)
        if file.exists():
            file.rename(aside)
        part.rename(file)
    finally:
        part.unlink(missing_ok=True)


def _prepare(source: Path, part: Path, now: datetime) -> None:
    """Make a copy of the copy that this program can go on with."""
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    with closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as copy, closing(sqlite3.connect(part)) as made:
        copy.backup(made)
    url = f"sqlite:///{part}"
    upgrade(url)
    books = open_database(url)
    try:
        with books.transaction() as conn:
            calendars.books_restored(conn, now)
    finally:
        books.dispose()
    with closing(sqlite3.connect(part)) as made:
        made.execute("PRAGMA journal_mode=DELETE")  # one file, to be put in the other's place
    _sync(part)


def _copy_sqlite(file: Path, part: Path) -> None:
    if not file.exists():
        raise UserError.of("there is no database yet", str(file), "Run `calsync db upgrade`")
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as books, closing(sqlite3.connect(part)) as copy:
        # In one step: writers go on beside it, and a copy in several steps would begin anew with each of their writes.
        books.backup(copy, pages=-1)
        copy.execute("PRAGMA journal_mode=DELETE")
    _check_copy(part)


def _dump_postgresql(url: URL, part: Path) -> None:
    program = shutil.which("pg_dump")
    if program is None:
        raise UserError.of("pg_dump is not installed", "PATH", "Install PostgreSQL's client programs")
    address = url.set(drivername="postgresql", password=None).render_as_string()
    # The password goes by the environment: other users can read a process's arguments.
    environ = dict(os.environ) | ({"PGPASSWORD": str(url.password)} if url.password else {})
    done = subprocess.run(  # noqa: S603 - no shell, and every argument is made here
        [program, "--format=custom", "--no-owner", "--no-privileges", f"--file={part}", f"--dbname={address}"],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise UserError.of(f"pg_dump failed: {reason}", "[database] url", "Look at the server and the login")


def _check_copy(path: Path) -> None:
    remedy = "Name a file that `calsync backup` wrote"
    if not path.is_file():
        raise UserError.of("there is no such file", str(path), remedy)
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as copy:
            verdict = copy.execute("PRAGMA quick_check").fetchone()[0]
            (revision,) = copy.execute("SELECT max(version_num) FROM alembic_version").fetchone()
            copy.execute("SELECT id FROM installation").fetchone()
    except sqlite3.DatabaseError:
        raise UserError.of("is not a database of calsync", str(path), remedy) from None
    if verdict != "ok":
        raise UserError.of("is a damaged database", str(path), remedy)
    if revision is not None and revision not in revisions.known():
        raise revisions.newer_than_program(parsed_url(f"sqlite:///{path}"), revision)


def _require_alone(file: Path) -> None:
    """Return if no other process has the database open; its log is taken into the file then."""
    try:
        with closing(sqlite3.connect(file, timeout=0)) as books:
            books.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.OperationalError:
        raise UserError.of("is in use", str(file), "Stop calsync first: systemctl stop calsync") from None


def _require_place(target: Path) -> None:
    if target.exists():
        raise UserError.of("is there already", str(target), "Name a new file")
    if not target.absolute().parent.is_dir():
        raise UserError.of("there is no such folder", str(target.parent), "Make it, or name another one")


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
