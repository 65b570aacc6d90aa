"""The upgrade of a database is killed at statement after statement: it is as it was, and the right command is named."""

from __future__ import annotations

import os
import re
import shutil
import signal
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.resources import as_file, files
from itertools import count
from pathlib import Path
from typing import Any, Protocol

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, MetaData, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError

from calsync.errors import CalsyncError
from calsync.store import revisions
from calsync.store.database import open_database
from calsync.store.errors import NotUpgraded
from calsync.store.upgrade import check, upgrade
from tests.endurance.progress import Progress
from tests.servers.postgres import Postgres
from tests.system.programs import Forked

_ENDS_A_STEP = re.compile("UPDATE alembic_version|INSERT INTO alembic_version")


@dataclass(slots=True)
class Told:
    """What it came to."""

    kills: int = 0
    steps: int = 0
    problems: list[str] = field(default_factory=list)


class Shelf(Protocol):
    """Where databases come from."""

    def empty(self) -> str:
        """The address of a new one without tables."""

    def copy(self, url: str) -> str:
        """The address of a copy."""


@dataclass(slots=True)
class Folder:
    """SQLite files."""

    path: Path
    numbers: Iterator[int] = field(default_factory=count)

    def empty(self) -> str:
        """See `Shelf`."""
        return f"sqlite:///{self.path / str(next(self.numbers))}.db"

    def copy(self, url: str) -> str:
        """See `Shelf`."""
        new = self.empty()
        if Path(url.removeprefix("sqlite:///")).exists():
            shutil.copy(url.removeprefix("sqlite:///"), new.removeprefix("sqlite:///"))
        return new


@dataclass(slots=True)
class Server:
    """Databases of a PostgreSQL."""

    postgres: Postgres

    def empty(self) -> str:
        """See `Shelf`."""
        return self.postgres.url(self.postgres.create())

    def copy(self, url: str) -> str:
        """See `Shelf`."""
        return self.postgres.url(self.postgres.create(make_url(url).database or ""))


def storm(shelf: Shelf, told: Told, progress: Progress, *, steps: Collection[int] = (), each: bool = False) -> Told:
    """Kill the upgrade in the given steps (all if none is given), each from the revision before it.

    `each`: at each statement of the step; otherwise once within it.
    """
    known = revisions.known()
    places = _places(shelf.empty())
    old, rows = shelf.empty(), dict[str, int]()
    for number, following in enumerate(known):
        revision = known[number - 1] if number else None
        if not steps or number in steps:
            told.steps += 1
            within = places[following]
            for place in within if each else within[len(within) // 2 : len(within) // 2 + 1]:
                _one(shelf.copy(old), revision, place, (rows, told))
        rows = _go_on(old, following)
        progress.step(number + 1, len(known), f"{told.kills} kills")
    return told


def _one(url: str, revision: str | None, place: int, what: tuple[dict[str, int], Told]) -> None:
    """Kill the upgrade of a database as `revision` left it after so many statements, and use it."""
    rows, told = what
    process = Forked(_upgrade_and_die, url, place)
    name = f"from {revision}, statement {place}"
    if process.wait(60) != -signal.SIGKILL:
        told.problems.append(f"{name}: it was not killed, but ended with {process.returncode}")
    told.kills += 1
    if check(url).current != revision:
        told.problems.append(f"{name}: it stands at {check(url).current}")
    if not _names_the_command(url):
        told.problems.append(f"{name}: a command does not say what helps")
    try:
        upgrade(url)
    except CalsyncError as problem:
        told.problems.append(f"{name}: the upgrade did not go on: {problem}")
        return
    lost = {table: (before, after) for table, before in rows.items() if (after := _count(url, table)) != before}
    if lost or not check(url).is_current:
        told.problems.append(f"{name}: rows before and after: {lost}")


def _names_the_command(url: str) -> bool:
    database = open_database(url)
    try:
        with database.transaction():
            return False
    except NotUpgraded as problem:
        return "calsync db upgrade" in str(problem)
    finally:
        database.dispose()


def _go_on(url: str, revision: str) -> dict[str, int]:
    """Make the tables of the next revision, with a row in each that takes one; how many rows each has."""
    with _engine(url) as engine:
        with engine.begin() as conn:
            _alembic(conn, revision)
        tables = MetaData()
        tables.reflect(engine)
        made = []
        for table in tables.sorted_tables:
            if table.name == "alembic_version":
                continue
            values = {column.name: _value(column) for column in table.columns if not column.nullable}
            # A table with a rule that this breaks, or that has its row, stays as it is.
            with suppress(DBAPIError), engine.begin() as conn:
                conn.execute(table.insert().values(values))
            made.append(table.name)
        with engine.begin() as conn:
            counts = {name: int(conn.execute(text(f"SELECT count(*) FROM {name}")).scalar_one()) for name in made}
        assert sum(counts.values()) > 3, counts
        return counts


def _value(column: Any) -> object:
    if column.server_default is not None and not column.primary_key:
        return text(str(column.server_default.arg))
    kind = column.type.python_type
    return {int: 1, bool: False, str: "x", bytes: b"x", float: 1.0}.get(kind, 1)


def _count(url: str, table: str) -> int:
    with _engine(url) as engine, engine.begin() as conn:
        return int(conn.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def _places(url: str) -> dict[str, list[int]]:
    """By step: the numbers of its statements in an upgrade that begins with it."""
    told: list[str] = []

    def seen(_conn: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        told.append(f"{statement} {parameters}")

    event.listen(Engine, "after_cursor_execute", seen)
    try:
        upgrade(url)
    finally:
        event.remove(Engine, "after_cursor_execute", seen)
    first = next(place for place, one in enumerate(told) if "CREATE TABLE" in one)
    found, begin = {}, first
    for revision in revisions.known():
        end = next(place for place in range(begin, len(told)) if _ENDS_A_STEP.search(told[place]))
        found[revision] = [first + number + 1 for number in range(end - begin)]
        begin = end + 1
    return found


def _upgrade_and_die(url: str, place: int) -> None:
    numbers = count(1)

    def seen(*_: Any) -> None:
        if next(numbers) == place:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "after_cursor_execute", seen)
    upgrade(url)


@contextmanager
def _engine(url: str) -> Iterator[Engine]:
    engine = create_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


def _alembic(conn: Any, revision: str) -> None:
    with as_file(files("calsync.store").joinpath("migrations")) as folder:
        config = Config()
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
        config.attributes["connection"] = conn
        command.upgrade(config, revision)
