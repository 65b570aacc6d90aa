"""Hearing of due work from other processes at once, by PostgreSQL's LISTEN: a hint, as workers look by themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog

from calsync.ports import Sleep, Stop
from calsync.store import postgres
from calsync.store.database import Database
from calsync.store.dialect import CHANNEL

_log = structlog.get_logger(__name__)

# How long it takes at most until a stop is seen, and until a lost connection is made anew.
LOOK_S = 1.0
AGAIN_S = 5.0


def listen(database: Database, heard: Callable[[], None], stop: Stop, sleep: Sleep) -> None:
    """Call `heard` whenever another process made a calendar due, until `stop`; returns at once on SQLite.

    One connection of its own. A lost one is made anew; whatever was said meanwhile is found by looking.
    """
    if database.is_sqlite:
        return
    errors: Any = database.engine.dialect.loaded_dbapi.Error
    while not stop.is_set():
        try:
            _hear(database, heard, stop)
        except errors as problem:
            _log.warning("listening_ended", problem=type(problem).__name__)
            sleep.wait(stop, AGAIN_S)


def _hear(database: Database, heard: Callable[[], None], stop: Stop) -> None:
    dialect = database.engine.dialect
    given, named = dialect.create_connect_args(database.url)
    raw: Any = dialect.connect(*given, **{**named, **postgres.arguments(database.url), "autocommit": True})
    raw.execute(*postgres.first_statement({})).close()
    try:
        raw.execute(f"LISTEN {CHANNEL}")
        heard()
        while not stop.is_set():
            for _ in raw.notifies(timeout=LOOK_S, stop_after=1):
                heard()
    finally:
        raw.close()
