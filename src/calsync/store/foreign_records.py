"""The other platform's table, read only: its rows as they stand, page by page, and where its changes have got to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Engine, Select, column, create_engine, or_, select, table, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from calsync.errors import UserError
from calsync.store.database import under_tls
from calsync.store.odd_values import OddTime, read_odd_values

PAGE: Final = 500
_TIMEOUT_MS: Final = 60_000


class SourceUnavailable(UserError):
    """The other platform's database cannot be read now. Nothing was taken from it."""


@dataclass(frozen=True, slots=True)
class ForeignTable:
    """What to read: the address with its password, the table or view (`schema.name`), and the columns by name."""

    url: str
    name: str
    columns: tuple[str, ...]
    updated_at: str | None = None


@contextmanager
def reading(source: ForeignTable) -> Iterator[Connection]:
    """A transaction that cannot write, and that ends long queries. Raises SourceUnavailable."""
    try:
        engine = create_engine(under_tls(make_url(source.url)), poolclass=NullPool)
        with _read_only(engine) as conn:
            yield conn
    except (SQLAlchemyError, ArgumentError, NoSuchModuleError) as problem:
        # What a driver says may hold the address, and values of rows.
        raise SourceUnavailable.of(
            f"the platform's database cannot be read ({type(problem).__name__})",
            where="[records]",
            remedy="Check url, password_file, table and columns, and that the login may read them",
        ) from problem


def rows(conn: Connection, source: ForeignTable, since: Any = None) -> Iterator[Mapping[str, Any]]:
    """The rows, those that changed at or after `since` if the table tells; fetched page by page.

    A row that does not say when it changed may have changed at any time.
    """
    columns: list[Any] = [column(name) for name in _wanted(source)]
    query: Select[Any] = select(*columns).select_from(_table(source))
    if source.updated_at is not None:
        if since is not None:
            changed: Any = column(source.updated_at)
            query = query.where(or_(changed >= since, changed.is_(None)))
        query = query.order_by(column(source.updated_at))
    names = _wanted(source)
    with conn.execute(query, execution_options={"yield_per": PAGE}) as found:
        for row in found:
            yield dict(zip(names, row, strict=True))


def may_write(conn: Connection, source: ForeignTable) -> bool:
    """Whether the login could change the table; False where the database cannot tell."""
    if conn.dialect.name != "postgresql":
        return False
    query = text("SELECT has_table_privilege(:name, 'INSERT, UPDATE, DELETE')")
    return bool(conn.execute(query, {"name": source.name}).scalar_one())


def mark_of(value: Any) -> str | None:
    """A change column's value as text that keeps its kind, to be kept until the next reading."""
    if isinstance(value, datetime):
        return f"time:{value.isoformat()}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"int:{value}"
    return None if value is None or isinstance(value, OddTime) else f"text:{value}"


def before(mark: str | None, overlap: timedelta) -> Any:
    """Where reading begins again: the kept value, times a little earlier."""
    if mark is None:
        return None
    kind, _, told = mark.partition(":")
    if kind == "time":
        return datetime.fromisoformat(told) - overlap
    return int(told) if kind == "int" else _text_before(told, overlap)


def later(mark: str | None, other: str | None) -> str | None:
    """The later one of two kept values."""
    if mark is None or other is None:
        return other or mark
    old, new = before(mark, timedelta()), before(other, timedelta())
    try:
        return other if _plain(new) > _plain(old) else mark
    except TypeError:
        return other


def is_after(mark: str | None, limit: datetime) -> bool:
    """Whether a kept value is a time after a limit, one without an offset taken for UTC; False for what is no time."""
    value = before(mark, timedelta())
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        return False
    return isinstance(at, datetime) and (at if at.tzinfo is not None else at.replace(tzinfo=UTC)) > limit


def _plain(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) and value.tzinfo is not None else value


def _text_before(told: str, overlap: timedelta) -> str:
    """A time that the database keeps as text, a little earlier, in the same form."""
    try:
        at = datetime.fromisoformat(told)
    except ValueError:
        return told
    earlier = (at - overlap).isoformat(sep=told[10] if len(told) > 10 else " ")
    return earlier.replace("+00:00", "Z") if told.endswith("Z") else earlier


@contextmanager
def _read_only(engine: Engine) -> Iterator[Connection]:
    is_postgres = engine.dialect.name == "postgresql"
    options: dict[str, Any] = {"postgresql_readonly": True} if is_postgres else {}
    with engine.connect().execution_options(**options) as conn:
        if is_postgres:
            conn.execute(text(f"SET LOCAL statement_timeout = {_TIMEOUT_MS}"))
        elif engine.dialect.name == "sqlite":
            conn.execute(text("PRAGMA query_only = ON"))
        read_odd_values(conn)
        yield conn
        conn.rollback()


def _table(source: ForeignTable) -> Any:
    schema, _, name = source.name.rpartition(".")
    return table(name, schema=schema or None)


def _wanted(source: ForeignTable) -> Sequence[str]:
    names = [*source.columns, *([source.updated_at] if source.updated_at is not None else [])]
    return list(dict.fromkeys(names))
