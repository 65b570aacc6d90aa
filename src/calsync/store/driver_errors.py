"""What the drivers' errors mean to a person. Called by `database` and `upgrade`; shows no password, no statement."""

from __future__ import annotations

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError

from calsync.errors import CalsyncError
from calsync.store.dialect import sqlite_file
from calsync.store.errors import NotUpgraded, StoreUnavailable
from calsync.store.postgres import CHANGED_PLAN

# Words of an SQLite message, what they mean, what to do.
_SQLITE = (
    (
        "unable to open",
        "the database file cannot be opened",
        "Check that its folder exists and that calsync may write there",
    ),
    (
        "locked",
        "another program has kept the database locked",
        "Try again; if it stays so, look for a hanging calsync or a backup tool",
    ),
    (
        "busy",
        "another program has kept the database locked",
        "Try again; if it stays so, look for a hanging calsync or a backup tool",
    ),
    (
        "readonly",
        "the database may not be written",
        "Give calsync's account the right to write to the file and its folder",
    ),
    ("disk is full", "the disk is full", "Make room on it; nothing was changed"),
    ("disk i/o", "the disk answers with an error", "Check the disk and the file system; nothing was changed"),
    ("not a database", "the file is not a database", "Check [database] url; a backup may be put in its place"),
    ("malformed", "the database file is damaged", "Stop calsync and put a backup in its place"),
)
# SQLSTATE, or the beginning of one.
_POSTGRES = (
    ("28", "the database refuses the user or the password", "Check user and password in [database] url"),
    ("3D000", "there is no such database on the server", "Create it (createdb), or mend [database] url"),
    ("53300", "the database server has no connection left", "Raise max_connections, or run fewer workers"),
    ("53", "the database server has run out of room or memory", "Make room on it; nothing was changed"),
    ("57", "the database server is shutting down or ended the request", "Try again when it runs"),
    (
        "58",
        "the database server's own disk or files answer with an error",
        "Look into the server's log and at its disk",
    ),
    ("25P03", "the database server ended a transaction that stood still", "Try again; nothing was changed"),
    ("25P04", "the database server ended a transaction that took too long", "Try again; nothing was changed"),
    ("08", "the connection to the database broke", "Check that the server runs and can be reached"),
    ("0A000", "the database's tables were changed while this program runs", "Try again"),
    ("25006", "the database may not be written", "Point [database] url at the primary server, not at a standby"),
    ("40", "two transactions stood in each other's way", "Try again"),
    ("55P03", "another program has kept the database locked", "Try again"),
    ("42501", "the database user lacks a right", "Grant it the tables, or make it their owner"),
)
# Words of the server's refusal of a new connection, for which the driver has no SQLSTATE, and the one it stands for.
_REFUSALS = (
    ("password authentication failed", "28"),
    ("no password supplied", "28"),
    ("no pg_hba.conf entry", "28"),
    ("peer authentication failed", "28"),
    ('role "', "28"),
    ('database "', "3D000"),
    ("too many clients", "53300"),
    ("remaining connection slots", "53300"),
    ("the database system is", "57"),
)
_NO_TLS = "does not support ssl"
_MISSING_TABLE = ("no such table", "no such column", "has no column named")


def as_ours(problem: DBAPIError, url: URL) -> CalsyncError | None:
    """Our error for one of the driver's, or None for a fault of the program, which should stay loud."""
    if url.get_backend_name() == "sqlite":
        return _from_sqlite(problem, url)
    return _from_postgres(problem, url)


def shown_url(url: URL) -> str:
    """The address as it may be shown: the file's name, or the URL without its password."""
    file = sqlite_file(url)
    return str(file) if file is not None else url.set(query={}).render_as_string(hide_password=True)


def not_upgraded(url: URL, what: str) -> NotUpgraded:
    """The sentence for a database whose tables are missing or older than this program."""
    return NotUpgraded.of(what, where=shown_url(url), remedy="Run: calsync db upgrade")


def pool_exhausted(url: URL) -> StoreUnavailable:
    """The sentence for a process that has all its connections in use for too long."""
    return StoreUnavailable.of(
        "all connections to the database are in use", where=shown_url(url), remedy="Lower [sync] workers, or try again"
    )


def _from_sqlite(problem: DBAPIError, url: URL) -> CalsyncError | None:
    said = str(problem.orig).lower()
    if any(words in said for words in _MISSING_TABLE):
        return not_upgraded(url, "the database lacks tables that this program needs")
    for words, what, remedy in _SQLITE:
        if words in said:
            return StoreUnavailable.of(what, where=shown_url(url), remedy=remedy)
    return None


def _from_postgres(problem: DBAPIError, url: URL) -> CalsyncError | None:
    state = getattr(problem.orig, "sqlstate", None) or _refusal(str(problem.orig).lower())
    if state == "0A000" and CHANGED_PLAN not in str(problem.orig):
        return None
    if state in ("42P01", "42703"):
        return not_upgraded(url, "the database lacks tables that this program needs")
    for start, what, remedy in _POSTGRES:
        if state.startswith(start):
            return StoreUnavailable.of(what, where=shown_url(url), remedy=remedy)
    if state == "" and type(problem.orig).__name__ in ("OperationalError", "ConnectionTimeout"):
        if _NO_TLS in str(problem.orig).lower():
            remedy = "Turn TLS on there, or write ?sslmode=disable on a line that only you hold"
            return StoreUnavailable.of("the database server speaks no TLS", where=shown_url(url), remedy=remedy)
        # The driver never got as far as a code. Its text may hold the address, so it is not repeated.
        return StoreUnavailable.of(
            "the database server cannot be reached",
            where=shown_url(url),
            remedy="Check that it runs and that the address is right",
        )
    return None


def _refusal(said: str) -> str:
    return next((state for words, state in _REFUSALS if f"fatal:  {words}" in said), "")
